"""`request.logto` is one object per request, read once, and never describes another session than the request's."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model, login, logout
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import include, path

from logto_auth.access import Principal, Requirement
from logto_auth.context_processors import logto as logto_context
from logto_auth.decorators import organization_role_required, role_required
from logto_auth.emulator import Emulator
from logto_auth.models import LogtoSession
from logto_auth.sessions import SessionPrincipal
from logto_auth.sessions.principal import request_principal, session_principal
from logto_auth.testing import Browser
from tests.ageing import age
from tests.rights import API, HARBOUR, HILL, ask_for_rights, set_up

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
User = get_user_model()

ROLE_TAGS = "{% load logto %}" + '{% logto_has_role "editor" %}' * 4
ORGANIZATION_TAGS = "{% load logto %}" + '{% logto_has_organization_role "manager" %}' * 4
# What the view of the test does with its request.
steps: list[Callable[[HttpRequest], Any]] = []


@role_required("editor")
def editors(request: HttpRequest) -> HttpResponse:
    return render(request, "role_tags.html", {"roles": request.logto.roles})


@organization_role_required("manager")
def managers(request: HttpRequest, organization_id: str) -> HttpResponse:
    return render(request, "organization_tags.html", {"roles": request.logto.roles})


def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{request.user}")


def run_steps(request: HttpRequest) -> HttpResponse:
    for step in steps:
        step(request)
    return HttpResponse()


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("plain/", plain),
    path("steps/", run_steps),
    path("editors/", editors),
    path("branches/<slug:organization_id>/managers/", managers),
]


@pytest.fixture(autouse=True)
def site(logto: Emulator, settings: Any) -> Any:
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
    yield
    steps.clear()


@pytest.fixture
def editor(browser: Browser) -> Browser:
    browser.sign_in("editor")
    return browser


def visit(client: Client, *todo: Callable[[HttpRequest], Any]) -> None:
    """Run `todo` in a view."""
    steps[:] = todo
    assert client.get("/steps/").status_code == 200


def reads(page: Callable[[], Any]) -> tuple[int, int]:
    """Return how many queries `page` needs, and how many of them read a `LogtoSession`."""
    with CaptureQueriesContext(connection) as queries:
        assert page().status_code == 200
    return len(queries), sum("logto_auth_logtosession" in query["sql"] for query in queries)


# One object, one read


@pytest.mark.parametrize("url", ["/editors/", f"/branches/{HARBOUR}/managers/"], ids=["roles", "organization-roles"])
def test_decorator_and_four_tags_read_session_once(editor: Browser, url: str) -> None:
    without, _ = reads(lambda: editor.client.get("/plain/"))
    assert reads(lambda: editor.client.get(url)) == (without, 1)


def test_signed_in_page_makes_three_reads(editor: Browser) -> None:
    """Django's session, the user, and the row."""
    assert reads(lambda: editor.client.get("/plain/")) == (3, 1)


def test_all_accessors_return_the_same_object(editor: Browser) -> None:
    def check(request: HttpRequest) -> None:
        principal = request.logto
        assert isinstance(principal, SessionPrincipal)
        assert request_principal(request) is session_principal(request) is principal
        assert logto_context(request)["logto"] is principal

    visit(editor.client, check)


def test_request_without_middleware_gets_one_principal(rf: RequestFactory) -> None:
    request = rf.get("/")
    principal = request_principal(request)
    assert request.logto is principal is session_principal(request)
    assert not principal.is_authenticated
    assert (dict(principal.claims), principal.roles, principal.organization_roles) == ({}, (), ())


def test_middleware_keeps_a_principal_that_was_made_earlier(editor: Browser, settings: Any) -> None:
    client = with_middleware(settings, "early_middleware", editor)
    seen: list[bool] = []
    visit(client, lambda request: seen.append(request.early is request.logto))
    assert seen == [True]


def with_middleware(settings: Any, name: str, browser: Browser) -> Client:
    """Return a client with the cookies of `browser`, for a site with this middleware before `LogtoMiddleware`."""
    index = settings.MIDDLEWARE.index("logto_auth.middleware.LogtoMiddleware")
    settings.MIDDLEWARE = [*settings.MIDDLEWARE[:index], f"{__name__}.{name}", *settings.MIDDLEWARE[index:]]
    client = Client()
    client.cookies = browser.client.cookies
    return client


def early_middleware(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Make the principal, and read it, before `LogtoMiddleware`."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.early = request_principal(request)
        request.early_roles = request.early.roles
        return get_response(request)

    return middleware


def test_requirement_is_met_by_the_principal_itself(editor: Browser) -> None:
    def check(request: HttpRequest) -> None:
        principal: Principal = request.logto
        assert Requirement(roles=("editor",)).missing_from(principal) is None
        assert Requirement(roles=("admin",)).missing_from(principal) is not None

    visit(editor.client, check)


# Never stale


def test_refresh_within_request_shows_new_claims(editor: Browser, logto: Emulator) -> None:
    def check(request: HttpRequest) -> None:
        assert request.logto.roles == ("editor",)
        logto.tenant.update_user("editor000001", roles=["reader"])
        request.logto.access_token(API)
        assert request.logto.roles == ("reader",)
        assert request.logto.claims["roles"] == ["reader"]

    visit(editor.client, check)


@pytest.mark.parametrize("is_modified", [False, True])
def test_revalidation_shows_new_claims_to_earlier_middleware(
    editor: Browser, logto: Emulator, settings: Any, is_modified: bool
) -> None:
    client = with_middleware(settings, "modifying_middleware" if is_modified else "early_middleware", editor)
    logto.tenant.update_user("editor000001", roles=["reader"])
    age(editor)
    seen: list[Any] = []
    visit(client, lambda request: seen.append((request.early_roles, request.logto.roles)))
    assert seen == [(("editor",), ("reader",))]


def modifying_middleware(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Also change the session, which keeps it from being read again."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.session["seen"] = True
        return early_middleware(get_response)(request)

    return middleware


def test_logout_within_request_leaves_no_claims(editor: Browser) -> None:
    def check(request: HttpRequest) -> None:
        principal = request.logto
        assert principal.sub == "editor000001"
        assert principal.organizations
        logout(request)
        assert not principal.is_authenticated
        assert (principal.sub, principal.roles, principal.organizations, principal.sessions) == (None, (), (), ())
        assert principal.permissions(API) == frozenset()

    visit(editor.client, check)


def test_login_within_request_leaves_no_claims(editor: Browser) -> None:
    local = User.objects.create_user("local")

    def check(request: HttpRequest) -> None:
        assert request.logto.roles == ("editor",)
        login(request, local, backend="django.contrib.auth.backends.ModelBackend")
        assert not request.logto.is_authenticated
        assert (dict(request.logto.claims), request.logto.roles) == ({}, ())

    visit(editor.client, check)


def test_replaced_session_shows_its_own_claims(editor: Browser, logto: Emulator) -> None:
    other = Browser(logto)
    other.sign_in("reader")
    key = other.client.session.session_key

    def check(request: HttpRequest) -> None:
        assert request.logto.sub == "editor000001"
        request.session = type(request.session)(key)
        assert request.logto.sub is None, "the user of the request is not that of the session"
        request.user = User.objects.get(username="reader")
        assert request.logto.sub == "reader000001"
        assert request.logto.roles == ("reader",)

    visit(editor.client, check)


def test_user_info_is_not_kept_for_another_session(editor: Browser, logto: Emulator) -> None:
    other = Browser(logto)
    other.sign_in("reader")
    key = other.client.session.session_key

    def check(request: HttpRequest) -> None:
        assert request.logto.user_info()["sub"] == "editor000001"
        request.session, request.user = type(request.session)(key), User.objects.get(username="reader")
        assert request.logto.user_info()["sub"] == "reader000001"

    visit(editor.client, check)


def test_chosen_organization_is_current_at_once(editor: Browser) -> None:
    def check(request: HttpRequest) -> None:
        assert request.logto.organization is None
        for organization_id, roles in ((HARBOUR, ("manager",)), (HILL, ("staff",))):
            request.logto.choose_organization(organization_id)
            assert request.logto.organization.id == request.logto.organization_id == organization_id
            assert request.logto.organization_roles == request.logto.organization.roles == roles

    visit(editor.client, check)


def test_organization_of_the_url_is_looked_up_once(editor: Browser, settings: Any) -> None:
    settings.LOGTO_ORGANIZATION_FROM = f"{__name__}.organization_from"
    organization_calls.clear()
    visit(editor.client, *[lambda request: request.logto.organization_id] * 3)
    assert organization_calls.count("/steps/") == 1


organization_calls: list[str] = []


def organization_from(request: HttpRequest) -> str | None:
    organization_calls.append(request.path)
    return None


def test_ended_row_leaves_no_claims_after_forgetting(editor: Browser) -> None:
    def check(request: HttpRequest) -> None:
        assert request.logto.roles == ("editor",)
        LogtoSession.objects.all().delete()
        assert request.logto.roles == ("editor",), "read once per request"
        request.logto.forget()
        assert request.logto.roles == ()

    visit(editor.client, check)


# Copies of requests, and organizations that change within a request


def test_copied_request_has_its_own_principal(editor: Browser) -> None:
    seen: list[Any] = []

    def copy_request(request: HttpRequest) -> None:
        assert request.logto.roles
        other = copy.copy(request)
        other.session, other.user = SessionStore(), User.objects.create_user("password-user")
        seen.extend([session_principal(other).roles, editors(other).status_code, request.logto.roles])

    visit(editor.client, copy_request)
    assert seen == [(), 403, ("editor",)]


def organization_of_request(request: HttpRequest) -> str | None:
    return getattr(request, "branch", None)


def test_requirement_uses_the_organization_of_that_moment(editor: Browser, settings: Any) -> None:
    settings.LOGTO_ORGANIZATION_FROM = f"{__name__}.organization_of_request"
    statuses: list[int] = []

    def select(request: HttpRequest) -> None:
        for branch in (HARBOUR, HILL, None):
            # As by code that looks at the principal before a decorator selects the organization.
            assert request.logto.organization_id is None or request.logto.organization_roles is not None
            request.branch = branch  # type: ignore[attr-defined]
            statuses.append(managers(request, organization_id="").status_code)

    visit(editor.client, select)
    assert statuses == [200, 403, 403]


def test_templates_and_managers_cannot_end_sessions(editor: Browser) -> None:
    identity = LogtoSession.objects.get().identity
    template = Template("{{ identity.sessions.end }}{{ identity.sessions.all.end }}")
    assert template.render(Context({"identity": identity})) == ""
    assert LogtoSession.objects.count() == 1
    assert not hasattr(LogtoSession.objects, "end")
