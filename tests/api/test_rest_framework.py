"""Django REST framework: authentication, permissions by view and by method, and error responses."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import include, path
from rest_framework import viewsets
from rest_framework.authentication import SessionAuthentication
from rest_framework.decorators import action, api_view, authentication_classes, permission_classes
from rest_framework.permissions import AllowAny, IsAdminUser, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView

from logto_auth.clients import reset_clients
from logto_auth.contrib.rest_framework import (
    READING,
    WRITING,
    HasOrganizationRole,
    HasOrganizationScope,
    HasRole,
    HasScope,
    IsOrganizationMember,
    IsUser,
    LogtoAuthentication,
    LogtoOrganizationAuthentication,
    RequirementPermission,
)
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.testing import Browser
from tests.rights import API, HARBOUR, HILL, OTHER_API

from .callers import CHALLENGE, App, Robot, call, has_been_here, parameters_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site"), pytest.mark.urls(__name__)]
User = get_user_model()


class APIOfTokens(APIView):
    authentication_classes = [LogtoAuthentication]

    def get(self, request: Request, **kwargs: Any) -> Response:
        assert request.logto is request.auth
        return Response({"user": str(request.user), "organization_id": request.auth.organization_id})

    post = get


class Books(APIOfTokens):
    permission_classes = [HasScope("read:books", methods=READING), HasScope("write:books", methods=WRITING)]


class OpenBooks(APIView):
    """Reading is public."""

    authentication_classes = [LogtoAuthentication]

    def get_permissions(self) -> list[Any]:
        return [AllowAny()] if self.request.method in READING else [HasScope("write:books")()]

    def get(self, request: Request) -> Response:
        return Response({"user": str(request.user), "is_anonymous": request.auth is None})

    post = get


class Both(APIView):
    """Also for browsers with a session."""

    authentication_classes = [LogtoAuthentication, SessionAuthentication]
    permission_classes = [HasScope("write:books"), HasRole("editor")]

    def get(self, request: Request) -> Response:
        return Response({"user": str(request.user), "by_session": request.auth is None})

    post = get


class BooksOfAnybody(viewsets.ViewSet):
    """Only writing has a requirement; no class says what reading requires."""

    authentication_classes: list[Any] = [LogtoAuthentication]
    permission_classes: list[Any] = [HasScope("write:books", methods=["POST"])]

    def list(self, request: Request) -> Response:
        return Response([])

    def retrieve(self, request: Request, pk: str) -> Response:
        self.check_object_permissions(request, pk)
        return Response({})

    @action(detail=False)
    def newest(self, request: Request) -> Response:
        return Response({})

    def create(self, request: Request) -> Response:
        return Response({}, status=201)

    def destroy(self, request: Request, pk: str) -> Response:
        return Response(status=204)


class NotBooks(BooksOfAnybody):
    permission_classes = [~HasScope("write:books", methods=["POST"])]


class NotWriters(BooksOfAnybody):
    permission_classes = [~HasScope("write:books")]


class WritersOrStaff(BooksOfAnybody):
    permission_classes = [HasScope("write:books", methods=["POST"]) | IsAdminUser]


class WithoutAuthentication(BooksOfAnybody):
    authentication_classes = []


class NotWithSession(Both):
    permission_classes = [~HasScope("delete:books")]


class NeitherWithSession(Both):
    permission_classes = [~(HasScope("delete:books") | HasScope("delete:shelves"))]


class OtherAuthentication(LogtoAuthentication):
    resource = OTHER_API


class UsersOnlyAuthentication(LogtoAuthentication):
    accepts_machines = False


class Shelf(viewsets.ViewSet):
    """Another requirement for each action."""

    authentication_classes = [LogtoAuthentication]

    def get_permissions(self) -> list[Any]:
        return [HasScope("read:books" if self.action == "list" else "write:books")()]

    def list(self, request: Request) -> Response:
        return Response([])

    def create(self, request: Request) -> Response:
        return Response({}, status=201)


@api_view(["GET"])
@authentication_classes([LogtoAuthentication])
@permission_classes([IsAuthenticated])
def function_view(request: Request) -> Response:
    return Response({"user": str(request.user)})


def view(*permissions: Any, authentication: Any = LogtoAuthentication) -> Any:
    attributes = {"authentication_classes": [authentication], "permission_classes": list(permissions)}
    return type("View", (APIOfTokens,), attributes).as_view()


router = SimpleRouter()
router.register("shelf", Shelf, basename="shelf")
CARELESS = {
    "anybody": BooksOfAnybody,
    "not-books": NotBooks,
    "not-writers": NotWriters,
    "writers-or-staff": WritersOrStaff,
    "without-authentication": WithoutAuthentication,
}
for name, viewset in CARELESS.items():
    router.register(f"careless/{name}", viewset, basename=name)

urlpatterns = [
    path("", include("logto_auth.urls")),
    path("books/", Books.as_view()),
    path("open-books/", OpenBooks.as_view()),
    path("both/", Both.as_view()),
    path("not-of-session/", NotWithSession.as_view()),
    path("neither-of-session/", NeitherWithSession.as_view()),
    path("function/", function_view),
    path("other/", view(IsAuthenticated, authentication=OtherAuthentication)),
    path("only-users/", view(IsAuthenticated, authentication=UsersOnlyAuthentication)),
    path("users/", view(IsUser)),
    path("editors/", view(HasRole("editor", "admin"))),
    path("either/", view(HasScope("write:books") | HasRole("editor"))),
    path("neither/", view(IsAuthenticated, ~HasScope("write:books"))),
    path("lent/", view(HasScope("read:books") & HasOrganizationScope("write:books"))),
    path("anybody/", view(AllowAny)),
    path(
        "branches/<slug:organization_id>/",
        view(IsOrganizationMember, authentication=LogtoOrganizationAuthentication),
    ),
    path(
        "branches/<slug:organization_id>/stock/",
        view(HasOrganizationScope("manage:stock"), authentication=LogtoOrganizationAuthentication),
    ),
    path(
        "branches/<slug:organization_id>/managers/",
        view(HasOrganizationRole("manager"), authentication=LogtoOrganizationAuthentication),
    ),
    path("branches/<slug:organization_id>/books/", view(IsOrganizationMember)),
    *router.urls,
]


@pytest.fixture
def editor(logto: Emulator) -> Browser:
    return has_been_here(logto, "editor")


@pytest.fixture
def reader(logto: Emulator) -> Browser:
    return has_been_here(logto, "reader")


# Authentication


def test_token_authenticates_user(editor: Browser, app: App) -> None:
    token = app.token("editor", resource=API)
    assert call("/books/", token).json() == {"user": "editor", "organization_id": None}
    assert call("/function/", token).json() == {"user": "editor"}


@pytest.mark.parametrize(
    ("place", "scope"),
    [
        ("/books/", "read:books"),
        ("/function/", ""),
        ("/users/", ""),
        ("/editors/", ""),
        ("/shelf/", "read:books"),
        ("/both/", "write:books"),
    ],
)
def test_missing_token_is_401_with_challenge(place: str, scope: str) -> None:
    answer = call(place)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == CHALLENGE.replace(
        "Bearer ", f'Bearer scope="{scope}", ' if scope else "Bearer "
    )
    assert set(answer.json()) == {"detail"}


@pytest.mark.parametrize("place", ["/books/", "/users/", "/only-users/", "/careless/anybody/"])
def test_refusal_is_neither_cached_nor_framed(robot: Robot, place: str) -> None:
    for token in (None, "junk", robot.token("", resource=API)):
        answer = call(place, token, "post")
        if answer.status_code in (401, 403):
            assert (answer["Cache-Control"], answer["X-Frame-Options"]) == ("no-store", "DENY")
    assert call("/users/", token)["Cache-Control"] == "no-store"


def test_invalid_token_is_401_with_reason(editor: Browser, app: App) -> None:
    token = app.token("editor", resource=API)
    for bad, words in (
        (app.token("editor"), "send resource with the authorization request"),
        (app.token("editor", resource=OTHER_API), "Ask Logto for one with that resource"),
        (token[:-6] + "AAAAAA", "The signature of the token is wrong"),
    ):
        answer = call("/books/", bad)
        assert answer.status_code == 401
        challenge = parameters_of(answer["WWW-Authenticate"])
        assert challenge["error"] == "invalid_token"
        assert words in challenge["error_description"]
        assert words in answer.json()["detail"]
        assert bad not in answer.content.decode()


def test_invalid_token_is_refused_by_open_view(editor: Browser, app: App) -> None:
    assert call("/anybody/", app.token("editor")).status_code == 401


def test_subclass_may_have_another_resource(editor: Browser, app: App) -> None:
    assert call("/other/", app.token("editor", resource=OTHER_API)).status_code == 200
    assert call("/other/", app.token("editor", resource=API)).status_code == 401


def test_view_may_refuse_machines(editor: Browser, app: App, robot: Robot) -> None:
    for place in ("/only-users/", "/users/"):
        assert call(place, app.token("editor", resource=API)).status_code == 200
    answer = call("/only-users/", robot.token(resource=API))
    assert answer.status_code == 403
    assert "error" not in parameters_of(answer["WWW-Authenticate"]), "RFC 6750 has no code for it"
    assert "only access tokens of users" in answer.json()["detail"]
    assert call("/users/", robot.token(resource=API)).status_code == 403
    assert call("/function/", robot.token(resource=API)).json() == {"user": robot.id}


def test_outage_is_503_with_retry_after(logto: Emulator, editor: Browser, app: App) -> None:
    token = app.token("editor", resource=API)
    reset_clients()
    logto.faults.http["jwks"] = HttpFault(drop=True)
    answer = call("/books/", token)
    assert answer.status_code == 503
    assert answer["Retry-After"] == "30"
    assert "WWW-Authenticate" not in answer
    assert answer["Cache-Control"] == "no-store"


def test_call_needs_no_csrf_token(editor: Browser, app: App) -> None:
    client = Client(enforce_csrf_checks=True)
    assert call("/books/", app.token("editor", resource=API), "post", client).status_code == 200


# Permissions


def test_each_method_has_its_own_scope(editor: Browser, reader: Browser, app: App, robot: Robot) -> None:
    for token, reading, writing in (
        (app.token("editor", resource=API), 200, 200),
        (app.token("reader", resource=API), 200, 403),
        (robot.token("write:books", resource=API), 403, 200),
        (robot.token("", resource=API), 403, 403),
    ):
        assert (call("/books/", token).status_code, call("/books/", token, "post").status_code) == (reading, writing)


def test_missing_scope_is_403_with_scope(reader: Browser, app: App) -> None:
    answer = call("/books/", app.token("reader", resource=API), "post")
    challenge = parameters_of(answer["WWW-Authenticate"])
    assert (challenge["error"], challenge["scope"]) == ("insufficient_scope", "write:books")
    assert challenge["resource_metadata"].endswith("/.well-known/oauth-protected-resource/api")
    assert answer.json()["detail"] == challenge["error_description"]
    assert "need the permission write:books" in answer.json()["detail"]


def test_reading_may_be_public(reader: Browser, app: App) -> None:
    assert call("/open-books/").json() == {"user": "AnonymousUser", "is_anonymous": True}
    assert call("/open-books/", app.token("reader", resource=API)).json()["user"] == "reader"
    assert call("/open-books/", None, "post").status_code == 401
    assert call("/open-books/", app.token("reader", resource=API), "post").status_code == 403


@pytest.mark.parametrize("name", CARELESS)
@pytest.mark.parametrize("route", ["", "newest/", "1/"], ids=["list", "action", "object"])
@pytest.mark.parametrize("method", ["get", "head", "options", "post", "put", "delete"])
def test_anonymous_request_is_refused_with_any_method(name: str, route: str, method: str) -> None:
    assert call(f"/careless/{name}/{route}", None, method).status_code in (401, 403)


def test_token_suffices_outside_the_methods(reader: Browser, app: App, robot: Robot) -> None:
    for token in (app.token("reader", resource=API), robot.token("", resource=API)):
        for name in ("anybody", "not-books", "writers-or-staff"):
            for method, route, status in (
                ("get", "", 200),
                ("get", "1/", 200),
                ("options", "", 200),
                ("delete", "1/", 204),
            ):
                assert call(f"/careless/{name}/{route}", token, method).status_code == status
        assert call("/careless/anybody/", token, "post").status_code == 403
        assert call("/careless/not-books/", token, "post").status_code == 201


def test_negated_permission_works_for_objects(editor: Browser, reader: Browser, app: App) -> None:
    of_editor, of_reader = app.token("editor", resource=API), app.token("reader", resource=API)
    assert [call("/careless/not-writers/1/", token).status_code for token in (of_editor, of_reader)] == [403, 200]
    assert (~~HasScope("write:books")).is_negated is False


@pytest.mark.parametrize("methods", [["PSOT"], [], "", ["GET", "READ"]], ids=["typo", "none", "empty", "unknown"])
def test_unknown_methods_are_refused(methods: Any) -> None:
    with pytest.raises(ValueError, match="expected some of DELETE, GET"):
        HasScope("write:books", methods=methods)


def test_methods_of_subclass_are_normalized() -> None:
    class CanWrite(RequirementPermission):
        methods = "post"

    assert CanWrite.methods == {"POST"}


def test_each_viewset_action_has_its_own_requirement(reader: Browser, app: App) -> None:
    token = app.token("reader", resource=API)
    assert call("/shelf/", token).status_code == 200
    assert call("/shelf/", token, "post").status_code == 403


def test_any_one_role_suffices(logto: Emulator, editor: Browser, reader: Browser, app: App) -> None:
    assert call("/editors/", app.token("editor", resource=API)).status_code == 200
    answer = call("/editors/", app.token("reader", resource=API))
    assert answer.status_code == 403
    assert "need one of these roles: editor, admin" in answer.json()["detail"]


def test_permissions_can_be_combined(logto: Emulator, editor: Browser, reader: Browser, app: App) -> None:
    of_editor, of_reader = app.token("editor", resource=API), app.token("reader", resource=API)
    assert [call("/either/", token).status_code for token in (of_editor, of_reader)] == [200, 403]
    assert [call("/neither/", token).status_code for token in (of_editor, of_reader)] == [403, 200]
    logto.tenant.update_user("reader000001", roles=["editor"])
    has_been_here(logto, "reader")
    narrow = of_reader
    answer = call("/either/", narrow)
    assert answer.status_code == 200, "the role suffices without the scope"
    assert "WWW-Authenticate" not in answer
    within = app.token("editor", resource=API, organization_id=HARBOUR)
    assert [call("/lent/", token).status_code for token in (within, of_editor)] == [200, 403]


# Organizations


def test_only_members_of_the_organization_are_allowed(editor: Browser, reader: Browser, app: App) -> None:
    at_harbour, at_hill = (app.token("editor", organization_id=id) for id in (HARBOUR, HILL))
    assert call(f"/branches/{HARBOUR}/", at_harbour).json() == {"user": "editor", "organization_id": HARBOUR}
    assert call(f"/branches/{HILL}/", at_hill).json() == {"user": "editor", "organization_id": HILL}
    assert call(f"/branches/{HILL}/", at_harbour).status_code == 403
    assert call(f"/branches/{HARBOUR}/", at_hill).status_code == 403
    assert call("/branches/nowhere/", at_hill).status_code == 403


def test_scopes_and_roles_count_in_their_organization(editor: Browser, reader: Browser, app: App, robot: Robot) -> None:
    for token, place, status in (
        (app.token("editor", organization_id=HARBOUR), f"/branches/{HARBOUR}/stock/", 200),
        (app.token("editor", organization_id=HILL), f"/branches/{HILL}/stock/", 403),
        (app.token("reader", organization_id=HARBOUR), f"/branches/{HARBOUR}/stock/", 403),
        (robot.token(organization_id=HARBOUR), f"/branches/{HARBOUR}/stock/", 200),
        (app.token("editor", organization_id=HARBOUR), f"/branches/{HARBOUR}/managers/", 200),
        (app.token("editor", organization_id=HILL), f"/branches/{HILL}/managers/", 403),
        (app.token("reader", organization_id=HARBOUR), f"/branches/{HARBOUR}/managers/", 403),
        (robot.token(organization_id=HARBOUR), f"/branches/{HARBOUR}/managers/", 403),
    ):
        assert call(place, token).status_code == status, place


def test_api_token_within_organization_is_accepted(editor: Browser, app: App) -> None:
    within = app.token("editor", resource=API, organization_id=HARBOUR)
    assert call(f"/branches/{HARBOUR}/books/", within).status_code == 200
    assert call(f"/branches/{HILL}/books/", within).status_code == 403
    assert call(f"/branches/{HARBOUR}/books/", app.token("editor", resource=API)).status_code == 403


# Sessions


def test_session_meets_the_same_requirements(logto: Emulator, editor: Browser, reader: Browser) -> None:
    assert call("/both/", client=editor.client).json() == {"user": "editor", "by_session": True}
    answer = call("/both/", client=reader.client)
    assert answer.status_code == 403
    assert "need the permission write:books" in answer.json()["detail"]


def test_token_has_precedence_over_session(editor: Browser, reader: Browser, app: App) -> None:
    of_reader = app.token("reader", resource=API)
    assert call("/both/", of_reader, client=editor.client).status_code == 403
    assert call("/both/", app.token("editor", resource=API), client=reader.client).json() == {
        "user": "editor",
        "by_session": False,
    }
    assert call("/both/", of_reader[:-6] + "AAAAAA", client=editor.client).status_code == 401


def test_session_still_needs_csrf_token(logto: Emulator, editor: Browser) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies = editor.client.cookies
    answer = call("/both/", None, "post", client)
    assert answer.status_code == 403
    assert "CSRF" in answer.json()["detail"]


def test_password_session_has_no_permissions(client: Client) -> None:
    client.force_login(User.objects.create_user("local"))
    assert call("/both/", client=client).status_code == 403


def test_ended_session_meets_no_requirement(logto: Emulator, editor: Browser) -> None:
    logto.tenant.suspend_user("editor000001")
    assert call("/both/", client=editor.client).status_code == 403
    assert "_auth_user_id" not in call("/both/", client=editor.client).wsgi_request.session


@pytest.mark.parametrize("place", ["/not-of-session/", "/neither-of-session/"])
def test_ended_session_meets_no_negated_requirement(logto: Emulator, editor: Browser, place: str) -> None:
    logto.tenant.suspend_user("editor000001")
    assert call(place, client=editor.client).status_code == 403


def test_outage_for_session_is_503(logto: Emulator, editor: Browser) -> None:
    logto.faults.http["token"] = HttpFault(status=503)
    answer = call("/both/", client=editor.client)
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
