"""A real Chromium, in front of `make demo` in a process of its own, or of the small site in `site.py`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, Route

from logto_auth.emulator import Emulator
from tests.rights import ask_for_rights, set_up
from tests.servers import lacking

from .running import ROOT, running_chromium, running_demo
from .site import NODE_MODULES

SCREENSHOTS = ROOT / "test-screenshots"


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running demo with a database of its own."""
    with running_demo(tmp_path_factory.mktemp("demo")) as url:
        yield url


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with running_chromium() as browser:
        yield browser


@contextmanager
def browser_profile(chromium: Browser, base_url: str, **options: Any) -> Iterator[BrowserContext]:
    """A fresh browser profile, in which any call to the internet is a failure."""
    context = chromium.new_context(base_url=base_url, **{"locale": "en-GB", **options})
    context.set_default_timeout(15_000)
    strangers: list[str] = []

    def only_this_machine(route: Route) -> None:
        if "://localhost:" in route.request.url or route.request.url.startswith("data:"):
            route.continue_()
        else:
            strangers.append(route.request.url)
            route.abort()

    context.route("**/*", only_this_machine)
    yield context
    context.close()
    assert strangers == []


@pytest.fixture
def context(chromium: Browser, demo: str) -> Iterator[BrowserContext]:
    with browser_profile(chromium, demo) as context:
        yield context


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def site(live_server: Any, logto: Emulator, settings: Any) -> str:
    """The URL of the small site, which has the package's own pages and signs in at `logto`."""
    application = logto.tenant.applications[settings.LOGTO_APP_ID]
    application.redirect_uris.append(f"{live_server.url}/callback")
    application.post_logout_redirect_uris.append(f"{live_server.url}/")
    set_up(logto)
    ask_for_rights(settings)
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": []}]
    settings.TEST_SCRIPT = ""
    url: str = live_server.url
    return url


@pytest.fixture
def tab(chromium: Browser, site: str) -> Iterator[Page]:
    """A browser at the small site."""
    with browser_profile(chromium, site) as context:
        yield context.new_page()


@pytest.fixture
def libraries() -> None:
    """Skip or fail the test unless the packages of npm are installed."""
    if not NODE_MODULES.is_dir():
        lacking("the npm packages of tests/browser/package.json: `make test-browser` installs them, with npm")


def screenshot(page: Page, name: str) -> None:
    """Keep a picture of the page in `test-screenshots/`, to be looked at."""
    SCREENSHOTS.mkdir(exist_ok=True)
    path = SCREENSHOTS / f"{name}.png"
    try:
        page.screenshot(path=path)
    except Error:
        # Chromium takes no picture during a redirect.
        page.wait_for_timeout(500)
        page.screenshot(path=path)
