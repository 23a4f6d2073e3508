"""The calls and sign-ins that caused the recorded webhooks, and their deliveries."""

from __future__ import annotations

import json
from typing import Any

import requests

from logto_auth.emulator import Emulator, Visitor
from tests.contract.recorded_on_head import of_version
from tests.emulator.account_api_client import AccountAPI
from tests.emulator.management_api_client import ManagementAPI
from tests.emulator.receiver import Received, Receiver
from tests.emulator.relying_party import CALLBACK, RelyingParty
from tests.recorded import recording

from .comparing import Names, compare

FILES = {
    name: recording(f"tenant/webhook_{name}", "1.42")["requests"]
    for name in (
        "OrganizationRole_Created",
        "OrganizationRole_Data_Updated",
        "OrganizationRole_Deleted",
        "OrganizationRole_Scopes_Updated",
        "OrganizationScope_Created",
        "OrganizationScope_Data_Updated",
        "OrganizationScope_Deleted",
        "Organization_Created",
        "Organization_Data_Updated",
        "Organization_Deleted",
        "Organization_Membership_Updated",
        "Message_RateLimited",
        "PostRegister",
        "PostSignIn",
        "Role_Created",
        "Role_Data_Updated",
        "Role_Deleted",
        "Role_Scopes_Updated",
        "Scope_Created",
        "Scope_Data_Updated",
        "Scope_Deleted",
        "User_Created",
        "User_Data_Updated",
        "User_Deleted",
        "User_SuspensionStatus_Updated",
    )
}
_API = "https://r3-bookstore.example/api"
_CUSTOM_HEADERS = {"X-Custom": "yes"}


def differences_of_deliveries(emulator: Emulator) -> dict[str, list[str]]:
    """Cause the recorded deliveries again, and return the differences by name of the recording."""
    with Receiver() as receiver:
        names = _cause_all(emulator, receiver)
        ours = _by_event(receiver.received)
    found: dict[str, list[str]] = {name: [] for name in FILES}
    for name, request in sorted(_recorded(), key=lambda pair: json.loads(pair[1]["body"])["createdAt"]):
        theirs = of_version(json.loads(request["body"]), emulator.like)
        mine = ours[theirs["event"]].pop(0)
        found[name] += compare(names, _sorted(theirs), _sorted(mine.payload), theirs["event"])
        found[name] += _differences_of_headers(request["headers"], mine.headers)
    for event, left in ours.items():
        found.setdefault(event, []).extend(f"one more delivery of {event}" for _ in left)
    return found


def _recorded() -> list[tuple[str, dict[str, Any]]]:
    return [(name, request) for name, requests in FILES.items() for request in requests]


def _sorted(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the payload with its list of permissions sorted by name. Logto defines no order for it."""
    data = payload.get("data")
    return {**payload, "data": sorted(data, key=lambda each: each["name"])} if isinstance(data, list) else payload


def _by_event(received: list[Received]) -> dict[str, list[Received]]:
    found: dict[str, list[Received]] = {}
    for each in received:
        found.setdefault(each.payload["event"], []).append(each)
    return found


def _differences_of_headers(theirs: dict[str, str], ours: dict[str, str]) -> list[str]:
    names = [name for name in ours if name in theirs]
    found = [] if names == list(theirs) else [f"headers {names} instead of {list(theirs)}"]
    return found + [
        f"header {name}: {ours.get(name)} instead of {value}"
        for name, value in theirs.items()
        if name != "logto-signature-sha-256" and ours.get(name) != value
    ]


def _cause_all(emulator: Emulator, receiver: Receiver) -> Names:
    """Make the calls and sign-ins of the recordings, in their order. Return the names that the payloads need."""
    tenant, names = emulator.tenant, Names()
    resource = tenant.add_resource(_API, id="p6knziyc9wikta54aado5")
    for name, scope_id in (("write:books", "9qwsfoc0blpi0wiwm5a0e"), ("read:books", "ruqnl0w2zb3lnxogblt9k")):
        tenant.add_scope(resource, name, description=name).id = scope_id
    tenant.add_user(id="dno2js30dta3", username="r3alice")
    application = tenant.add_application(name="r3 plain", id="pmnlbwb2se4ahi3ln7uux", redirect_uris=[CALLBACK])
    tenant.enable_account_center()
    tenant.add_message_connectors()
    calls = _Calls(emulator, RelyingParty(emulator, application))
    events = [json.loads(requests[0]["body"])["event"] for requests in FILES.values()]
    hook = calls.api.made(
        "/hooks", {"name": "r3 all", "events": events, "config": {"url": receiver.url, "headers": _CUSTOM_HEADERS}}
    )
    names.learn("341wrn55rhftedkwnjhf5", hook["id"])
    names.learn("python-requests/2.34.2", requests.utils.default_user_agent())
    # The recorded server listened on IPv4 only. Node.js writes the address so on a socket for both protocols.
    names.learn("127.0.0.1", "::ffff:127.0.0.1")
    user = calls.change_user()
    calls.change_role()
    calls.change_scope(resource.id)
    calls.change_organization(user["id"])
    calls.sign_in_again(user["id"])
    calls.close()
    return names


class _Calls:
    """Calls and sign-ins, each of which waits for its deliveries. `account` is the Account API of the changed user."""

    account: AccountAPI

    def __init__(self, emulator: Emulator, relying_party: RelyingParty) -> None:
        self.emulator, self.relying_party = emulator, relying_party
        self.api = ManagementAPI(emulator)

    def close(self) -> None:
        self.api.http.close()
        self.account.http.close()
        self.relying_party.http.close()

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        response = self.api(method, path, body)
        assert response.ok, response.text
        self.emulator.webhooks.wait()
        return response.json() if "json" in response.headers.get("Content-Type", "") else None

    def change_user(self) -> dict[str, Any]:
        user: dict[str, Any] = self(
            "POST", "/users", {"username": "r3wh2c2c", "primaryEmail": "r3wh2c2c@example.com", "password": "p"}
        )
        path = f"/users/{user['id']}"
        self("PATCH", path, {"name": "N"})
        self("PATCH", f"{path}/profile", {"profile": {"nickname": "x"}})
        self("PATCH", f"{path}/custom-data", {"customData": {"x": 1}})
        self("PATCH", f"{path}/password", {"password": "q"})
        self("PATCH", f"{path}/is-suspended", {"isSuspended": True})
        self("PATCH", f"{path}/is-suspended", {"isSuspended": False})
        self.account = self._sign_in()
        self._change_own_name()
        return user

    def change_role(self) -> None:
        scope_ids = ["ruqnl0w2zb3lnxogblt9k"]
        role = self("POST", "/roles", {"name": "r3whrole2c2c", "description": "x", "scopeIds": scope_ids})
        path = f"/roles/{role['id']}"
        self("PATCH", path, {"description": "y"})
        self("POST", f"{path}/scopes", {"scopeIds": ["9qwsfoc0blpi0wiwm5a0e"]})
        self("DELETE", path)

    def change_scope(self, resource_id: str) -> None:
        path = f"/resources/{resource_id}/scopes"
        scope = self("POST", path, {"name": "r3wh:2c2c", "description": "x"})
        self("PATCH", f"{path}/{scope['id']}", {"description": "y"})
        self("DELETE", f"{path}/{scope['id']}")

    def change_organization(self, user_id: str) -> None:
        organization = self("POST", "/organizations", {"name": "r3 wh 2c2c"})
        path = f"/organizations/{organization['id']}"
        self("PATCH", path, {"name": "r3 wh2 2c2c"})
        self("POST", f"{path}/users", {"userIds": [user_id]})
        self("PUT", f"{path}/users", {"userIds": [user_id, "dno2js30dta3"]})
        self("DELETE", f"{path}/users/{user_id}")
        role = self("POST", "/organization-roles", {"name": "r3whor2c2c"})
        role_path = f"/organization-roles/{role['id']}"
        self("PATCH", role_path, {"description": "y"})
        scope_id = self.emulator.tenant.add_organization_scope("r3any").id
        self("POST", f"{role_path}/scopes", {"organizationScopeIds": [scope_id]})
        self("DELETE", role_path)
        scope = self("POST", "/organization-scopes", {"name": "r3whos:2c2c"})
        self("PATCH", f"/organization-scopes/{scope['id']}", {"description": "y"})
        self("DELETE", f"/organization-scopes/{scope['id']}")
        self("DELETE", path)

    def sign_in_again(self, user_id: str) -> None:
        """Register another user, sign in the first one again, and delete that one."""
        with Visitor(self.emulator) as visitor:
            visitor.register(self.relying_party.authorization_url(), "r3reg2c2c", "r3reg2c2c-password")
        self.emulator.webhooks.wait()
        self._exceed_limit_of_messages()
        self._sign_in().http.close()
        self("DELETE", f"/users/{user_id}")

    def _exceed_limit_of_messages(self) -> None:
        recipient = "r3rate2c2c@example.com"
        for _ in range(10):
            self.account.send_code("email", recipient)
        body = {"identifier": {"type": "email", "value": recipient}}
        assert self.account.post("/verifications/verification-code", body).status_code == 429
        self.emulator.webhooks.wait()

    def _change_own_name(self) -> None:
        assert self.account.patch("/my-account", {"name": "Self"}).ok
        self.emulator.webhooks.wait()

    def _sign_in(self) -> AccountAPI:
        """Sign in, and return the Account API of the user."""
        token = self.relying_party.sign_in("r3wh2c2c", scope="openid profile")["access_token"]
        self.emulator.webhooks.wait()
        return AccountAPI(self.emulator, token)
