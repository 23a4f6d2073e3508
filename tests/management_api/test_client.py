"""How the Management API is spoken: the token, paging, patience and errors."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from logto_auth.clients import machine_client, management_api
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.exceptions import ConfigurationError, ManagementAPIError, ProviderUnreachable
from logto_auth.management_api import ManagementAPI
from logto_auth.management_api.client import MAX_TRIES, OPEN_SOURCE_RESOURCE, indicator_of
from logto_auth.oidc.http import HTTPClient
from tests.recorded import recording

ROLE = "Logto Management API access"


class Sleeper:
    """Notes for how long it was to be slept, and does not."""

    def __init__(self) -> None:
        self.naps: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.naps.append(seconds)


@pytest.fixture
def machine(logto: Emulator, settings: Any) -> Any:
    machine = logto.tenant.add_application(name="Machine", type="MachineToMachine", roles=[ROLE])
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    return machine


@pytest.fixture
def sleeper() -> Sleeper:
    return Sleeper()


@pytest.fixture
def api(logto: Emulator, machine: Any, sleeper: Sleeper) -> ManagementAPI:
    http = HTTPClient(connect_seconds=1, total_seconds=2)
    return ManagementAPI(endpoint=logto.endpoint, machine=machine_client(), http=http, sleep=sleeper)


def calls(logto: Emulator) -> int:
    return len(logto.requests.to("management_api"))


# The token


def test_the_token_is_fetched_once_whatever_is_called(api: ManagementAPI, logto: Emulator) -> None:
    for _ in range(3):
        api.users.count()
        list(api.roles.all())
    assert len(logto.requests.to("token")) == 1


def test_threads_that_begin_together_share_the_token(api: ManagementAPI, logto: Emulator) -> None:
    logto.faults.http["token"] = HttpFault(delay_seconds=0.2)
    threads = [threading.Thread(target=api.users.count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(logto.requests.to("token")) == 1


def test_a_token_that_logto_takes_no_more_is_replaced_once(api: ManagementAPI, logto: Emulator) -> None:
    api.users.count()
    logto.rotate_keys()
    logto.rotate_keys()
    assert api.users.count() == 0
    assert len(logto.requests.to("token")) == 2
    logto.faults.http["management_api"] = HttpFault(status=401, body='{"code": "auth.unauthorized"}')
    before = calls(logto)
    with pytest.raises(ManagementAPIError, match=r"auth\.unauthorized") as caught:
        api.users.count()
    assert caught.value.status == 401
    assert calls(logto) - before == 2


def test_a_machine_without_the_role_is_told_which_it_needs(api: ManagementAPI, logto: Emulator, machine: Any) -> None:
    machine.roles.clear()
    with pytest.raises(ManagementAPIError, match="Logto Management API access") as caught:
        api.users.count()
    assert (caught.value.code, caught.value.status, calls(logto)) == ("no_permission", 403, 0)


def test_a_wrong_secret_is_an_error_without_the_secret(logto: Emulator, machine: Any, settings: Any) -> None:
    settings.LOGTO_M2M_APP_SECRET = "wrongsecret00000000000000000000x"
    with pytest.raises(ManagementAPIError, match="Check LOGTO_M2M_APP_ID and LOGTO_M2M_APP_SECRET") as caught:
        management_api().users.count()
    assert settings.LOGTO_M2M_APP_SECRET not in str(caught.value)


def test_without_an_application_the_settings_are_named(logto: Emulator, settings: Any) -> None:
    settings.LOGTO_M2M_APP_ID = ""
    with pytest.raises(ConfigurationError, match="LOGTO_M2M_APP_ID"):
        management_api()


@pytest.mark.parametrize(
    ("endpoint", "indicator"),
    [
        ("https://abc123.logto.app", "https://abc123.logto.app/api"),
        ("https://abc123.logto.app/", "https://abc123.logto.app/api"),
        ("https://sign-in.shop.example", OPEN_SOURCE_RESOURCE),
        ("https://logto.app.shop.example", OPEN_SOURCE_RESOURCE),
        ("http://localhost:3001", OPEN_SOURCE_RESOURCE),
    ],
)
def test_the_indicator_follows_from_the_endpoint(endpoint: str, indicator: str) -> None:
    assert indicator_of(endpoint) == indicator


# Paging


@pytest.mark.parametrize("number", [0, 1, 99, 100, 101, 250])
def test_all_goes_through_every_page(api: ManagementAPI, logto: Emulator, number: int) -> None:
    for count in range(number):
        logto.tenant.add_user(username=f"reader{count}")
    users = [user["username"] for user in api.users.all()]
    assert sorted(users) == sorted(f"reader{count}" for count in range(number))
    assert api.users.count() == number


def test_pages_are_asked_for_as_they_are_wanted(api: ManagementAPI, logto: Emulator) -> None:
    for count in range(250):
        logto.tenant.add_user(username=f"reader{count}")
    users = api.users.all()
    assert calls(logto) == 0
    next(users)
    assert calls(logto) == 1


def test_a_query_repeats_lists_and_leaves_out_what_is_none(api: ManagementAPI, logto: Emulator) -> None:
    api.request("GET", "applications", query={"types": ["SPA", "Native"], "isThirdParty": False, "excludeRoleId": None})
    (request,) = logto.requests.to("management_api")
    assert request.query == {"types": ["SPA", "Native"], "isThirdParty": ["false"]}


def test_an_id_stays_one_segment_of_the_path(api: ManagementAPI, logto: Emulator) -> None:
    with pytest.raises(ManagementAPIError):
        api.users.get("../roles?x=1")
    # As the server reads it: what was sent is %2F and %3F.
    assert [(request.path, request.query) for request in logto.requests][-1] == ("/api/users/../roles?x=1", {})


# Patience


def test_too_many_requests_are_asked_again_after_the_time_that_logto_names(
    api: ManagementAPI, logto: Emulator, sleeper: Sleeper
) -> None:
    logto.faults.http["management_api"] = HttpFault(status=429, headers={"Retry-After": "7"}, times=2)
    created = api.users.create({"username": "reader"})
    assert created["username"] == "reader"
    assert sleeper.naps == [7, 7]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_what_may_safely_be_asked_twice_is_asked_again_with_growing_pauses(
    api: ManagementAPI, logto: Emulator, sleeper: Sleeper, status: int
) -> None:
    user = logto.tenant.add_user(username="reader")
    logto.faults.http["management_api"] = HttpFault(status=status, times=3)
    assert api.users.get(user.id)["id"] == user.id
    assert len(sleeper.naps) == 3
    assert 0.25 <= sleeper.naps[0] <= 0.5 <= sleeper.naps[1] <= 1 <= sleeper.naps[2] <= 2


def test_patience_has_an_end(api: ManagementAPI, logto: Emulator, sleeper: Sleeper) -> None:
    logto.faults.http["management_api"] = HttpFault(status=503, body="")
    with pytest.raises(ManagementAPIError, match="answered 503") as caught:
        api.users.count()
    assert (caught.value.status, caught.value.code) == (503, "http_503")
    assert calls(logto) == MAX_TRIES
    assert len(sleeper.naps) == MAX_TRIES - 1


@pytest.mark.parametrize("fault", [HttpFault(status=500), HttpFault(drop=True)], ids=["500", "dropped"])
def test_what_would_be_done_twice_is_not_asked_again(
    api: ManagementAPI, logto: Emulator, sleeper: Sleeper, fault: HttpFault
) -> None:
    api.users.count()
    before = calls(logto)
    logto.faults.http["management_api"] = HttpFault(**vars(fault))
    with pytest.raises((ManagementAPIError, ProviderUnreachable)):
        api.users.create({"username": "reader"})
    assert calls(logto) - before == 1
    assert sleeper.naps == []


def test_a_broken_connection_is_tried_again_for_what_is_safe(
    api: ManagementAPI, logto: Emulator, sleeper: Sleeper
) -> None:
    user = logto.tenant.add_user(username="reader")
    logto.faults.http["management_api"] = HttpFault(drop=True, times=2)
    api.users.delete(user.id)
    assert user.id not in logto.tenant.users
    assert len(sleeper.naps) == 2


def test_a_limit_keeps_requests_apart_over_all_threads(api: ManagementAPI, sleeper: Sleeper) -> None:
    api.limit(10)
    threads = [threading.Thread(target=api.users.count) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Nobody has slept really, so each is sent a tenth of a second after the one before it.
    assert sorted(sleeper.naps)[-1] == pytest.approx(0.4, abs=0.2)
    assert len(sleeper.naps) == 5


# Errors


@pytest.mark.parametrize(
    "name",
    ["mgmt_error_duplicate_username", "mgmt_error_404", "mgmt_error_validation", "connector_bad_config"],
)
def test_an_error_has_logto_s_own_words(api: ManagementAPI, logto: Emulator, name: str) -> None:
    recorded = recording(name)
    body = recorded["body"]
    logto.faults.http["management_api"] = HttpFault(status=recorded["status"], body=json.dumps(body))
    with pytest.raises(ManagementAPIError) as caught:
        api.users.create({})
    error = caught.value
    assert (error.status, error.code, error.message) == (recorded["status"], body["code"], body["message"].strip())
    assert error.data == body.get("data")
    assert body["code"] in str(error)


@pytest.mark.parametrize("body", ["", "<h1>Bad gateway</h1>", "[]", '{"code": 7, "message": ["x"]}'])
def test_an_error_may_be_anything(api: ManagementAPI, logto: Emulator, body: str) -> None:
    logto.faults.http["management_api"] = HttpFault(status=400, body=body)
    with pytest.raises(ManagementAPIError, match="answered 400") as caught:
        api.users.create({})
    assert caught.value.code == "http_400"
