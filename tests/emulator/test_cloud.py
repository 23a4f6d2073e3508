"""The emulator as a tenant of Logto Cloud: indicator, domains and the limit of requests."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests

from logto_auth.emulator import Emulator, run_in_thread, seed_demo
from logto_auth.emulator.__main__ import main

RESOURCE = "https://abc123.logto.app/api"
OPEN_SOURCE_RESOURCE = "https://default.logto.app/api"
MACHINE = ("bookstoresetup0000001", "emulatoronlysecret00000000000003")
# The number of requests that are accepted at once.
BURST = 200


@pytest.fixture
def cloud() -> Iterator[Emulator]:
    with run_in_thread(cloud_tenant="abc123", seed=seed_demo) as emulator:
        yield emulator


def token_answer(cloud: Emulator, resource: str) -> requests.Response:
    fields = {"grant_type": "client_credentials", "resource": resource, "scope": "all"}
    return requests.post(f"{cloud.issuer}/token", data=fields, auth=MACHINE, timeout=5)


def test_management_api_has_the_indicator_of_the_tenant(cloud: Emulator) -> None:
    token = token_answer(cloud, RESOURCE).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    resources = requests.get(f"{cloud.endpoint}/api/resources", headers=headers, timeout=5).json()
    assert [each["indicator"] for each in resources if each["name"] == "Logto Management API"] == [RESOURCE]


def test_open_source_indicator_is_unknown_to_a_cloud_tenant(cloud: Emulator) -> None:
    answer = token_answer(cloud, OPEN_SOURCE_RESOURCE)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_target")


def test_cloud_indicator_is_unknown_to_an_open_source_logto() -> None:
    with run_in_thread(seed=seed_demo) as emulator:
        answer = token_answer(emulator, RESOURCE)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_target")


def test_reset_keeps_the_indicator(cloud: Emulator) -> None:
    cloud.reset(tenant=True)
    assert token_answer(cloud, RESOURCE).status_code == 200


def test_another_domain_is_no_tenant(cloud: Emulator) -> None:
    port = urlsplit(cloud.endpoint).port
    document = "oidc/.well-known/openid-configuration"
    assert requests.get(f"{cloud.endpoint}/{document}", timeout=5).json()["issuer"] == cloud.issuer
    assert requests.get(f"http://127.0.0.1:{port}/{document}", timeout=5).status_code == 404


def test_burst_of_requests_is_limited(cloud: Emulator) -> None:
    with requests.Session() as session:
        statuses = [session.get(f"{cloud.issuer}/jwks", timeout=5).status_code for _ in range(BURST + 100)]
    assert statuses[:BURST] == [200] * BURST
    assert 429 in statuses
    cloud.reset()
    assert requests.get(f"{cloud.issuer}/jwks", timeout=5).status_code == 200


def test_open_source_logto_has_no_limit() -> None:
    with run_in_thread() as emulator, requests.Session() as session:
        statuses = {session.get(f"{emulator.issuer}/jwks", timeout=5).status_code for _ in range(BURST + 100)}
    assert statuses == {200}


@pytest.mark.parametrize("tenant", ["abc.123", "abc/123", "https://abc123.logto.app", "default"])
def test_tenant_id_is_checked(tenant: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--port", "0", "--cloud", tenant]) == 1
    assert "is not a tenant ID" in capsys.readouterr().err
