"""Programs that call the shop's API, with tokens that the emulator gives them as Logto would."""

from __future__ import annotations

from typing import Any

from django.test import Client

from logto_auth.emulator import Emulator
from tests.emulator.relying_party import RelyingParty

API = "https://bookstore.example/api"
ORGANIZATIONS = "urn:logto:resource:organizations"
HARBOUR, HILL = "harbourbr001", "hillbranch01"
APP_ID, APP_CALLBACK = "bookstoreapp000000001", "io.bookstore.app://callback"
ROBOT_ID = "stockrobotdemo0000001"
SCOPES = "openid offline_access profile urn:logto:scope:organizations read:books write:books manage:stock"


class Program(Client):
    """Speaks JSON, and sends an access token if it has one."""

    def __init__(self, token: str | None = None, **headers: str) -> None:
        super().__init__(headers={**headers, **({"authorization": f"Bearer {token}"} if token else {})})

    def post(self, path: str, data: Any = None) -> Any:  # type: ignore[override]
        return super().post(path, data, content_type="application/json")

    def put(self, path: str, data: Any = None) -> Any:  # type: ignore[override]
        return super().put(path, data, content_type="application/json")

    def patch(self, path: str, data: Any = None) -> Any:  # type: ignore[override]
        return super().patch(path, data, content_type="application/json")


def app_of(logto: Emulator) -> RelyingParty:
    """The shop's app on a phone: a public client, which proves itself by PKCE alone."""
    return RelyingParty(logto, logto.tenant.applications[APP_ID], APP_CALLBACK)


def token_of_person(logto: Emulator, username: str, organization_id: str | None = None) -> str:
    """What the app has after a sign-in and a refresh: a token for the API, or for an organization."""
    app = app_of(logto)
    refresh_token = app.sign_in(username, scope=SCOPES, resource=[API, ORGANIZATIONS])["refresh_token"]
    wanted = {"organization_id": organization_id} if organization_id else {"resource": API}
    return _access_token(app.refresh(refresh_token, **wanted))


def token_of_robot(logto: Emulator, scope: str, **wanted: str) -> str:
    """What the stock robot gets by client_credentials."""
    robot = RelyingParty(logto, logto.tenant.applications[ROBOT_ID])
    return _access_token(robot.post("token", grant_type="client_credentials", scope=scope, **wanted))


def _access_token(response: Any) -> str:
    assert response.status_code == 200, response.text
    token: str = response.json()["access_token"]
    return token
