"""A permission that the user got after the sign-in: the 403 offers a new sign-in, which adds it."""

from __future__ import annotations

import asyncio
import re
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient
from django.urls import include, path
from django.views.generic import View

from logto_auth.decorators import scope_required
from logto_auth.emulator import Emulator
from logto_auth.mixins import ScopeRequiredMixin
from logto_auth.models import LogtoSession
from logto_auth.testing import Browser
from tests.ageing import age
from tests.rights import ask_for_rights, set_up

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

RENEW = re.compile(r'href="(/sign-in\?prompt=consent[^"]*)"')


class Books(ScopeRequiredMixin, View):
    scopes_required = ["write:books"]

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("books")


def books(request: HttpRequest) -> HttpResponse:
    return HttpResponse("books")


async def async_books(request: HttpRequest) -> HttpResponse:
    return HttpResponse("books")


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("function/", scope_required("write:books")(books)),
    path("async/", scope_required("write:books")(async_books)),
    path("class/", Books.as_view()),
    path("permission/", permission_required("logto.write:books")(books)),
]


@pytest.fixture
def reader(browser: Browser, logto: Emulator, settings: Any) -> Browser:
    """A reader who signed in two minutes ago, and has become an editor since."""
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": []}]
    set_up(logto)
    ask_for_rights(settings)
    browser.sign_in("reader")
    logto.tenant.update_user("reader000001", roles=["editor"])
    age(browser, 120)
    return browser


def offered(response: Any) -> str:
    """Return the URL of the new sign-in on the page; "" if there is none."""
    assert response.status_code == 403
    found = RENEW.search(response.content.decode())
    return unescape(found[1]) if found else ""


@pytest.mark.parametrize("url", ["/function/", "/async/", "/class/", "/permission/"])
def test_new_sign_in_adds_permission_without_page_of_logto(reader: Browser, logto: Emulator, url: str) -> None:
    reader.client.get("/account/claims")
    age(reader, 3600)  # a refresh does not add it
    renew = offered(reader.client.get(url))
    callback = reader.logto.sign_in(reader.client.get(renew)["Location"])
    assert reader.open(callback)["Location"] == url
    assert reader.client.get(url).content == b"books"


@pytest.mark.parametrize("url", ["/function/", "/permission/"])
def test_sign_in_is_not_offered_again_at_once(reader: Browser, logto: Emulator, url: str) -> None:
    logto.tenant.update_user("reader000001", roles=["reader"])
    renew = offered(reader.client.get(url))
    reader.open(reader.logto.sign_in(reader.client.get(renew)["Location"]))
    assert offered(reader.client.get(url)) == ""
    age(reader, 61)
    assert offered(reader.client.get(url)) == renew


@pytest.mark.parametrize("url", ["/function/", "/permission/"])
def test_script_gets_url_of_new_sign_in(reader: Browser, url: str) -> None:
    headers = {"Sec-Fetch-Mode": "cors", "Referer": "http://testserver/shelf/"}
    body = reader.client.get(url, headers=headers).json()
    assert body["sign_in_url"] == "http://testserver/sign-in?prompt=consent&next=/shelf/"
    LogtoSession.objects.update(started_at=LogtoSession.objects.get().started_at + 120)
    assert "sign_in_url" not in reader.client.get(url, headers=headers).json()


def test_sign_in_needs_prompt_among_options_of_urls(reader: Browser, settings: Any) -> None:
    settings.LOGTO_SIGN_IN_QUERY_PARAMETERS = ("max_age",)
    assert offered(reader.client.get("/function/")) == ""


def test_user_without_logto_is_offered_nothing(reader: Browser, django_user_model: Any) -> None:
    user = django_user_model.objects.create_user("local")
    reader.client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    assert offered(reader.client.get("/function/")) == ""


@pytest.mark.django_db(transaction=True)
def test_async_site_offers_new_sign_in(reader: Browser) -> None:
    client = AsyncClient()
    client.cookies = reader.client.cookies

    async def visit() -> Any:
        return await client.get("/permission/")

    assert urlsplit(offered(asyncio.run(visit()))).path == "/sign-in"
