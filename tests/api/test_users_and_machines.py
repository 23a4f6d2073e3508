"""The accounts of access tokens, by issuer and `sub`, and machines, which have none."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import AnonymousUser, Permission
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path
from django.utils.decorators import method_decorator
from django.views.generic import View

from logto_auth.api.authentication import Machine
from logto_auth.decorators import access_token_required
from logto_auth.emulator import Emulator
from logto_auth.mixins import AccessTokenRequiredMixin
from logto_auth.models import LogtoIdentity, OrganizationMembership
from logto_auth.signals import user_created, user_updated
from tests.rights import API, HARBOUR

from .callers import App, Robot, call, has_been_here

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site"), pytest.mark.urls(__name__)]
User = get_user_model()


@access_token_required()
def who(request: HttpRequest) -> JsonResponse:
    user = request.user
    return JsonResponse(
        {
            "pk": user.pk,
            "username": user.username,
            "is_authenticated": user.is_authenticated,
            "is_user": isinstance(user, User),
            "is_staff": user.is_staff,
            "roles": request.logto.roles,
            "permissions": {name: user.has_perm(name) for name in ("logto.read:books", "logto.write:books")},
            "all": sorted(user.get_all_permissions()),
        }
    )


@access_token_required("read:books")
def name(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.user.username)


@access_token_required()
async def who_async(request: HttpRequest) -> JsonResponse:
    user = await request.auser()
    names = ("logto.read:books", "logto.write:books", "auth.change_user")
    return JsonResponse({name: await user.ahas_perm(name) for name in names})


@method_decorator(permission_required("logto.write:books", raise_exception=True), name="get")
class Write(AccessTokenRequiredMixin, View):
    def get(self, request: HttpRequest) -> JsonResponse:
        return JsonResponse({})


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("who/", who),
    path("name/", name),
    path("who-async/", who_async),
    path("write/", Write.as_view()),
]


# Users


def test_token_finds_the_existing_account(logto: Emulator, app: App) -> None:
    has_been_here(logto, "editor")
    user = User.objects.get()
    answer = call("/who/", app.token("editor", resource=API)).json()
    assert (answer["pk"], answer["username"], answer["is_user"]) == (user.pk, "editor", True)
    assert answer["roles"] == ["editor"]


def test_call_of_known_user_is_two_queries(logto: Emulator, app: App, django_assert_num_queries: Any) -> None:
    has_been_here(logto, "editor")
    token = app.token("editor", resource=API)
    for _ in range(2):
        with django_assert_num_queries(2):
            assert call("/name/", token).content == b"editor"


@pytest.fixture
def signalled() -> Any:
    """The names of the account signals that are sent."""
    names: list[str] = []

    def created(**kwargs: Any) -> None:
        names.append("created")

    def updated(**kwargs: Any) -> None:
        names.append("updated")

    user_created.connect(created)
    user_updated.connect(updated)
    yield names
    user_created.disconnect(created)
    user_updated.disconnect(updated)


def test_first_call_creates_account_if_enabled(app: App, settings, signalled: list[str]) -> None:
    settings.LOGTO_API_CREATE_USERS, settings.LOGTO_CREATE_USERS = True, False
    token = app.token("customer", resource=API)
    first, second = call("/who/", token).json(), call("/who/", token).json()
    user = User.objects.get()
    assert first == second
    assert (first["pk"], first["username"]) == (user.pk, "customer000001")
    assert not user.has_usable_password()
    assert (user.is_staff, user.is_superuser, user.email) == (False, False, "")
    assert signalled == ["created"]


def test_later_sign_in_fills_the_account(logto: Emulator, app: App, settings, signalled: list[str]) -> None:
    settings.LOGTO_API_CREATE_USERS = True
    assert call("/who/", app.token("editor", resource=API)).json()["roles"] == []
    has_been_here(logto, "editor")
    user = User.objects.get()
    assert (user.first_name, user.username) == ("Editor", "editor000001")
    assert call("/who/", app.token("editor", resource=API)).json()["roles"] == ["editor"]
    assert signalled == ["created", "updated"]


def test_call_does_not_change_the_account(logto: Emulator, app: App, signalled: list[str]) -> None:
    """An access token contains no data of the user: missing claims must not clear fields."""
    has_been_here(logto, "editor")
    before = User.objects.values().get(), LogtoIdentity.objects.values().get()
    signalled.clear()
    for target in ({"resource": API}, {"resource": API, "organization_id": HARBOUR}):
        call("/who/", app.token("editor", **target))
    assert (User.objects.values().get(), LogtoIdentity.objects.values().get()) == before
    assert OrganizationMembership.objects.count() == 2
    assert signalled == []


def test_deactivated_account_is_not_recreated(logto: Emulator, app: App, settings) -> None:
    settings.LOGTO_API_CREATE_USERS = True
    has_been_here(logto, "editor")
    User.objects.update(is_active=False)
    assert call("/who/", app.token("editor", resource=API)).status_code == 401
    assert User.objects.count() == 1


def test_permissions_are_those_of_the_token(logto: Emulator, app: App) -> None:
    browser = has_been_here(logto, "editor")
    has_been_here(logto, "reader")
    answer = call("/who/", app.token("reader", resource=API), client=browser.client).json()
    assert answer["username"] == "reader"
    assert answer["permissions"] == {"logto.read:books": True, "logto.write:books": False}


def test_django_permissions_count_too(logto: Emulator, app: App) -> None:
    has_been_here(logto, "editor")
    User.objects.get().user_permissions.add(Permission.objects.get(codename="change_user"))
    token = app.token("editor", resource=API)
    assert "auth.change_user" in call("/who/", token).json()["all"]
    assert call("/who-async/", token).json() == {
        "logto.read:books": True,
        "logto.write:books": True,
        "auth.change_user": True,
    }


def test_django_decorator_checks_the_token(logto: Emulator, app: App, robot: Robot) -> None:
    for username in ("editor", "reader"):
        has_been_here(logto, username)
    assert call("/write/", app.token("editor", resource=API)).status_code == 200
    assert call("/write/", app.token("reader", resource=API)).status_code == 403
    assert call("/write/", robot.token("write:books", resource=API)).status_code == 200
    assert call("/write/", robot.token("read:books", resource=API)).status_code == 403


# Machines


def test_machine_is_authenticated_without_account(robot: Robot, settings) -> None:
    settings.LOGTO_API_CREATE_USERS = True
    answer = call("/who/", robot.token("read:books", resource=API)).json()
    assert answer == {
        "pk": robot.id,
        "username": robot.id,
        "is_authenticated": True,
        "is_user": False,
        "is_staff": False,
        "roles": [],
        "permissions": {"logto.read:books": True, "logto.write:books": False},
        "all": ["logto.read:books"],
    }
    assert User.objects.count() == LogtoIdentity.objects.count() == 0


def test_machine_in_async_view(robot: Robot) -> None:
    assert call("/who-async/", robot.token("read:books", resource=API)).json() == {
        "logto.read:books": True,
        "logto.write:books": False,
        "auth.change_user": False,
    }


def test_machine_equals_only_itself() -> None:
    machine = Machine("stockrobot000000001")
    assert machine == Machine("stockrobot000000001")
    assert {machine, Machine("stockrobot000000001")} == {machine}
    assert machine not in (Machine("another"), AnonymousUser(), User(username="stockrobot000000001"))
    assert (str(machine), machine.is_anonymous, machine.is_active) == ("stockrobot000000001", False, True)
    assert not machine.has_perm("logto.read:books"), "without a request there is no token"
    assert not machine.has_module_perms("logto")
    with pytest.raises(NotImplementedError):
        machine.save()
