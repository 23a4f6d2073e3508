"""Open redirects: no parameter of a request leads to another site."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

import pytest
from django.test import Client, RequestFactory
from django.urls import set_script_prefix
from django.utils.translation import override

from logto_auth.emulator import Emulator
from logto_auth.exceptions import ConfigurationError
from logto_auth.sign_in import safe_next_url
from logto_auth.testing import Browser
from tests.support import Witness

pytestmark = pytest.mark.django_db

UNSAFE = [
    "//evil.example",
    "///evil.example",
    "////evil.example/",
    "https://evil.example/",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "HTTPS://EVIL.EXAMPLE",
    "\\\\evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    "/\n/evil.example",
    " //evil.example",
    "\x00//evil.example",
    "\x08//evil.example",
    "//evil.example\x00.testserver",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "ftp://testserver/",
    "http://testserver@evil.example/",
    "http://testserver:80@evil.example/",
    "http://testserver\\@evil.example/",
    "http://evil.example#@testserver/",
    "http://evil.example?@testserver/",
    "http://testserver.evil.example/",
    "http://testserve\u2028r/",
    "http://[::1",
    "//[evil",
    "http://other.example/",
    "//other.example/",
    "/\r\nSet-Cookie: evil=1",
    "/%0d%0aSet-Cookie:evil=1\r\n",
    "/account/\x7f",
    "/\u202egnp.exe",
    "/" + "x" * 5000,
    "x" * 100_000,
    "/sign-in",
    "/sign-in?next=/sign-in",
    "/callback?code=x&state=y",
    "/sign-out",
    "http://testserver/callback",
    # Other spellings of the sign-in pages, as browsers and Django read them.
    "/sign%2Dout",
    "/%73ign-out",
    "/account/../sign-out",
    "/account/%2e%2E/sign-out",
    "/./sign-out",
    "sign-out",
    "./callback?code=x",
    "\\sign-out",
    "/account/..\\sign-out",
    "/choose-organization",
    "../sign-out",
    "..//../sign-out#top",
    "sign-out ",
    # Relative to the callback.
    "?page=2",
    "#top",
    "callback",
]
SAFE = [
    "/account/claims",
    "/account/claims?tab=1&next=//evil.example",
    "/account/claims?a=%0d%0a",
    "/account/#orders",
    "/日本/?q=本",
    "/%E6%97%A5%E6%9C%AC/",
    "account/",
    "http://testserver/account/claims",
    "//testserver/account/claims",
    "/a//b",
    "/sign-out/x",
    "/account/sign-out",
    "/account/claims?next=/sign-out",
    "/sign%252Dout",
    # Without a host, Python's `urljoin` fails at these.
    ".//\uff0f\uff0fexample",
    "\\..///\uff0f [",
    "/" + "x" * 1000,
]


def final_host(location: str) -> str:
    """Return the host that a browser goes to. It reads a backslash as a slash, and ignores some characters."""
    seen = location.translate({ord(character): None for character in "\t\r\n"}).strip().replace("\\", "/")
    return urlsplit(urljoin("http://testserver/callback", seen)).netloc


@pytest.mark.parametrize("url", UNSAFE, ids=lambda url: f"{url[:30].encode('unicode_escape').decode()}")
def test_unsafe_next_is_replaced(rf: RequestFactory, settings: Any, url: str) -> None:
    settings.ALLOWED_HOSTS = ["testserver", "other.example"]
    assert safe_next_url(rf.get("/sign-in"), url) == "/"


@pytest.mark.parametrize("url", SAFE, ids=lambda url: f"{url[:30].encode('unicode_escape').decode()}")
def test_next_on_this_site_is_followed(rf: RequestFactory, url: str) -> None:
    assert safe_next_url(rf.get("/sign-in"), url) == url
    assert final_host(url) == "testserver"


def test_sign_in_pages_are_refused_in_each_language(rf: RequestFactory, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.tenant.urls_by_language"
    for language in ("en", "ja", "zh-hans"):
        with override(language):
            home = safe_next_url(rf.get("/"), None)
            for url in ("/en/sign-out", "/ja/callback", "/zh-hans/sign-in?next=/", "/ja/x/../sign-out"):
                assert safe_next_url(rf.get("/"), url) == home
            assert safe_next_url(rf.get("/"), "/ja/account/claims") == "/ja/account/claims"


def test_sign_in_pages_are_refused_below_script_prefix(rf: RequestFactory, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.tenant.urls_by_language"
    set_script_prefix("/shop/")
    try:
        for url in ("/shop/en/sign-out", "/shop/ja/callback"):
            assert safe_next_url(rf.get("/"), url) == "/"
        assert safe_next_url(rf.get("/"), "/ja/callback") == "/ja/callback"
    finally:
        set_script_prefix("/")


# Other sites of the same owner

APP = "https://app.shop.example"


@pytest.mark.parametrize(
    "url",
    [APP, f"{APP}/", f"{APP}/cart?x=1#top", f"{APP}/sign-out", "https://spa.example:8443/x", "http://localhost:5173/x"],
)
def test_next_may_lead_to_listed_origin(rf: RequestFactory, settings: Any, url: str) -> None:
    settings.LOGTO_NEXT_ORIGINS = [f"{APP}/", "HTTPS://spa.example:8443", "http://localhost:5173"]
    assert safe_next_url(rf.get("/"), url) == url
    settings.LOGTO_NEXT_ORIGINS = []
    assert safe_next_url(rf.get("/"), url) == "/"


@pytest.mark.parametrize(
    "url",
    [
        "http://app.shop.example/",
        "//app.shop.example/",
        "https:app.shop.example/",
        "https:///app.shop.example/",
        "https://app.shop.example:444/",
        "https://app.shop.example:/",
        "https://app.shop.example.evil.example/",
        "https://evil.example/app.shop.example",
        "https://evilapp.shop.example/",
        "https://shop.example/",
        "https://x.app.shop.example/",
        "https://app.shop.example@evil.example/",
        "https://user@app.shop.example/",
        "https://app.shop.example\\@evil.example/",
        "https://evil.example\\@app.shop.example/",
        "https://app.shop.example\t/",
        "https://app.shop.example\\.evil.example/",
        "https://app.shop.example%2eevil.example/",
        "https://\uff41pp.shop.example/",
        "javascript://app.shop.example/%0aalert(1)",
        "ftp://app.shop.example/",
        " https://app.shop.example/",
        f"https://app.shop.example/{'x' * 1024}",
    ],
    ids=lambda url: f"{url[:40].encode('unicode_escape').decode()}",
)
def test_origin_that_is_not_listed_is_refused(rf: RequestFactory, settings: Any, url: str) -> None:
    settings.LOGTO_NEXT_ORIGINS = [APP]
    assert safe_next_url(rf.get("/"), url) == "/"


def test_text_in_place_of_origins_is_refused(rf: RequestFactory, settings: Any) -> None:
    settings.LOGTO_NEXT_ORIGINS = APP
    with pytest.raises(ConfigurationError, match="LOGTO_NEXT_ORIGINS"):
        safe_next_url(rf.get("/"), f"{APP}/")


def test_sign_in_leads_to_listed_origin_and_back(browser: Browser, reader: Any, settings: Any) -> None:
    settings.LOGTO_NEXT_ORIGINS = [APP]
    assert browser.sign_in("reader", next_url=f"{APP}/cart")["Location"] == f"{APP}/cart"
    assert browser.client.get("/sign-in", {"next": f"{APP}/cart"})["Location"] == f"{APP}/cart"
    for path in ("/sign-out-others", "/choose-organization"):
        response = browser.client.post(path, {"next": f"{APP}/cart", "organization_id": "none"})
        assert response.headers.get("Location", f"{APP}/cart") == f"{APP}/cart"


def test_script_of_other_site_gets_absolute_sign_in_url(client: Client, settings: Any) -> None:
    headers = {"Origin": APP, "Referer": f"{APP}/cart?x=1", "Sec-Fetch-Mode": "cors"}
    answers = []
    for origins in ([], [APP]):
        settings.LOGTO_NEXT_ORIGINS = origins
        answers.append(client.get("/account/claims", headers=headers).json()["sign_in_url"])
    assert answers == [
        "http://testserver/sign-in",
        "http://testserver/sign-in?next=https%3A//app.shop.example/cart%3Fx%3D1",
    ]


@pytest.mark.parametrize("url", [*UNSAFE[:3], UNSAFE[9], UNSAFE[12], "/sign-out", *SAFE[:4]])
def test_every_redirect_checks_next(browser: Browser, witness: Witness, reader: Any, settings: Any, url: str) -> None:
    settings.ALLOWED_HOSTS = ["testserver", "other.example"]
    expected = quote(url, safe="/#%[]=:;$&()+,!?*@'~") if url in SAFE else "/"
    response = browser.sign_in("reader", next_url=url)
    witness.sees_signed_in(response)
    assert response["Location"] == expected
    # The sign-in view redirects a signed-in user directly.
    assert browser.client.get("/sign-in", {"next": url})["Location"] == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://testserver/account/claims", "/"),
        ("https://testserver/account/claims", "https://testserver/account/claims"),
        ("//testserver/account/claims", "/"),
    ],
    ids=["http-on-an-https-site", "https", "no-scheme"],
)
def test_https_site_refuses_http_next(
    browser: Browser, logto: Emulator, reader: Any, settings: Any, url: str, expected: str
) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    application = logto.tenant.applications[settings.LOGTO_APP_ID]
    application.redirect_uris.append("https://testserver/callback")
    browser = Browser(logto, Client(headers={"X-Forwarded-Proto": "https", "Host": "testserver"}))
    assert browser.sign_in("reader", next_url=url)["Location"] == expected


@pytest.mark.parametrize("url", [UNSAFE[0], UNSAFE[9], UNSAFE[18]])
def test_try_again_link_refuses_unsafe_next(browser: Browser, witness: Witness, url: str) -> None:
    page = witness.sees_refused(
        lambda: browser.client.get("/sign-in", {"next": url, "prompt": "create"}), "invalid_option", 400
    )
    assert b"evil.example" not in page.content
    assert b"javascript:" not in page.content


@pytest.mark.parametrize("name", ["redirect", "next", "post_logout_redirect_uri", "redirect_uri", "return_to", "home"])
@pytest.mark.parametrize("signed_in", [True, False], ids=["signed-in", "signed-out"])
def test_request_cannot_change_target_of_sign_out(
    browser: Browser, logto: Emulator, reader: Any, name: str, signed_in: bool
) -> None:
    if signed_in:
        browser.sign_in("reader")
    evil = {name: "https://evil.example/"}
    response = browser.client.post(f"/sign-out?{urlencode(evil)}", evil)
    assert response.status_code == 302
    assert final_host(response["Location"]) == urlsplit(logto.endpoint).netloc
    assert "evil" not in response["Location"]


@pytest.mark.parametrize("name", ["redirect", "redirect_uri", "return_to", "url", "post_logout_redirect_uri", "iss"])
def test_callback_parameters_do_not_change_next(browser: Browser, witness: Witness, reader: Any, name: str) -> None:
    url = browser.logto.sign_in(browser.start("/account/claims"), "reader")
    extra = urlencode({name: "https://evil.example/"})
    if name == "iss":
        witness.sees_refused(lambda: browser.open(f"{url}&{extra}"), "callback_invalid", 400)
    else:
        assert browser.open(f"{url}&{extra}")["Location"] == "/account/claims"


def test_repeated_next_is_checked(browser: Browser, reader: Any) -> None:
    browser.sign_in("reader")
    for query in ("next=/account/claims&next=//evil.example", "next=//evil.example&next=/account/claims"):
        assert browser.client.get(f"/sign-in?{query}")["Location"] in ("/", "/account/claims")


@pytest.mark.parametrize("url", [UNSAFE[0], UNSAFE[9]])
def test_admin_sign_in_refuses_unsafe_next(browser: Browser, logto: Emulator, settings: Any, url: str) -> None:
    settings.LOGTO_STAFF_ROLES = ["admin"]
    logto.tenant.add_role("admin")
    logto.tenant.add_user(username="admin", roles=["admin"])
    assert final_host(browser.client.get("/admin/login/", {"next": url})["Location"]) == "testserver"
    assert browser.sign_in("admin", next_url="/admin/").status_code == 302
    assert browser.client.get("/admin/login/", {"next": url})["Location"] == "/"


def test_redirects_after_forms_have_status_302(browser: Browser, reader: Any) -> None:
    assert browser.sign_in("reader").status_code == 302
    assert browser.client.post("/sign-out").status_code == 302
