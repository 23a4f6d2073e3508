"""Calls to other APIs with an access token, against a server that records the requests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
import requests

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.exceptions import ConfigurationError, ProviderError, ProviderUnreachable, SignInRequired
from logto_auth.sessions.outgoing import MachineToken, UserToken
from logto_auth.testing import Browser

pytestmark = pytest.mark.django_db

API = "https://bookstore.example/api"
HARBOUR = "harbourbr001"


class Handler(BaseHTTPRequestHandler):
    """Respond with 200, or as the path says."""

    def do_GET(self) -> None:
        self.server.seen.append((self.headers["Host"].partition(":")[0], self.headers["Authorization"]))
        status, location = {
            "/here": (302, "/"),
            "/elsewhere": (302, f"http://localhost:{self.server.server_port}/"),
            "/refuse": (401, None),
        }.get(self.path, (200, None))
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


class OtherAPI(ThreadingHTTPServer):
    """Another API. `seen` contains the host and the Authorization header of each call."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[tuple[str, str | None]] = []

    def call(self, path: str, auth: Any) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            return session.get(f"http://127.0.0.1:{self.server_port}{path}", auth=auth, timeout=5)

    def claims(self, number: int = -1) -> dict[str, Any]:
        """Return the claims of the access token of a call."""
        scheme, token = self.seen[number][1].split(" ")
        assert scheme == "Bearer"
        return jwt.decode(token, options={"verify_signature": False})


@pytest.fixture
def other_api() -> Iterator[OtherAPI]:
    with OtherAPI() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def rights(logto: Emulator) -> None:
    tenant = logto.tenant
    tenant.add_resource(API, scopes=["read:books", "write:books"])
    tenant.add_role("editor", scopes={API: ["read:books", "write:books"]})
    tenant.add_role("robot", type="MachineToMachine", scopes={API: ["read:books", "write:books"]})
    tenant.add_organization_role("manager", scopes=["manage:stock"])
    tenant.add_organization_role("keeper", type="MachineToMachine", scopes=["manage:stock"])
    tenant.add_organization("Harbour Branch", id=HARBOUR)


# Tokens of the user


@pytest.fixture
def request_of_reader(browser: Browser, logto: Emulator, rights: None, settings) -> Any:
    settings.LOGTO_SCOPES = ["openid", "offline_access", "urn:logto:scope:organizations", "read:books", "manage:stock"]
    settings.LOGTO_RESOURCES = [API, "urn:logto:resource:organizations"]
    logto.tenant.add_user(username="reader", id="reader000001", roles=["editor"])
    logto.tenant.add_member(HARBOUR, "reader000001", roles=["manager"])
    browser.sign_in("reader")
    logto.requests.clear()
    return browser.client.get("/sign-in").wsgi_request


@pytest.mark.parametrize(
    ("target", "audience", "scope"),
    [
        ({"resource": API}, API, "read:books"),
        ({"organization_id": HARBOUR}, f"urn:logto:organization:{HARBOUR}", "manage:stock"),
        ({"resource": API, "organization_id": HARBOUR}, API, "read:books"),
    ],
)
def test_user_token_is_fetched_once_and_sent_with_each_call(
    request_of_reader: Any, other_api: OtherAPI, logto: Emulator, target: dict[str, str], audience: str, scope: str
) -> None:
    auth = UserToken(request_of_reader, **target)
    assert [other_api.call("/", auth).status_code for _ in range(3)] == [200] * 3
    assert len({authorization for _, authorization in other_api.seen}) == 1
    claims = other_api.claims()
    assert (claims["sub"], claims["aud"], claims["scope"]) == ("reader000001", audience, scope)
    assert claims.get("organization_id") == (HARBOUR if audience == API and "organization_id" in target else None)
    assert len(logto.requests.to("token")) == 1


def test_expiring_user_token_is_refreshed(request_of_reader: Any, other_api: OtherAPI, logto: Emulator) -> None:
    logto.tenant.find_resource(API).access_token_ttl = 10
    for _ in range(2):
        other_api.call("/", UserToken(request_of_reader, resource=API))
    assert other_api.claims(0)["jti"] != other_api.claims(1)["jti"]


def test_redirect_sends_user_token_to_same_host_only(request_of_reader: Any, other_api: OtherAPI) -> None:
    auth = UserToken(request_of_reader, resource=API)
    assert other_api.call("/here", auth).status_code == 200
    assert [bool(authorization) for _, authorization in other_api.seen] == [True, True]
    other_api.seen.clear()
    assert other_api.call("/elsewhere", auth).status_code == 200
    assert [(host, bool(authorization)) for host, authorization in other_api.seen] == [
        ("127.0.0.1", True),
        ("localhost", False),
    ]


def test_call_answered_with_401_is_not_repeated(request_of_reader: Any, other_api: OtherAPI, logto: Emulator) -> None:
    assert other_api.call("/refuse", UserToken(request_of_reader, resource=API)).status_code == 401
    assert len(other_api.seen) == 1


def test_refused_user_token_makes_no_call(request_of_reader: Any, other_api: OtherAPI, logto: Emulator) -> None:
    with pytest.raises(ProviderError) as caught:
        other_api.call("/", UserToken(request_of_reader, resource="https://other.example"))
    assert caught.value.error == "invalid_target"
    logto.faults.http["token"] = HttpFault(drop=True)
    with pytest.raises(ProviderUnreachable):
        other_api.call("/", UserToken(request_of_reader, resource=API))
    assert other_api.seen == []


def test_anonymous_and_suspended_users_have_no_token(
    request_of_reader: Any, other_api: OtherAPI, logto, client
) -> None:
    with pytest.raises(SignInRequired):
        other_api.call("/", UserToken(client.get("/").wsgi_request, resource=API))
    logto.tenant.suspend_user("reader000001")
    with pytest.raises(SignInRequired):
        other_api.call("/", UserToken(request_of_reader, resource=API))
    assert other_api.seen == []


# Tokens of the site's own machine-to-machine application


@pytest.fixture
def robot(logto: Emulator, rights: None, settings) -> str:
    application = logto.tenant.add_application(name="Robot", type="MachineToMachine", roles=["robot"])
    logto.tenant.add_organization_application(HARBOUR, application.id, roles=["keeper"])
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = application.id, application.secret
    return application.id


@pytest.mark.parametrize(
    ("target", "audience", "scope"),
    [
        ({"resource": API, "scopes": ["read:books"]}, API, "read:books"),
        (
            {"organization_id": HARBOUR, "scopes": ["manage:stock"]},
            f"urn:logto:organization:{HARBOUR}",
            "manage:stock",
        ),
    ],
)
def test_machine_token_has_named_scopes_and_is_fetched_once(
    robot: str, other_api: OtherAPI, logto: Emulator, target: dict[str, Any], audience: str, scope: str
) -> None:
    for _ in range(3):
        other_api.call("/", MachineToken(**target))
    claims = other_api.claims()
    assert (claims["sub"], claims["aud"], claims["scope"]) == (robot, audience, scope)
    assert len(logto.requests.to("token")) == 1


def test_threads_share_one_machine_token(robot: str, other_api: OtherAPI, logto: Emulator) -> None:
    logto.faults.http["token"] = HttpFault(delay_seconds=0.2)
    auth = MachineToken(resource=API)
    threads = [threading.Thread(target=other_api.call, args=("/", auth)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(other_api.seen) == 12
    assert len({authorization for _, authorization in other_api.seen}) == 1
    assert len(logto.requests.to("token")) == 1


def test_refused_machine_token_is_replaced(robot: str, other_api: OtherAPI, logto: Emulator) -> None:
    auth = MachineToken(resource=API)
    assert other_api.call("/", auth).status_code == 200
    assert other_api.call("/refuse", auth).status_code == 401
    assert len(other_api.seen) == 2, "the call is not made again: it may have taken effect"
    other_api.call("/", auth)
    used, refused, fresh = (other_api.claims(number)["jti"] for number in range(3))
    assert used == refused != fresh


def test_redirect_to_another_host_drops_machine_token(robot: str, other_api: OtherAPI) -> None:
    other_api.call("/elsewhere", MachineToken(resource=API))
    assert [(host, bool(authorization)) for host, authorization in other_api.seen] == [
        ("127.0.0.1", True),
        ("localhost", False),
    ]


def test_missing_settings_are_named_in_the_error(other_api: OtherAPI, logto: Emulator, settings) -> None:
    settings.LOGTO_M2M_APP_ID = settings.LOGTO_M2M_APP_SECRET = ""
    with pytest.raises(ConfigurationError, match="LOGTO_M2M_APP_ID, LOGTO_M2M_APP_SECRET must be set"):
        other_api.call("/", MachineToken(resource=API))
    assert other_api.seen == []


def test_machine_without_organization_role_makes_no_call(robot: str, other_api: OtherAPI, logto) -> None:
    logto.tenant.add_organization("Hill Branch", id="hillbranch01")
    with pytest.raises(ProviderError) as caught:
        other_api.call("/", MachineToken(organization_id="hillbranch01"))
    assert caught.value.error == "access_denied"
    assert other_api.seen == []
