"""`request.logto` is one object per request, read once, and never describes another session than the request's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.test.utils import CaptureQueriesContext
from django.urls import include, path

from logto_auth.decorators import organization_role_required, role_required
from logto_auth.emulator import Emulator
from logto_auth.testing import Browser
from tests.rights import HARBOUR, ask_for_rights, set_up

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

ROLE_TAGS = "{% load logto %}" + '{% logto_has_role "editor" %}' * 4
ORGANIZATION_TAGS = "{% load logto %}" + '{% logto_has_organization_role "manager" %}' * 4


@role_required("editor")
def editors(request: HttpRequest) -> HttpResponse:
    return render(request, "role_tags.html", {"roles": request.logto.roles})


@organization_role_required("manager")
def managers(request: HttpRequest, organization_id: str) -> HttpResponse:
    return render(request, "organization_tags.html", {"roles": request.logto.roles})


def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{request.user}")


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("plain/", plain),
    path("editors/", editors),
    path("branches/<slug:organization_id>/managers/", managers),
]


@pytest.fixture(autouse=True)
def site(logto: Emulator, settings: Any) -> None:
    """A site whose templates use four tags each."""
    set_up(logto)
    ask_for_rights(settings)
    templates = {"role_tags.html": ROLE_TAGS, "organization_tags.html": ORGANIZATION_TAGS}
    loaders = [
        ("django.template.loaders.locmem.Loader", templates),
        "django.template.loaders.app_directories.Loader",
    ]
    settings.TEMPLATES = [
        {"BACKEND": "django.template.backends.django.DjangoTemplates", "OPTIONS": {"loaders": loaders}}
    ]


@pytest.fixture
def editor(browser: Browser) -> Browser:
    browser.sign_in("editor")
    return browser


def reads(page: Callable[[], Any]) -> tuple[int, int]:
    """Return how many queries `page` needs, and how many of them read a `LogtoSession`."""
    with CaptureQueriesContext(connection) as queries:
        assert page().status_code == 200
    return len(queries), sum("logto_auth_logtosession" in query["sql"] for query in queries)


@pytest.mark.parametrize("url", ["/editors/", f"/branches/{HARBOUR}/managers/"], ids=["roles", "organization-roles"])
def test_decorator_and_four_tags_read_session_once(editor: Browser, url: str) -> None:
    without, _ = reads(lambda: editor.client.get("/plain/"))
    assert reads(lambda: editor.client.get(url)) == (without + 1, 1)
