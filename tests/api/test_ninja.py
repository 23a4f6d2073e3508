"""Django Ninja: authentication and requirements of an API, a router or an operation, sync and async."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.http import HttpRequest
from django.test import Client
from django.urls import include, path
from ninja import NinjaAPI, Router
from ninja.security import django_auth
from ninja.testing import TestAsyncClient, TestClient

from logto_auth.clients import reset_clients
from logto_auth.contrib.ninja import LogtoAuth, LogtoOrganizationAuth
from logto_auth.emulator import Emulator, HttpFault
from tests.rights import API, HARBOUR, HILL, OTHER_API

from .callers import CHALLENGE, App, Robot, call, has_been_here, parameters_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site"), pytest.mark.urls(__name__)]


class OtherAuth(LogtoAuth):
    resource = OTHER_API


class UsersOnlyAuth(LogtoAuth):
    accepts_machines = False


def who(request: HttpRequest) -> dict[str, Any]:
    return {"user": str(request.user), "organization_id": getattr(request.auth, "organization_id", None)}


api = NinjaAPI(urls_namespace="tests-apis", auth=LogtoAuth("read:books"))
branches = Router(auth=LogtoOrganizationAuth("manage:stock"))


@api.get("/books")
def list_books(request: HttpRequest) -> dict[str, Any]:
    assert request.logto is request.auth
    assert request.user is request.auth.user
    return who(request)


@api.get("/async-books")
async def list_books_async(request: HttpRequest) -> dict[str, Any]:
    assert await request.auser() is request.auth.user
    return who(request)


@api.post("/books", auth=LogtoAuth("read:books", "write:books"))
def add_book(request: HttpRequest) -> dict[str, Any]:
    return who(request)


@api.post("/async-books", auth=LogtoAuth("read:books", "write:books"))
async def add_book_async(request: HttpRequest) -> dict[str, Any]:
    return who(request)


@api.get("/open", auth=None)
def everybody(request: HttpRequest) -> dict[str, Any]:
    return {"user": str(request.user)}


@api.get("/other", auth=OtherAuth())
def other(request: HttpRequest) -> dict[str, Any]:
    return who(request)


@api.get("/only-users", auth=UsersOnlyAuth())
def only_users(request: HttpRequest) -> dict[str, Any]:
    return who(request)


@api.get("/editors", auth=LogtoAuth(roles=["editor", "admin"]))
def editors(request: HttpRequest) -> dict[str, Any]:
    return who(request)


@api.get("/both", auth=[LogtoAuth(), django_auth])
def both(request: HttpRequest) -> dict[str, Any]:
    return who(request)


@branches.get("/{slug:organization_id}/stock")
def stock(request: HttpRequest, organization_id: str) -> dict[str, Any]:
    return who(request)


@branches.get("/{slug:organization_id}/async-stock")
async def stock_async(request: HttpRequest, organization_id: str) -> dict[str, Any]:
    return who(request)


@branches.get("/{slug:organization_id}/managers", auth=LogtoOrganizationAuth(organization_roles={"manager"}))
def managers(request: HttpRequest, organization_id: str) -> dict[str, Any]:
    return who(request)


api.add_router("/branches", branches)
urlpatterns = [path("", include("logto_auth.urls")), path("api/", api.urls)]


@pytest.fixture(params=["", "async-"], ids=["sync", "async"])
def books(request: pytest.FixtureRequest) -> str:
    return f"/api/{request.param}books"


@pytest.fixture(params=["", "async-"], ids=["sync", "async"])
def of_stock(request: pytest.FixtureRequest) -> str:
    return f"{request.param}stock"


@pytest.fixture(autouse=True)
def users_who_have_signed_in(site: None, logto: Emulator) -> None:
    for username in ("editor", "reader"):
        has_been_here(logto, username)


def test_token_authenticates_user_or_machine(books: str, app: App, robot: Robot) -> None:
    answer = call(books, app.token("editor", resource=API))
    assert (answer.status_code, answer.json()) == (200, {"user": "editor", "organization_id": None})
    assert call(books, robot.token(resource=API)).json()["user"] == robot.id


@pytest.mark.parametrize("path", ["/books", "/async-books"])
@pytest.mark.parametrize("header", ["Authorization", "authorization", "AUTHORIZATION"])
def test_client_of_ninja_may_send_a_token(app: App, robot: Robot, path: str, header: str, monkeypatch: Any) -> None:
    # Before Ninja 1.6, its client registers the API again.
    monkeypatch.setenv("NINJA_SKIP_REGISTRY", "1")

    async def get_async(headers: dict[str, str]) -> Any:
        return await TestAsyncClient(api).get(path, headers=headers)

    def get(token: str | None) -> Any:
        headers = {header: f"Bearer {token}"} if token else {}
        if path == "/books":
            return TestClient(api).get(path, headers=headers)
        return async_to_sync(get_async)(headers)

    assert get(app.token("editor", resource=API)).json() == {"user": "editor", "organization_id": None}
    assert get(robot.token(resource=API)).json()["user"] == robot.id
    assert get(None).status_code == 401
    assert get("junk").status_code == 401
    assert get(robot.token("", resource=API)).status_code == 403


def test_client_of_ninja_may_test_a_router(app: App, monkeypatch: Any) -> None:
    monkeypatch.setenv("NINJA_SKIP_REGISTRY", "1")
    token = app.token("editor", organization_id=HARBOUR)
    answer = TestClient(branches).get(f"/{HARBOUR}/stock", headers={"Authorization": f"Bearer {token}"})
    assert answer.json() == {"user": "editor", "organization_id": HARBOUR}


def test_missing_token_is_401_with_challenge(books: str) -> None:
    challenge = CHALLENGE.replace("Bearer ", 'Bearer scope="read:books", ')
    answer = call(books)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, challenge)
    assert Client().get(books, headers={"Authorization": "Basic YTpi"})["WWW-Authenticate"] == challenge


def test_invalid_token_is_401_with_reason(books: str, app: App) -> None:
    for bad, words in (
        (app.token("editor"), "send resource with the authorization request"),
        (app.token("editor", resource=OTHER_API), "Ask Logto for one with that resource"),
        (app.token("editor", organization_id=HARBOUR), "Ask Logto for one with that resource"),
    ):
        answer = call(books, bad)
        assert answer.status_code == 401
        challenge = parameters_of(answer["WWW-Authenticate"])
        assert challenge["error"] == "invalid_token"
        assert words in challenge["error_description"]
        assert words in answer.json()["detail"]


def test_missing_scope_is_403_with_scope(books: str, app: App) -> None:
    token = app.token("reader", resource=API)
    assert call(books, token).status_code == 200
    answer = call(books, token, "post")
    assert answer.status_code == 403
    challenge = parameters_of(answer["WWW-Authenticate"])
    assert (challenge["error"], challenge["scope"]) == ("insufficient_scope", "read:books write:books")
    assert call(books, app.token("editor", resource=API), "post").status_code == 200


def test_outage_is_503_with_retry_after(books: str, logto: Emulator, app: App) -> None:
    token = app.token("editor", resource=API)
    reset_clients()
    logto.faults.http["jwks"] = HttpFault(status=503)
    answer = call(books, token)
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert "WWW-Authenticate" not in answer


def test_open_operation_remains_open(app: App) -> None:
    assert call("/api/open").json()["user"] == "AnonymousUser"
    assert call("/api/open", app.token("editor")).status_code == 200, "the token is not checked there"


def test_subclass_options_apply(app: App, robot: Robot) -> None:
    of_editor, of_reader, of_robot = (
        app.token("editor", resource=API),
        app.token("reader", resource=API),
        robot.token(resource=API),
    )
    assert call("/api/other", app.token("editor", resource=OTHER_API)).status_code == 200
    assert call("/api/other", of_editor).status_code == 401
    assert [call("/api/only-users", token).status_code for token in (of_editor, of_robot)] == [200, 403]
    assert [call("/api/editors", token).status_code for token in (of_editor, of_reader, of_robot)] == [200, 403, 403]


def test_session_counts_only_without_token(logto: Emulator, app: App) -> None:
    editor = has_been_here(logto, "editor").client
    assert call("/api/both", client=editor).json()["user"] == "editor"
    assert call("/api/both", app.token("reader", resource=API), client=editor).json()["user"] == "reader"
    assert call("/api/both", app.token("reader"), client=editor).status_code == 401
    assert call("/api/both").status_code == 401


def test_organization_token_works_in_its_organization(of_stock: str, app: App, robot: Robot) -> None:
    at_harbour = app.token("editor", organization_id=HARBOUR)
    answer = call(f"/api/branches/{HARBOUR}/{of_stock}", at_harbour)
    assert answer.json() == {"user": "editor", "organization_id": HARBOUR}
    assert call(f"/api/branches/{HARBOUR}/{of_stock}", robot.token(organization_id=HARBOUR)).status_code == 200
    assert call(f"/api/branches/{HILL}/{of_stock}", at_harbour).status_code == 403
    refused = call(f"/api/branches/{HILL}/{of_stock}", app.token("editor", organization_id=HILL))
    assert parameters_of(refused["WWW-Authenticate"])["scope"] == "manage:stock"
    assert call(f"/api/branches/{HARBOUR}/{of_stock}", app.token("editor", resource=API)).status_code == 401


@pytest.mark.parametrize(
    ("username", "organization_id", "status"),
    [("editor", HARBOUR, 200), ("editor", HILL, 403), ("reader", HARBOUR, 403)],
)
def test_role_counts_in_its_organization(app: App, username: str, organization_id: str, status: int) -> None:
    token = app.token(username, organization_id=organization_id)
    assert call(f"/api/branches/{organization_id}/managers", token).status_code == status
