"""The accounts of access tokens, by issuer and `sub`, and machines, which have none unless the site gives them one."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import AnonymousUser, Permission
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path
from django.utils.decorators import method_decorator
from django.views.generic import View
from ninja import NinjaAPI
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from logto_auth.api.authentication import Machine
from logto_auth.backends import LogtoBackend
from logto_auth.contrib.ninja import LogtoAuth
from logto_auth.contrib.rest_framework import IsUser, LogtoAuthentication
from logto_auth.decorators import access_token_required
from logto_auth.emulator import Emulator
from logto_auth.exceptions import ConfigurationError, SignInRefused
from logto_auth.mixins import AccessTokenRequiredMixin
from logto_auth.models import LogtoIdentity, OrganizationMembership
from logto_auth.signals import user_created, user_updated
from tests.rights import API, HARBOUR

from .callers import App, Robot, call, has_been_here

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site"), pytest.mark.urls(__name__)]
User = get_user_model()


def describe(request: Any) -> dict[str, Any]:
    """Return the caller as the view sees it."""
    user = request.user
    return {
        "is_machine": request.logto.is_machine,
        "pk": user.pk,
        "username": user.username,
        "is_authenticated": user.is_authenticated,
        "is_user": isinstance(user, User),
        "is_staff": user.is_staff,
        "roles": request.logto.roles,
        "permissions": {name: user.has_perm(name) for name in ("logto.read:books", "logto.write:books")},
        "all": sorted(user.get_all_permissions()),
    }


@access_token_required()
def who(request: HttpRequest) -> JsonResponse:
    return JsonResponse(describe(request))


@access_token_required()
def log(request: HttpRequest) -> JsonResponse:
    LogEntry.objects.create(user=request.user, content_type=None, object_repr="Emma", action_flag=ADDITION)
    return JsonResponse({})


class Who(APIView):
    authentication_classes = [LogtoAuthentication]
    permission_classes: list[Any] = [IsAuthenticated]

    def get(self, request: Request) -> Response:
        return Response(describe(request))


api = NinjaAPI(urls_namespace="machines", auth=LogtoAuth())


@api.get("/who")
def ninja_who(request: HttpRequest) -> dict[str, Any]:
    return describe(request)


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
    path("log/", log),
    path("drf/", Who.as_view()),
    path("users/", Who.as_view(permission_classes=[IsUser])),
    path("no-machines/", access_token_required(accepts_machines=False)(who)),
    path("ninja/", api.urls),
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


class AskingBackend(LogtoBackend):
    """The backend of a site that decides in `get_user()`."""

    def get_user(self, user_id: Any) -> Any:
        return super().get_user(user_id)


@pytest.mark.parametrize(("backend", "queries"), [(LogtoBackend, 1), (AskingBackend, 2)])
def test_queries_of_known_user_are_constant(
    backend: type[LogtoBackend],
    queries: int,
    logto: Emulator,
    app: App,
    settings: Any,
    django_assert_num_queries: Any,
) -> None:
    settings.AUTHENTICATION_BACKENDS = [f"{backend.__module__}.{backend.__qualname__}"]
    has_been_here(logto, "editor")
    token = app.token("editor", resource=API)
    for _ in range(2):
        with django_assert_num_queries(queries):
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
    assert (first["pk"], first["username"]) == (user.pk, "customer0001")
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
        "is_machine": True,
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


# Machines with accounts


def machine_account(client_id: str) -> Any:
    return User.objects.filter(username=f"machine-{client_id}").first()


def only_known_machines(client_id: str) -> Any:
    return User.objects.get(username=f"machine-{client_id}")


def refuse_machines(client_id: str) -> Any:
    raise SignInRefused("Not this one.", visitor_message="This machine may not call.")


def unstored_account(client_id: str) -> Any:
    return User(username=client_id)


def name_of_account(client_id: str) -> Any:
    return f"machine-{client_id}"


@pytest.fixture
def account(robot: Robot, settings: Any) -> Any:
    settings.LOGTO_API_MACHINE_USER = f"{__name__}.machine_account"
    return User.objects.create_user(f"machine-{robot.id}")


@pytest.mark.parametrize("place", ["/who/", "/drf/", "/ninja/who"])
def test_machine_calls_with_its_account(robot: Robot, account: Any, place: str) -> None:
    answer = call(place, robot.token("read:books", resource=API)).json()
    assert (answer["pk"], answer["username"], answer["is_user"]) == (account.pk, account.username, True)
    assert answer["is_machine"] is True
    assert answer["permissions"] == {"logto.read:books": True, "logto.write:books": False}


def test_account_of_machine_can_be_stored(robot: Robot, account: Any) -> None:
    for _ in range(2):
        assert call("/log/", robot.token(resource=API), "post").status_code == 200
    assert [entry.user for entry in LogEntry.objects.all()] == [account, account]


def test_machine_has_permissions_of_its_account(robot: Robot, account: Any) -> None:
    account.user_permissions.add(Permission.objects.get(codename="change_user"))
    answer = call("/who-async/", robot.token("read:books", resource=API)).json()
    assert answer == {"logto.read:books": True, "logto.write:books": False, "auth.change_user": True}


def test_inactive_account_of_machine_is_refused(robot: Robot, account: Any) -> None:
    token = robot.token(resource=API)
    assert call("/who/", token).status_code == 200
    User.objects.update(is_active=False)
    answer = call("/who/", token)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


def test_machine_without_account_remains_a_machine(robot: Robot, account: Any) -> None:
    account.delete()
    answer = call("/who/", robot.token("read:books", resource=API)).json()
    assert (answer["pk"], answer["is_user"], answer["is_machine"]) == (robot.id, False, True)


def test_account_of_machine_is_not_for_users(logto: Emulator, app: App, robot: Robot, account: Any) -> None:
    has_been_here(logto, "editor")
    assert call("/who/", app.token("editor", resource=API)).json()["username"] == "editor"
    assert call("/users/", robot.token(resource=API)).status_code == 403
    assert call("/no-machines/", robot.token(resource=API)).status_code == 403


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("only_known_machines", "account_unknown", "has no account on this site"),
        ("refuse_machines", "refused_by_site", "This machine may not call."),
    ],
)
def test_function_of_site_may_refuse_machine(robot: Robot, settings: Any, name: str, error: str, words: str) -> None:
    settings.LOGTO_API_MACHINE_USER = f"{__name__}.{name}"
    answer = call("/who/", robot.token(resource=API))
    assert (answer.status_code, answer.json()["error"]) == (403, error)
    assert words in answer.json()["error_description"]


@pytest.mark.parametrize(("name", "returned"), [("unstored_account", "User"), ("name_of_account", "str")])
def test_wrong_result_of_function_is_a_clear_error(robot: Robot, settings: Any, name: str, returned: str) -> None:
    settings.LOGTO_API_MACHINE_USER = f"{__name__}.{name}"
    with pytest.raises(ConfigurationError, match=f"LOGTO_API_MACHINE_USER returned {returned}, expected a stored"):
        call("/who/", robot.token(resource=API))
