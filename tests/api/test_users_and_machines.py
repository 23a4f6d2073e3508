"""Whose token it is: accounts by issuer and `sub`, made only where the site says so, and machines, which have none."""

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

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
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


# People


def test_a_person_is_the_account_that_they_have_here(logto: Emulator, app: App) -> None:
    has_been_here(logto, "editor")
    user = User.objects.get()
    answer = call("/who/", app.token("editor", resource=API)).json()
    assert (answer["pk"], answer["username"], answer["is_user"]) == (user.pk, "editor", True)
    assert answer["roles"] == ["editor"]


def test_a_call_of_a_known_person_costs_one_query(logto: Emulator, app: App, django_assert_num_queries: Any) -> None:
    has_been_here(logto, "editor")
    token = app.token("editor", resource=API)
    for _ in range(2):
        with django_assert_num_queries(1):
            assert call("/name/", token).content == b"editor"


def test_a_stranger_is_refused_and_no_account_made(app: App, settings) -> None:
    settings.LOGTO_CREATE_USERS = True  # which is about signing in
    answer = call("/who/", app.token("customer", resource=API))
    assert (answer.status_code, answer.json()["error"]) == (403, "account_unknown")
    assert "error" not in answer["WWW-Authenticate"], "RFC 6750 has no word for it, and the token is good"
    assert User.objects.count() == LogtoIdentity.objects.count() == 0


@pytest.fixture
def signalled() -> Any:
    """The names of our signals about accounts, as they are sent."""
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


def test_the_first_call_makes_an_account_where_the_site_says_so(app: App, settings, signalled: list[str]) -> None:
    settings.LOGTO_API_CREATE_USERS, settings.LOGTO_CREATE_USERS = True, False
    token = app.token("customer", resource=API)
    first, second = call("/who/", token).json(), call("/who/", token).json()
    user = User.objects.get()
    assert first == second
    assert (first["pk"], first["username"]) == (user.pk, "customer000001")
    assert not user.has_usable_password()
    assert (user.is_staff, user.is_superuser, user.email) == (False, False, "")
    assert signalled == ["created"]


def test_the_first_sign_in_after_that_finds_the_same_account_and_fills_it(
    logto: Emulator, app: App, settings, signalled: list[str]
) -> None:
    settings.LOGTO_API_CREATE_USERS = True
    assert call("/who/", app.token("editor", resource=API)).json()["roles"] == []
    has_been_here(logto, "editor")
    user = User.objects.get()
    assert (user.first_name, user.username) == ("Editor", "editor000001")
    assert call("/who/", app.token("editor", resource=API)).json()["roles"] == ["editor"]
    assert signalled == ["created", "updated"]


def test_a_call_changes_nothing_about_the_account(logto: Emulator, app: App, signalled: list[str]) -> None:
    """An access token says nothing about its person: what it lacks must not be taken for lost."""
    has_been_here(logto, "editor")
    before = User.objects.values().get(), LogtoIdentity.objects.values().get()
    signalled.clear()
    for target in ({"resource": API}, {"resource": API, "organization_id": HARBOUR}):
        call("/who/", app.token("editor", **target))
    assert (User.objects.values().get(), LogtoIdentity.objects.values().get()) == before
    assert OrganizationMembership.objects.count() == 2
    assert signalled == []


def test_a_disabled_account_is_out_at_once_though_its_token_is_good_and_known(logto: Emulator, app: App) -> None:
    has_been_here(logto, "editor")
    token = app.token("editor", resource=API)
    assert call("/who/", token).status_code == 200
    User.objects.update(is_active=False)  # no signal tells of this
    answer = call("/who/", token)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert "is disabled on this site" in answer.json()["error_description"]
    User.objects.update(is_active=True)
    assert call("/who/", token).status_code == 200


def test_a_disabled_account_is_not_made_anew(logto: Emulator, app: App, settings) -> None:
    settings.LOGTO_API_CREATE_USERS = True
    has_been_here(logto, "editor")
    User.objects.update(is_active=False)
    assert call("/who/", app.token("editor", resource=API)).status_code == 401
    assert User.objects.count() == 1


def test_a_deleted_account_is_a_stranger_s(logto: Emulator, app: App) -> None:
    has_been_here(logto, "editor")
    token = app.token("editor", resource=API)
    assert call("/who/", token).status_code == 200
    User.objects.get().delete()
    assert call("/who/", token).status_code == 403


@pytest.mark.parametrize(
    "change",
    [{"issuer": "https://other.example/oidc"}, {"sub": "Editor000001"}, {"sub": "editor000001 "}],
    ids=["another-issuer", "another-case", "a-blank"],
)
def test_nobody_is_taken_for_somebody_alike(app: App, change: dict[str, str]) -> None:
    user = User.objects.create_user("editor", email="editor@bookstore.example")
    issuer = app.logto.issuer
    LogtoIdentity.objects.create(user=user, **{"issuer": issuer, "sub": "editor000001", **change})
    assert call("/who/", app.token("editor", resource=API)).status_code == 403


def test_permissions_are_those_of_the_token_and_not_of_a_session_beside_it(logto: Emulator, app: App) -> None:
    browser = has_been_here(logto, "editor")
    has_been_here(logto, "reader")
    answer = call("/who/", app.token("reader", resource=API), client=browser.client).json()
    assert answer["username"] == "reader"
    assert answer["permissions"] == {"logto.read:books": True, "logto.write:books": False}


def test_a_person_s_permissions_of_django_s_count_beside_those_of_the_token(logto: Emulator, app: App) -> None:
    has_been_here(logto, "editor")
    User.objects.get().user_permissions.add(Permission.objects.get(codename="change_user"))
    token = app.token("editor", resource=API)
    assert "auth.change_user" in call("/who/", token).json()["all"]
    assert call("/who-async/", token).json() == {
        "logto.read:books": True,
        "logto.write:books": True,
        "auth.change_user": True,
    }


def test_django_s_own_decorator_asks_the_token(logto: Emulator, app: App, robot: Robot) -> None:
    for username in ("editor", "reader"):
        has_been_here(logto, username)
    assert call("/write/", app.token("editor", resource=API)).status_code == 200
    assert call("/write/", app.token("reader", resource=API)).status_code == 403
    assert call("/write/", robot.token("write:books", resource=API)).status_code == 200
    assert call("/write/", robot.token("read:books", resource=API)).status_code == 403


# Machines


def test_a_machine_is_somebody_and_nobody_s_account(robot: Robot, settings) -> None:
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


def test_a_machine_in_an_async_view(robot: Robot) -> None:
    assert call("/who-async/", robot.token("read:books", resource=API)).json() == {
        "logto.read:books": True,
        "logto.write:books": False,
        "auth.change_user": False,
    }


def test_an_account_that_has_a_machine_s_id_for_its_sub_is_not_the_machine_s(robot: Robot) -> None:
    admin = User.objects.create_superuser(robot.id)
    LogtoIdentity.objects.create(user=admin, issuer=robot.logto.issuer, sub=robot.id)
    answer = call("/who/", robot.token("read:books", resource=API)).json()
    assert (answer["is_user"], answer["permissions"]["logto.write:books"]) == (False, False)


def test_a_machine_is_like_itself_and_no_one_else() -> None:
    machine = Machine("stockrobot000000001")
    assert machine == Machine("stockrobot000000001")
    assert {machine, Machine("stockrobot000000001")} == {machine}
    assert machine not in (Machine("another"), AnonymousUser(), User(username="stockrobot000000001"))
    assert (str(machine), machine.is_anonymous, machine.is_active) == ("stockrobot000000001", False, True)
    assert not machine.has_perm("logto.read:books"), "without a request there is no token to ask"
    assert not machine.has_module_perms("logto")
    with pytest.raises(NotImplementedError):
        machine.save()
