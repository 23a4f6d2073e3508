"""The cookies of pending sign-ins: their names, and who can set them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from logto_auth.emulator import Emulator
from logto_auth.oidc.authorization import SignInOptions
from logto_auth.sign_in.start import redirect_to_logto
from logto_auth.sign_in.state import COOKIE_PREFIX
from logto_auth.testing import Browser
from tests.support import pending_cookies, signed_in_user_key

from .test_sign_in_fuzz import bounded

pytestmark = pytest.mark.django_db

HOST_NAME = re.compile(r"__Host-logto_sign_in_[0-9a-f]{16}")
PLAIN_NAME = re.compile(r"logto_sign_in_[0-9a-f]{16}")


@pytest.fixture
def secure_site(settings: Any, logto: Emulator) -> Emulator:
    """A site that browsers reach by https."""
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    logto.tenant.applications[settings.LOGTO_APP_ID].redirect_uris.append("https://testserver/callback")
    for name in ("reader", "attacker"):
        logto.tenant.add_user(username=name)
    return logto


def secure_browser(logto: Emulator) -> Browser:
    return Browser(logto, Client(headers={"X-Forwarded-Proto": "https", "Host": "testserver"}))


def callback_of(browser: Browser, username: str) -> str:
    return browser.logto.sign_in(browser.start(), username)


# Which name


def test_cookie_on_secure_site_belongs_to_host(secure_site: Emulator) -> None:
    browser = secure_browser(secure_site)
    browser.start()
    ((name, morsel),) = browser.client.cookies.items()
    assert HOST_NAME.fullmatch(name)
    assert (morsel["secure"], morsel["path"], morsel["domain"]) == (True, "/", "")
    assert browser.sign_in("reader").status_code == 302


@pytest.mark.parametrize(
    "changes",
    [
        {"SESSION_COOKIE_DOMAIN": "testserver"},
        {"SESSION_COOKIE_PATH": "/callback"},
        {"SECURE_PROXY_SSL_HEADER": None},
        {"SECURE_PROXY_SSL_HEADER": None, "SESSION_COOKIE_SECURE": True},
    ],
    ids=["domain", "path", "http", "http-with-secure-cookies"],
)
def test_cookie_that_browsers_would_refuse_has_no_prefix(
    secure_site: Emulator, settings: Any, changes: dict[str, Any]
) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    browser = secure_browser(secure_site)
    browser.start()
    assert all(map(PLAIN_NAME.fullmatch, browser.client.cookies))
    assert browser.sign_in("reader").status_code == 302


@pytest.mark.parametrize("domain", [None, "testserver"], ids=["with-prefix-first", "without-prefix-first"])
def test_sign_in_survives_change_of_deployment(secure_site: Emulator, settings: Any, domain: str | None) -> None:
    settings.SESSION_COOKIE_DOMAIN = domain
    browser = secure_browser(secure_site)
    url = callback_of(browser, "reader")
    settings.SESSION_COOKIE_DOMAIN = None if domain else "testserver"
    assert browser.open(url)["Location"] == "/"
    # The cookie of the used sign-in replaces that of the pending one.
    assert len(pending_cookies(browser.client)) == 1


# A subdomain can set cookies for the whole domain, but none with the prefix


def test_cookie_planted_by_subdomain_is_not_used(secure_site: Emulator) -> None:
    attacker = secure_browser(secure_site)
    url = callback_of(attacker, "attacker")
    ((name, value),) = pending_cookies(attacker.client).items()
    browser = secure_browser(secure_site)
    browser.sign_in("reader")
    before = signed_in_user_key(browser.client)
    browser.client.cookies[name.removeprefix("__Host-")] = value
    assert browser.open(url)["Location"] == "/"
    assert signed_in_user_key(browser.client) == before
    assert len(secure_site.requests.to("token")) == 1


def test_planted_cookies_drop_no_pending_sign_in(secure_site: Emulator) -> None:
    browser = secure_browser(secure_site)
    url = callback_of(browser, "reader")
    planted = {f"{COOKIE_PREFIX}{number:016x}": "x" * 1000 for number in range(30)}
    browser.client.cookies.load(planted)
    browser.start()
    assert browser.open(url)["Location"] == "/"


# Names that are not ours

odd_names = st.text(st.characters(codec="utf-8", exclude_characters=";=\x00\r\n"), max_size=30)


@bounded
@given(names=st.lists(odd_names | odd_names.map(COOKIE_PREFIX.__add__), min_size=9, max_size=20))
def test_odd_cookie_names_are_ignored(logto: Emulator, names: list[str]) -> None:
    header = "; ".join(f"{name}{number}=1" for number, name in enumerate(names))
    response = Client().get("/sign-in", headers={"Cookie": header.encode().decode("latin-1")})
    assert response.status_code == 302
    assert len(response.cookies) == 1


@pytest.mark.parametrize(
    "name",
    ["(", "[", "]", '"', "%", "%0d%0a", "é", "日本", "@x", " a", "\t", "\\", "0" * 14, "0" * 17, "G" * 16, "0" * 5000],
)
@pytest.mark.parametrize("prefix", [COOKIE_PREFIX, "__Host-" + COOKIE_PREFIX])
def test_cookie_of_other_shape_is_not_deleted(logto: Emulator, prefix: str, name: str) -> None:
    header = "; ".join(f"{prefix}{name}{number or ''}=1" for number in range(9))
    response = Client().get("/sign-in", headers={"Cookie": header.encode().decode("latin-1")})
    assert response.status_code == 302
    assert len(response.cookies) == 1


def test_thousand_cookies_cause_few_headers(logto: Emulator) -> None:
    header = "; ".join(f"{COOKIE_PREFIX}{number:016x}={'x' * 50}" for number in range(1000))
    response = Client().get("/sign-in", headers={"Cookie": header})
    assert response.status_code == 302
    assert len(response.cookies) <= 21


def test_repeated_cookie_is_no_error(logto: Emulator) -> None:
    browser = Browser(logto)
    browser.start()
    ((name, value),) = pending_cookies(browser.client).items()
    header = f"{name}={value}; {name}=x; {name}; ={value}; {name}={value}"
    for path in ("/sign-in", "/callback?state=x&code=x"):
        assert Client().get(path, headers={"Cookie": header}).status_code in (302, 400)


@pytest.mark.parametrize("length", [100, 420, 5000])
def test_cookie_with_long_options_fits_browser_limit(browser: Browser, logto: Emulator, length: int) -> None:
    request = browser.client.get("/").wsgi_request
    next_url = f"/{'x' * 1023}"
    # The sign-in may be repeated, so the cookie has all options, and the scopes once more.
    options = SignInOptions(prompt="none", scopes=["x" * (length // 7)] * 7)
    response = redirect_to_logto(request, next_url=next_url, options=options, is_silent=True)
    assert all(len(morsel.value) < 3800 for morsel in response.cookies.values())
