"""How tests call the endpoints of the console: with the session of a browser, and with access tokens."""

from __future__ import annotations

from typing import Any

from django.test import Client

from logto_auth.emulator import Emulator
from tests.emulator.relying_party import CALLBACK, RelyingParty

from .console_site import HARBOUR, PERMISSIONS, signed_in

ROOT = "/api/organizations/"
API = "https://bookstore.example/api"
ORGANIZATIONS = "urn:logto:resource:organizations"


class Caller:
    """A client of the endpoints. `path` of its methods is relative to the organization, `HARBOUR` by default."""

    def __init__(self, client: Client | None = None, token: str = "", organization_id: str = HARBOUR) -> None:
        self.client = client or Client()
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.organization_id = organization_id

    def call(self, method: str, path: str, data: Any = None, **options: Any) -> Any:
        """Return the response to a request, whose body is JSON. A `path` that begins with "/" is absolute."""
        url = path if path.startswith("/") else f"{ROOT}{self.organization_id}/{path}"
        if data is not None and method != "GET":
            options = {"content_type": "application/json", "data": data, **options}
        elif data is not None:
            options = {"query_params": data, **options}
        return getattr(self.client, method.lower())(
            url, headers={**self.headers, **options.pop("headers", {})}, **options
        )

    def get(self, path: str = "", data: Any = None) -> Any:
        return self.call("GET", path, data)

    def post(self, path: str, data: Any = None) -> Any:
        return self.call("POST", path, data)

    def put(self, path: str, data: Any = None) -> Any:
        return self.call("PUT", path, data)

    def patch(self, path: str, data: Any = None) -> Any:
        return self.call("PATCH", path, data)

    def delete(self, path: str = "") -> Any:
        return self.call("DELETE", path)


def by_session(logto: Emulator, username: str) -> Caller:
    """Return a caller with the session of this user."""
    return Caller(signed_in(logto, username).client)


def by_token(
    logto: Emulator, username: str, *permissions: str, organization_id: str = HARBOUR, resource: str | None = None
) -> Caller:
    """Return a caller with an access token of this user, which has these permissions if the user has them too.

    Without `resource` it is an organization token.
    """
    scope = " ".join(["openid offline_access urn:logto:scope:organizations", *(permissions or PERMISSIONS)])
    party = RelyingParty(logto, logto.tenant.add_application(name="App", type="Native", redirect_uris=[CALLBACK]))
    try:
        resources = [ORGANIZATIONS, *([resource] if resource else [])]
        tokens = party.sign_in(username, scope=scope, resource=resources)
        target = {"organization_id": organization_id, "resource": resource}
        answer = party.refresh(tokens["refresh_token"], **{name: value for name, value in target.items() if value})
        assert answer.status_code == 200, answer.text
        return Caller(token=answer.json()["access_token"])
    finally:
        party.http.close()
