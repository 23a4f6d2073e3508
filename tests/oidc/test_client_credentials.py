"""Tokens of a machine-to-machine application: requested, cached, renewed and shared between threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import jwt
import pytest
from freezegun import freeze_time

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.oidc.client_credentials import ClientCredentialsToken, MachineClient
from logto_auth.oidc.errors import ProviderError, ProviderUnreachable
from logto_auth.oidc.http import HTTPClient
from logto_auth.oidc.provider import Provider
from logto_auth.oidc.secrets import Secret

API = "https://bookstore.example/api"
OTHER_API = "https://library.example/api"
HARBOUR = "harbourbr001"


@pytest.fixture
def robot(logto: Emulator) -> MachineClient:
    """A machine that may read books everywhere, and manage the stock of one organization."""
    tenant = logto.tenant
    tenant.add_resource(API, scopes=["read:books", "write:books"])
    tenant.add_resource(OTHER_API, scopes=["read:books"])
    tenant.add_role("robot", type="MachineToMachine", scopes={API: ["read:books"], OTHER_API: ["read:books"]})
    tenant.add_organization_role(
        "keeper", type="MachineToMachine", scopes=["manage:stock"], resource_scopes={API: ["write:books"]}
    )
    tenant.add_organization("Harbour Branch", id=HARBOUR)
    tenant.add_organization("Hill Branch", id="hillbranch01")
    application = tenant.add_application(name="Robot", type="MachineToMachine", id="robot0000001", roles=["robot"])
    tenant.add_organization_application(HARBOUR, application.id, roles=["keeper"])
    return client(logto, application.secret)


def client(logto: Emulator, secret: str, *, total_seconds: float = 5) -> MachineClient:
    http = HTTPClient(connect_seconds=1, total_seconds=total_seconds)
    provider = Provider(issuer=logto.issuer, algorithms=("ES384",), http=http)
    return MachineClient(provider, client_id="robot0000001", client_secret=Secret(secret), hint="Check the settings.")


def claims_of(token: ClientCredentialsToken) -> dict[str, Any]:
    return jwt.decode(token.access_token.reveal(), options={"verify_signature": False})


@pytest.mark.parametrize(
    ("wanted", "audience", "organization_id", "scopes"),
    [
        ({"resource": API, "scopes": ["read:books", "write:books"]}, API, None, {"read:books"}),
        ({"resource": API}, API, None, set()),
        (
            {"organization_id": HARBOUR, "scopes": ["manage:stock"]},
            f"urn:logto:organization:{HARBOUR}",
            None,
            {"manage:stock"},
        ),
        (
            {"resource": API, "organization_id": HARBOUR, "scopes": ["read:books", "write:books"]},
            API,
            HARBOUR,
            {"write:books"},
        ),
    ],
)
def test_token_has_requested_audience_and_granted_scopes(
    robot: MachineClient, wanted: dict[str, Any], audience: str, organization_id: str | None, scopes: set[str]
) -> None:
    token = robot.token(**wanted)
    claims = claims_of(token)
    assert (claims["sub"], claims["client_id"], claims["aud"]) == (robot.client_id, robot.client_id, audience)
    assert claims.get("organization_id") == organization_id
    assert token.scopes == set(claims.get("scope", "").split()) == scopes
    assert token.access_token.reveal() not in repr(token)


def test_token_is_cached_for_each_purpose(robot: MachineClient, logto: Emulator) -> None:
    purposes: list[dict[str, Any]] = [
        {"resource": API},
        {"resource": API, "scopes": ["read:books"]},
        {"resource": OTHER_API, "scopes": ["read:books"]},
        {"organization_id": HARBOUR},
        {"resource": API, "organization_id": HARBOUR},
    ]
    tokens = [robot.token(**purpose) for purpose in purposes]
    assert len({token.access_token for token in tokens}) == len(logto.requests.to("token")) == len(purposes)
    assert [robot.token(**purpose) is token for purpose, token in zip(purposes, tokens, strict=True)] == [True] * 5
    assert len(logto.requests.to("token")) == len(purposes)


def test_order_and_repetition_of_scopes_are_ignored(robot: MachineClient) -> None:
    token = robot.token(resource=API, scopes=("write:books", "read:books"))
    assert robot.token(resource=API, scopes=iter(["read:books", "write:books", "read:books"])) is token


def test_token_is_renewed_before_it_expires(robot: MachineClient, logto: Emulator) -> None:
    with freeze_time(datetime.now(tz=timezone.utc)) as moment:
        token = robot.token(resource=API)
        moment.tick(3600 - 16)
        assert robot.token(resource=API) is token
        moment.tick(2)
        renewed = robot.token(resource=API)
        assert renewed is not token
        assert renewed.expires_at == pytest.approx(token.expires_at + 3600 - 14)


def test_forgotten_token_is_fetched_again(robot: MachineClient) -> None:
    token, other = robot.token(resource=API), robot.token(organization_id=HARBOUR)
    robot.forget(token)
    renewed = robot.token(resource=API)
    assert renewed is not token
    robot.forget(token)  # again, by a slower thread
    assert robot.token(resource=API) is renewed
    assert robot.token(organization_id=HARBOUR) is other


def in_threads(number: int, call: Callable[[], object]) -> list[object]:
    """Return what `call` returns or raises in `number` threads at once."""
    results: list[object] = []
    barrier = threading.Barrier(number)

    def note() -> None:
        barrier.wait()
        try:
            results.append(call())
        except ProviderError as error:
            results.append(error)

    threads = [threading.Thread(target=note) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_threads_share_one_token_request(robot: MachineClient, logto: Emulator) -> None:
    logto.faults.http["token"] = HttpFault(delay_seconds=0.2)
    tokens = in_threads(20, lambda: robot.token(resource=API))
    assert len(set(map(id, tokens))) == 1
    assert isinstance(tokens[0], ClientCredentialsToken)
    assert len(logto.requests.to("token")) == 1


def test_waiting_threads_share_a_failure(robot: MachineClient, logto: Emulator) -> None:
    # All threads have to ask before the response comes.
    logto.faults.http["token"] = HttpFault(status=503, delay_seconds=1)
    errors = in_threads(20, lambda: robot.token(resource=API))
    assert {error.code for error in errors} == {"provider_busy"}  # type: ignore[attr-defined]
    assert len(logto.requests.to("token")) == 1
    logto.faults.clear()
    assert robot.token(resource=API).is_usable()


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        ({"resource": "https://nowhere.example"}, "invalid_target"),
        ({}, "invalid_target"),
        ({"organization_id": "hillbranch01"}, "access_denied"),
        ({"organization_id": "nope"}, "access_denied"),
    ],
)
def test_refused_request_raises_the_error_of_logto(
    robot: MachineClient, logto: Emulator, wanted: dict[str, Any], error: str
) -> None:
    for _ in range(2):
        with pytest.raises(ProviderError) as caught:
            robot.token(**wanted)
        assert caught.value.error == error
    assert len(logto.requests.to("token")) == 2, "a refusal is not cached: an administrator may fix the cause"


def test_wrong_secret_raises_the_hint(robot: MachineClient, logto: Emulator) -> None:
    with pytest.raises(ProviderError, match="Check the settings") as caught:
        client(logto, "wrong-secret").token(resource=API)
    assert (caught.value.code, caught.value.error) == ("client_rejected", "invalid_client")
    assert "wrong-secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (HttpFault(drop=True), "provider_unreachable"),
        (HttpFault(delay_seconds=0.5), "provider_timeout"),
        (HttpFault(status=500), "provider_error"),
        (HttpFault(body="{}"), "provider_error"),
        (HttpFault(body='{"access_token": "a\\nb", "token_type": "Bearer", "expires_in": 60}'), "provider_error"),
        (HttpFault(body='{"access_token": "a", "token_type": "DPoP", "expires_in": 60}'), "provider_error"),
    ],
    ids=["gone", "slow", "500", "nothing", "no-token-text", "other-type"],
)
def test_failed_request_is_not_cached(robot: MachineClient, logto: Emulator, fault: HttpFault, code: str) -> None:
    impatient = client(logto, next(iter(logto.tenant.applications["robot0000001"].secrets)).value, total_seconds=0.3)
    logto.faults.http["token"] = fault
    with pytest.raises(ProviderError) as caught:
        impatient.token(resource=API)
    assert caught.value.code == code
    assert isinstance(caught.value, ProviderUnreachable) == (code in ("provider_unreachable", "provider_timeout"))
    logto.faults.clear()
    assert impatient.token(resource=API).is_usable()


@pytest.mark.parametrize("expires_in", [None, "3600", True, -1, 10**12])
def test_token_without_lifetime_is_soon_renewed(robot: MachineClient, logto: Emulator, expires_in: object) -> None:
    logto.faults.token_response = lambda answer: {**answer, "expires_in": expires_in}
    with freeze_time(datetime.now(tz=timezone.utc)) as moment:
        token = robot.token(resource=API)
        assert robot.token(resource=API) is token
        moment.tick(60)
        assert robot.token(resource=API) is not token
