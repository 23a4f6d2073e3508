"""Views that require a sign-in: the responses to pages, scripts and users without permission."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.urls import include, path

from logto_auth.emulator import Emulator
from logto_auth.sessions.principal import LogtoHttpRequest
from logto_auth.testing import Browser

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


@pytest.fixture(autouse=True)
def plain_site(settings) -> None:
    """A site without templates of its own."""
    settings.TEMPLATES = [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
        }
    ]


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"hello {request.user}")


async def async_page(request: HttpRequest) -> HttpResponse:
    user = await request.auser()
    return HttpResponse(f"hello {user}")


async def async_claims(request: LogtoHttpRequest) -> HttpResponse:
    logto = await request.logto.aload()
    return HttpResponse(f"{logto.is_authenticated} {logto.claims.get('username')}")


urlpatterns = [
    path("claims-async/", async_claims),
    path("", include("logto_auth.urls")),
    path("", page),
    path("open/", page),
    path("private/", login_required(page)),
    path("private-async/", login_required(async_page)),
    path("editors/", permission_required("auth.change_user")(page)),
]


def test_page_redirects_to_sign_in_and_back(browser: Browser, logto: Emulator) -> None:
    logto.tenant.add_user(username="reader")
    response = browser.client.get("/private/?page=2")
    assert response["Location"] == "/sign-in?next=/private/%3Fpage%3D2"
    callback = browser.logto.sign_in(browser.client.get(response["Location"])["Location"], "reader")
    assert browser.client.get(browser.open(callback)["Location"]).content == b"hello reader"


def test_login_required_middleware_leaves_sign_in_views_open(browser: Browser, logto: Emulator, settings) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
    logto.tenant.add_user(username="reader")
    client = Browser(logto, Client())
    assert client.client.get("/open/")["Location"] == "/sign-in?next=/open/"
    assert client.sign_in("reader", next_url="/open/")["Location"] == "/open/"
    assert client.client.get("/open/").status_code == 200
    assert client.client.post("/sign-out").status_code == 302
    assert Client().get("/callback").status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"HX-Request": "true"},
        {"X-Requested-With": "XMLHttpRequest"},
        {"Sec-Fetch-Mode": "cors"},
        {"Accept": "application/json"},
    ],
    ids=["htmx", "jquery", "fetch", "json"],
)
def test_script_gets_401_with_sign_in_url(client: Client, headers: dict[str, str]) -> None:
    response = client.get("/private/", headers={**headers, "Referer": "http://testserver/shelf/?page=3"})
    assert response.status_code == 401
    url = "http://testserver/sign-in?next=/shelf/%3Fpage%3D3"
    assert response.json() == {"error": "sign_in_required", "sign_in_url": url}
    assert url in response["WWW-Authenticate"]
    assert response.headers.get("HX-Redirect") == (url if "HX-Request" in headers else None)


def test_foreign_referring_page_is_ignored(client: Client) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "https://evil.example/"}
    assert client.get("/private/", headers=headers).json()["sign_in_url"] == "http://testserver/sign-in"


def test_user_without_permission_gets_403_and_no_loop(browser: Browser, logto: Emulator) -> None:
    logto.tenant.add_user(username="reader")
    browser.sign_in("reader")
    response = browser.client.get("/editors/")
    assert response.status_code == 403
    assert "prompt=login" in response.content.decode()
    assert browser.client.get("/editors/", headers={"HX-Request": "true"}).json() == {"error": "forbidden"}


def test_middleware_works_under_asgi(logto: Emulator) -> None:
    @async_to_sync
    async def answers() -> tuple[HttpResponse, HttpResponse, HttpResponse]:
        client = AsyncClient()
        return (
            await client.get("/private-async/"),
            await client.get("/private-async/", headers={"HX-Request": "true"}),
            await client.get("/sign-in"),
        )

    page, script, start = answers()
    assert page["Location"] == "/sign-in?next=/private-async/"
    assert script.status_code == 401
    assert start["Location"].startswith(logto.endpoint)


def test_async_view_reads_claims_after_aload(browser: Browser, logto: Emulator) -> None:
    logto.tenant.add_user(username="reader")
    browser.sign_in("reader")
    client = AsyncClient()
    client.cookies = browser.client.cookies
    assert async_to_sync(client.get)("/claims-async/").content == b"True reader"
    assert async_to_sync(AsyncClient().get)("/claims-async/").content == b"False None"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Dest": "image", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "cross-site"},
    ],
    ids=["image", "frame"],
)
def test_sign_in_starts_only_by_navigation(client: Client, headers: dict[str, str]) -> None:
    response = client.get("/sign-in", headers=headers)
    assert response.status_code == 403
    assert not any(name.startswith("logto_") for name in response.cookies)


def test_link_from_another_site_leads_to_sign_in(client: Client, logto) -> None:
    headers = {"Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "cross-site"}
    assert client.get("/sign-in?next=/private/", headers=headers).status_code == 302


# The page after a sign-in


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_form_returns_to_its_page(client: Client, method: str) -> None:
    response = getattr(client, method)("/private/", headers={"Referer": "http://testserver/open/?row=3"})
    assert (response.status_code, response["Location"]) == (302, "/sign-in?next=/open/%3Frow%3D3")


@pytest.mark.parametrize("referring_page", ["", "https://evil.example/", "http://testserver/sign-out"])
def test_form_of_unknown_page_returns_to_default(client: Client, referring_page: str) -> None:
    assert client.post("/private/", headers={"Referer": referring_page})["Location"] == "/sign-in"


def test_form_of_ended_session_returns_to_its_page(browser: Browser, logto: Emulator, settings) -> None:
    settings.LOGTO_FRESHNESS_SECONDS = 0
    logto.tenant.add_user(username="reader", id="reader000001")
    browser.sign_in("reader")
    logto.tenant.suspend_user("reader000001")
    response = browser.client.post("/private/", headers={"Referer": "http://testserver/open/"})
    assert response.status_code == 401
    assert 'href="/sign-in?next=/open/"' in response.content.decode()


def test_boosted_link_returns_to_requested_page(client: Client) -> None:
    headers = {"HX-Request": "true", "HX-Boosted": "true", "HX-Current-URL": "http://testserver/open/"}
    response = client.get("/private/?page=2", headers=headers)
    assert response["HX-Redirect"] == "http://testserver/sign-in?next=/private/%3Fpage%3D2"
    assert client.post("/private/", headers=headers)["HX-Redirect"] == "http://testserver/sign-in?next=/open/"


# Turbo and Unpoly

LIBRARIES = pytest.mark.parametrize(
    "library",
    [
        {"X-Turbo-Request-Id": "1", "Accept": "text/html, application/xhtml+xml"},
        {"X-Up-Version": "3.14.3", "Accept": "*/*"},
    ],
    ids=["turbo", "unpoly"],
)


@LIBRARIES
def test_library_gets_page_that_leads_to_sign_in(client: Client, library: dict[str, str]) -> None:
    headers = {**library, "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
    redirect = client.get("/private/?page=2", headers=headers)
    assert (redirect.status_code, redirect["Location"]) == (302, "/sign-in?next=/private/%3Fpage%3D2")
    page = client.get(redirect["Location"], headers=headers)
    assert page.status_code == 200
    assert 'href="/sign-in?next=/private/%3Fpage%3D2"' in page.content.decode()
    assert '<meta name="turbo-visit-control" content="reload">' in page.content.decode()
    assert not page.cookies


def test_turbo_frame_returns_to_page_that_contains_it(client: Client) -> None:
    headers = {"X-Turbo-Request-Id": "1", "Turbo-Frame": "part", "Referer": "http://testserver/open/"}
    assert client.get("/private/", headers=headers)["Location"] == "/sign-in?next=/open/"


@LIBRARIES
def test_library_gets_403_page(browser: Browser, logto: Emulator, library: dict[str, str]) -> None:
    logto.tenant.add_user(username="reader")
    browser.sign_in("reader")
    response = browser.client.get("/editors/", headers={**library, "Sec-Fetch-Mode": "cors"})
    assert response.status_code == 403
    assert "You are signed in as" in response.content.decode()


def test_forbidden_boosted_link_is_opened_as_page(browser: Browser, logto: Emulator) -> None:
    logto.tenant.add_user(username="reader")
    browser.sign_in("reader")
    headers = {"HX-Request": "true", "HX-Boosted": "true"}
    response = browser.client.get("/editors/?page=2", headers=headers)
    assert (response.status_code, response["HX-Redirect"]) == (403, "/editors/?page=2")


def test_401_and_403_are_not_cached_or_framed(browser: Browser, logto: Emulator, settings) -> None:
    settings.LOGTO_FRESHNESS_SECONDS = 0
    logto.tenant.add_user(username="reader", id="reader000001")
    browser.sign_in("reader")
    forbidden, json = (browser.client.get("/editors/", headers=headers) for headers in ({}, {"HX-Request": "true"}))
    logto.tenant.suspend_user("reader000001")
    for response in (forbidden, json, browser.client.post("/private/")):
        assert response.status_code in (401, 403)
        assert response["Cache-Control"] == "no-store"
        assert response["X-Frame-Options"] == "DENY"


# Signing out


def test_script_gets_url_of_sign_out(browser: Browser, logto: Emulator) -> None:
    logto.tenant.add_user(username="reader")
    for headers in ({"Sec-Fetch-Mode": "cors"}, {"HX-Request": "true"}):
        browser.sign_in("reader")
        response = browser.client.post("/sign-out", headers=headers)
        url = response.json()["sign_out_url"]
        assert response.headers.get("HX-Redirect") == (url if "HX-Request" in headers else None)
        assert urlsplit(browser.logto.sign_out(url)).path == "/"
