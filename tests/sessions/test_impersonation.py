"""Staff who act as another user: by packages that replace the user of the session, and by those that swap it."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model, login
from django.contrib.auth.models import Permission
from django.http import HttpRequest, HttpResponse
from django.template import Context, Template
from django.test import Client
from django.urls import include, path

from logto_auth.decorators import role_required
from logto_auth.emulator import Emulator
from logto_auth.models import LogtoSession
from logto_auth.sessions import keep_logto_session
from logto_auth.signals import session_ended
from logto_auth.testing import Browser
from tests.ageing import age
from tests.rights import API, ask_for_rights, set_up

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
User = get_user_model()


def who(request: HttpRequest) -> HttpResponse:
    principal = request.logto  # type: ignore[attr-defined]
    return HttpResponse(f"{request.user.get_username() or 'nobody'} {principal.sub}")


@role_required("editor")
def editors(request: HttpRequest) -> HttpResponse:
    return who(request)


def everything(request: HttpRequest) -> HttpResponse:
    """Try everything that `request.logto` gives."""
    principal = request.logto  # type: ignore[attr-defined]
    tags = Template('{% load logto %}{% logto_has_role "editor" %}').render(Context({"request": request}))
    found = [
        principal.is_authenticated,
        dict(principal.claims),
        principal.sub,
        principal.roles,
        principal.organizations,
        principal.organization,
        principal.scopes,
        principal.permissions(API),
        principal.sessions,
        principal.end_other_sessions().here,
        request.user.has_perm("logto.write:books"),
        tags == "True",
    ]
    return HttpResponse(str([each for each in found if each]))


def by_own_token(request: HttpRequest) -> HttpResponse:
    """Put an object in the place of the user, as a library for tokens may do."""
    request.user = SimpleNamespace(is_authenticated=True)
    return HttpResponse(str(request.logto.is_authenticated))  # type: ignore[attr-defined]


# As django-hijack does it


def acquire(request: HttpRequest, username: str) -> HttpResponse:
    login(request, User.objects.get(username=username), backend=request.session["_auth_user_backend"])
    if "keep" in request.GET:
        keep_logto_session(request)
    return who(request)


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("", who),
    path("editors", editors),
    path("everything", everything),
    path("by-own-token", by_own_token),
    path("acquire/<str:username>", acquire),
    path("release/<str:username>", acquire),
]


@pytest.fixture(autouse=True)
def site(logto: Emulator, settings: Any) -> None:
    set_up(logto)
    ask_for_rights(settings)


@pytest.fixture
def customer(logto: Emulator) -> Browser:
    customer = Browser(logto)
    customer.sign_in("reader")
    return customer


@pytest.fixture
def staff(browser: Browser, customer: Browser) -> Browser:
    browser.sign_in("editor")
    return browser


def page(browser: Browser, address: str = "/") -> str:
    return browser.client.get(address).content.decode()


def test_session_of_hijacker_is_restored_at_once(staff: Browser, logto: Emulator) -> None:
    row = LogtoSession.objects.get(user__username="editor")
    assert page(staff, "/acquire/reader?keep") == "reader None"
    assert page(staff) == "reader None"
    assert page(staff, "/everything") == "[]"
    assert page(staff, "/release/editor?keep") == "editor editor000001"
    assert page(staff) == "editor editor000001"
    assert LogtoSession.objects.get(user__username="editor") == row


def test_impersonation_within_impersonation_keeps_session(staff: Browser, logto: Emulator) -> None:
    User.objects.create_user("other")
    for username in ("reader", "other", "reader"):
        assert page(staff, f"/acquire/{username}?keep") == f"{username} None"
    assert page(staff, "/release/editor?keep") == "editor editor000001"


def test_session_does_not_describe_user_without_key(staff: Browser) -> None:
    assert page(staff, "/by-own-token") == "False"


@pytest.mark.parametrize("by", ["row", "suspension"])
def test_end_of_hijackers_session_ends_impersonation(staff: Browser, logto: Emulator, by: str) -> None:
    page(staff, "/acquire/reader?keep")
    if by == "row":
        LogtoSession.objects.filter(user__username="editor").end()
    else:
        logto.tenant.suspend_user("editor000001")
        age(staff)
    assert page(staff) == "nobody None"


def test_impersonation_is_not_ended_with_sessions_of_customer(staff: Browser, customer: Browser) -> None:
    page(staff, "/acquire/reader?keep")
    assert LogtoSession.objects.of_user(User.objects.get(username="reader")).end() == 1
    assert page(staff) == "reader None"
    assert page(customer) == "nobody None"


def test_impersonation_of_one_user_does_not_cover_another(staff: Browser) -> None:
    page(staff, "/acquire/reader?keep")
    session = staff.client.session
    session["_auth_user_id"] = str(User.objects.create_user("other").pk)
    session.save()
    assert page(staff).startswith("nobody")


def test_forgotten_session_of_hijacker_is_confirmed_later(staff: Browser) -> None:
    page(staff, "/acquire/reader")
    assert page(staff, "/release/editor") == "editor None"
    age(staff)
    staff.open(staff.logto.sign_in(staff.client.get("/")["Location"]))
    assert page(staff) == "editor editor000001"


def test_sign_out_while_impersonating_ends_both(staff: Browser) -> None:
    page(staff, "/acquire/reader?keep")
    staff.client.post("/sign-out")
    assert page(staff) == "nobody None"
    assert not LogtoSession.objects.filter(user__username="editor").exists()


# As django-impersonate does it


def impersonating(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Swap `request.user` for this request."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.GET.get("as"):
            request.user = User.objects.get(username=request.GET["as"])
        return get_response(request)

    return middleware


@pytest.fixture(params=["before", "after"])
def swapped(staff: Browser, settings: Any, request: pytest.FixtureRequest) -> Browser:
    """A browser of staff at a site whose middleware swaps the user, before or after `LogtoMiddleware`."""
    index = settings.MIDDLEWARE.index("logto_auth.middleware.LogtoMiddleware") + (request.param == "after")
    settings.MIDDLEWARE = [*settings.MIDDLEWARE[:index], f"{__name__}.impersonating", *settings.MIDDLEWARE[index:]]
    client = Client()
    client.cookies = staff.client.cookies
    staff.client = client
    return staff


def test_swapped_user_has_nothing_of_the_session(swapped: Browser, customer: Browser) -> None:
    User.objects.get(username="reader").user_permissions.add(Permission.objects.first())
    assert page(swapped, "/?as=reader") == "reader None"
    assert page(swapped, "/everything?as=reader") == "[]"
    assert swapped.client.get("/editors?as=reader", headers={"Sec-Fetch-Mode": "cors"}).status_code == 403
    assert page(customer) == "reader reader000001", "no session of the customer has ended"


def test_sign_out_others_as_swapped_user_ends_nothing(swapped: Browser, customer: Browser) -> None:
    swapped.client.post("/sign-out-others?as=reader")
    assert LogtoSession.objects.count() == 2


def test_own_user_has_the_session_again(swapped: Browser) -> None:
    page(swapped, "/?as=reader")
    assert page(swapped, "/editors") == "editor editor000001"


def test_swapped_session_ends_with_its_row(swapped: Browser, logto: Emulator) -> None:
    ended: list[str] = []

    def note(user: Any, **kwargs: object) -> None:
        ended.append(user.get_username())

    session_ended.connect(note)
    logto.tenant.suspend_user("editor000001")
    age(swapped)
    page(swapped, "/?as=reader")
    session_ended.disconnect(note)
    assert ended == ["editor"]
    assert page(swapped) == "nobody None"
