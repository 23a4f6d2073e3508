"""The browsable API of REST framework: its links sign in and out at Logto."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import include, path
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from logto_auth.contrib.rest_framework import HasScope, LogtoAuthentication
from logto_auth.emulator import Emulator
from logto_auth.testing import Browser

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site"), pytest.mark.urls(__name__)]


class Books(APIView):
    authentication_classes = [LogtoAuthentication, SessionAuthentication]
    permission_classes = [IsAuthenticated]

    def get(self, request: Request) -> Response:
        return Response({"user": str(request.user)})


class MoreBooks(Books):
    permission_classes = [HasScope("read:books")]


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("", lambda request: HttpResponse("home")),
    path("api/books/", Books.as_view()),
    path("api/more-books/", MoreBooks.as_view()),
    path("api-auth/", include("logto_auth.contrib.rest_framework_urls")),
]


@pytest.fixture(autouse=True)
def browsable(settings: Any) -> None:
    settings.INSTALLED_APPS = list(dict.fromkeys([*settings.INSTALLED_APPS, "rest_framework"]))


def page(client: Client) -> Any:
    return client.get("/api/books/", headers={"Accept": "text/html"})


def test_log_in_link_leads_to_logto_and_back(logto: Emulator) -> None:
    browser = Browser(logto)
    links = re.findall(r"<a href='([^']+)'>Log in</a>", page(browser.client).content.decode())
    assert links == ["/api-auth/login/?next=/api/books/"]
    answer = browser.open(browser.logto.sign_in(browser.client.get(links[0])["Location"], "editor"))
    assert (answer.status_code, answer["Location"]) == (302, "/api/books/")
    assert page(browser.client).status_code == 200


def test_log_out_form_signs_out_at_logto(logto: Emulator) -> None:
    browser = Browser(logto, client=Client(enforce_csrf_checks=True))
    browser.sign_in("editor")
    form = re.search(r'<form id="logoutForm" method="post" action="([^"]+)">(.*?)</form>', page_text(browser), re.S)
    assert form is not None
    token = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', form[2])[0]
    answer = browser.client.post(form[1], {"csrfmiddlewaretoken": token})
    assert answer.status_code == 302
    assert urlsplit(answer["Location"]).path == "/oidc/session/end"
    assert page(browser.client).status_code == 401
    assert browser.client.post(form[1]).status_code == 403


def test_missing_permission_of_a_session_is_not_about_a_token(logto: Emulator) -> None:
    browser = Browser(logto)
    browser.sign_in("customer")
    answer = browser.client.get("/api/more-books/")
    assert answer.status_code == 403
    assert answer.json()["detail"] == "You need the permission read:books."


def page_text(browser: Browser) -> str:
    return str(page(browser.client).content.decode())
