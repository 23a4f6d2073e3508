"""Pages in a real Chromium, whose sockets and streams close at the sign-out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from playwright.sync_api import Browser, BrowserContext, Page, expect

from logto_auth.emulator import Emulator
from logto_auth.testing import register_site
from tests.api.attackers import TokenMaker
from tests.servers import need
from tests.sockets.processes import REDIS_LAYER, REDIS_URL, server

from .conftest import browser_profile, screenshot
from .people import choose_account

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OPEN_SOCKET = """async protocols => {
    window.socket = new WebSocket(`ws://${location.host}/ws/`, protocols);
    window.socketClosed = new Promise(resolve => socket.onclose = event => resolve([event.code, event.reason]));
    window.firstMessage = new Promise(resolve => socket.onmessage = event => resolve(JSON.parse(event.data)));
    return Promise.race([firstMessage, socketClosed]);
}"""
OPEN_STREAM = """async () => {
    window.stream = new EventSource("/events");
    window.streamEnded = new Promise(resolve => stream.onerror = () => { resolve(true); stream.close() });
    return new Promise(resolve => stream.onmessage = event => resolve(JSON.parse(event.data)));
}"""


@pytest.fixture
def socket_site(logto: Emulator, tmp_path: Path) -> Iterator[str]:
    """A site at uvicorn, with sockets, and a channel layer on Redis."""
    need("Redis", 6379)
    redis.Redis.from_url(REDIS_URL).flushdb()
    logto.tenant.add_user(username="reader", id="reader000001")
    with server(tmp_path, layers=REDIS_LAYER, urlconf="tests.browser.site") as address:
        register_site(logto, f"http://{address}")
        yield f"http://{address}"


@pytest.fixture
def profile(chromium: Browser, socket_site: str) -> Iterator[BrowserContext]:
    with browser_profile(chromium, socket_site) as context:
        yield context


@pytest.fixture
def page(profile: BrowserContext) -> Page:
    page = profile.new_page()
    page.goto("/orders/")
    choose_account(page, "reader")
    expect(page.get_by_text("Hello reader")).to_be_visible()
    return page


def test_socket_and_stream_close_at_sign_out(page: Page, profile: BrowserContext) -> None:
    assert page.evaluate(OPEN_SOCKET, [])["sub"] == "reader000001"
    assert page.evaluate(OPEN_STREAM) == {"sub": "reader000001"}
    other_tab = profile.new_page()
    other_tab.goto("/shelf/")
    other_tab.get_by_role("button", name="Sign out", exact=True).click()
    assert page.evaluate("socketClosed") == [4401, "session_ended"]
    assert page.evaluate("streamEnded") is True
    screenshot(page, "socket-closed")
    # As on a page, the visitor may open a socket without a user.
    assert page.evaluate(OPEN_SOCKET, [])["sub"] is None


def test_page_of_another_origin_cannot_use_the_session(page: Page, profile: BrowserContext, socket_site: str) -> None:
    hostile = profile.new_page()
    hostile.goto(f"{socket_site}/")
    # Another port is another origin, and the same site, so that the browser sends the cookie.
    hostile.route("http://localhost:1/", lambda route: route.fulfill(body="<title>Hostile</title>"))
    hostile.goto("http://localhost:1/")
    script = OPEN_SOCKET.replace("${location.host}", socket_site.removeprefix("http://"))
    assert hostile.evaluate(script, []) == [1006, ""]


def test_token_in_a_subprotocol(page: Page, logto: Emulator) -> None:
    token = TokenMaker(logto, "reader000001")()
    message: Any = page.evaluate(OPEN_SOCKET, ["logto-bearer", f"logto-bearer.{token}"])
    assert message["sub"] == "reader000001"
    assert message["may_write"] is True
    assert page.evaluate("socket.protocol") == "logto-bearer"
