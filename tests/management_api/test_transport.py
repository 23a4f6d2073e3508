"""The transport of the Management API: access token, paging, retries, rate limit and errors."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

import logto_auth.management_api as management_api_package
from logto_auth.clients import machine_client, management_api
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.exceptions import ConfigurationError, ManagementAPIError, ProviderError, ProviderUnreachable
from logto_auth.management_api import ManagementAPI
from logto_auth.management_api.transport import MAX_TRIES, OPEN_SOURCE_RESOURCE, resource_indicator
from logto_auth.management_api.types import User
from logto_auth.oidc.http import HTTPClient
from tests.recorded import recording

ROLE = "Logto Management API access"


class Sleeper:
    """Records the seconds of each sleep and returns at once."""

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


def test_all_calls_share_one_token_request(api: ManagementAPI, logto: Emulator) -> None:
    for _ in range(3):
        api.users.count()
        list(api.roles.all())
    assert len(logto.requests.to("token")) == 1


def test_concurrent_threads_share_one_token_request(api: ManagementAPI, logto: Emulator) -> None:
    logto.faults.http["token"] = HttpFault(delay_seconds=0.2)
    threads = [threading.Thread(target=api.users.count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(logto.requests.to("token")) == 1


def test_rejected_token_is_replaced_once(api: ManagementAPI, logto: Emulator) -> None:
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


def test_application_without_role_gets_error_that_names_it(api: ManagementAPI, logto: Emulator, machine: Any) -> None:
    machine.roles.clear()
    with pytest.raises(ManagementAPIError, match="Logto Management API access") as caught:
        api.users.count()
    assert (caught.value.code, caught.value.status, calls(logto)) == ("no_permission", 403, 0)


def test_wrong_secret_is_not_in_the_error(logto: Emulator, machine: Any, settings: Any) -> None:
    settings.LOGTO_M2M_APP_SECRET = "wrongsecret00000000000000000000x"
    with pytest.raises(ManagementAPIError, match="Check LOGTO_M2M_APP_ID, LOGTO_M2M_APP_SECRET") as caught:
        management_api().users.count()
    assert settings.LOGTO_M2M_APP_SECRET not in str(caught.value)


def test_missing_settings_are_named_in_the_error(logto: Emulator, settings: Any) -> None:
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
def test_resource_indicator_is_derived_from_endpoint(endpoint: str, indicator: str) -> None:
    assert resource_indicator(endpoint) == indicator


# Paging


@pytest.mark.parametrize("number", [0, 1, 99, 100, 101, 250])
def test_all_returns_the_rows_of_every_page(api: ManagementAPI, logto: Emulator, number: int) -> None:
    for count in range(number):
        logto.tenant.add_user(username=f"reader{count}")
    users = [user["username"] for user in api.users.all()]
    assert sorted(users) == sorted(f"reader{count}" for count in range(number))
    assert api.users.count() == number


def test_pages_are_requested_lazily(api: ManagementAPI, logto: Emulator) -> None:
    for count in range(250):
        logto.tenant.add_user(username=f"reader{count}")
    users = api.users.all()
    assert calls(logto) == 0
    next(users)
    assert calls(logto) == 1


def test_query_repeats_lists_and_omits_none(api: ManagementAPI, logto: Emulator) -> None:
    api.request("GET", "applications", query={"types": ["SPA", "Native"], "isThirdParty": False, "excludeRoleId": None})
    (request,) = logto.requests.to("management_api")
    assert request.query == {"types": ["SPA", "Native"], "isThirdParty": ["false"]}


def test_id_is_quoted_as_one_path_segment(api: ManagementAPI, logto: Emulator) -> None:
    with pytest.raises(ManagementAPIError):
        api.users.get("../roles?x=1")
    # The server has decoded the path: the request contained %2F and %3F.
    assert [(request.path, request.query) for request in logto.requests][-1] == ("/api/users/../roles?x=1", {})


# Retries


def test_limit_of_messages_is_not_waited_for(api: ManagementAPI, logto: Emulator, sleeper: Sleeper) -> None:
    body = json.dumps({"code": "request.message_rate_limited"})
    logto.faults.http["management_api"] = HttpFault(status=429, body=body)
    with pytest.raises(ManagementAPIError) as caught:
        api.invitations.send_message("invitation", {"link": "https://shop.example/"})
    assert (caught.value.status, calls(logto), sleeper.naps) == (429, 1, [])


@pytest.mark.usefixtures("machine")
def test_client_with_fewer_tries_gives_up_earlier(logto: Emulator) -> None:
    logto.faults.http["management_api"] = HttpFault(status=503)
    with pytest.raises(ManagementAPIError):
        management_api(max_tries=1).users.get("reader")
    assert calls(logto) == 1


def test_429_is_retried_after_the_seconds_in_retry_after(api: ManagementAPI, logto: Emulator, sleeper: Sleeper) -> None:
    logto.faults.http["management_api"] = HttpFault(status=429, headers={"Retry-After": "7"}, times=2)
    created = api.users.create({"username": "reader"})
    assert created["username"] == "reader"
    assert sleeper.naps == [7, 7]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_idempotent_request_is_retried_with_growing_pauses(
    api: ManagementAPI, logto: Emulator, sleeper: Sleeper, status: int
) -> None:
    user = logto.tenant.add_user(username="reader")
    logto.faults.http["management_api"] = HttpFault(status=status, times=3)
    assert api.users.get(user.id)["id"] == user.id
    assert len(sleeper.naps) == 3
    assert 0.25 <= sleeper.naps[0] <= 0.5 <= sleeper.naps[1] <= 1 <= sleeper.naps[2] <= 2


def test_retries_end_with_the_error_of_the_last_try(api: ManagementAPI, logto: Emulator, sleeper: Sleeper) -> None:
    logto.faults.http["management_api"] = HttpFault(status=503, body="")
    with pytest.raises(ManagementAPIError, match="answered 503") as caught:
        api.users.count()
    assert (caught.value.status, caught.value.code) == (503, "http_503")
    assert calls(logto) == MAX_TRIES
    assert len(sleeper.naps) == MAX_TRIES - 1


@pytest.mark.parametrize("fault", [HttpFault(status=500), HttpFault(drop=True)], ids=["500", "dropped"])
def test_post_is_not_retried(api: ManagementAPI, logto: Emulator, sleeper: Sleeper, fault: HttpFault) -> None:
    api.users.count()
    before = calls(logto)
    logto.faults.http["management_api"] = HttpFault(**vars(fault))
    with pytest.raises((ManagementAPIError, ProviderUnreachable)):
        api.users.create({"username": "reader"})
    assert calls(logto) - before == 1
    assert sleeper.naps == []


def test_broken_connection_is_retried_for_idempotent_request(
    api: ManagementAPI, logto: Emulator, sleeper: Sleeper
) -> None:
    user = logto.tenant.add_user(username="reader")
    logto.faults.http["management_api"] = HttpFault(drop=True, times=2)
    api.users.delete(user.id)
    assert user.id not in logto.tenant.users
    assert len(sleeper.naps) == 2


def test_rate_limit_applies_across_threads(api: ManagementAPI, sleeper: Sleeper) -> None:
    api.limit(10)
    threads = [threading.Thread(target=api.users.count) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # No thread has slept, so each is scheduled 0.1 seconds after the previous one.
    assert sorted(sleeper.naps)[-1] == pytest.approx(0.4, abs=0.2)
    assert len(sleeper.naps) == 5


def test_other_requests_wait_after_429(api: ManagementAPI, logto: Emulator, sleeper: Sleeper) -> None:
    logto.faults.http["management_api"] = HttpFault(status=429, headers={"Retry-After": "7"}, times=1)
    api.users.create({"username": "reader"})
    # No thread has slept, so the pause is not over.
    api.users.count()
    assert sleeper.naps == [7, pytest.approx(7, abs=0.5)]


# Errors


@pytest.mark.parametrize(
    "name",
    ["mgmt_error_duplicate_username", "mgmt_error_404", "mgmt_error_validation", "connector_bad_config"],
)
def test_error_has_code_message_and_data_of_logto(api: ManagementAPI, logto: Emulator, name: str) -> None:
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
def test_error_without_json_object_gets_http_code(api: ManagementAPI, logto: Emulator, body: str) -> None:
    logto.faults.http["management_api"] = HttpFault(status=400, body=body)
    with pytest.raises(ManagementAPIError, match="answered 400") as caught:
        api.users.create({})
    assert caught.value.code == "http_400"


# Bodies that are not JSON


def test_plain_text_body_is_none(api: ManagementAPI, logto: Emulator) -> None:
    role, user = logto.tenant.add_role("reader"), logto.tenant.add_user()
    assert api.request("POST", f"roles/{role.id}/users", json={"userIds": [user.id]}) is None
    assert user.roles == ["reader"]


def test_html_body_raises_provider_error(api: ManagementAPI, logto: Emulator) -> None:
    logto.faults.http["management_api"] = HttpFault(body="<p>Hello</p>", headers={"Content-Type": "text/html"})
    with pytest.raises(ProviderError, match="something that is not JSON"):
        next(api.organizations.all())


@pytest.mark.parametrize("headers", [{}, {"Total-Number": "many"}, {"Total-Number": "\u00b2"}], ids=str)
def test_count_without_total_number_raises_error(api: ManagementAPI, logto: Emulator, headers: dict[str, str]) -> None:
    logto.faults.http["management_api"] = HttpFault(body="[]", headers={"Content-Type": "application/json", **headers})
    with pytest.raises(ManagementAPIError, match="no header Total-Number") as caught:
        api.users.count()
    assert caught.value.code == "no_total"


# Types of answers


def test_returns_accepts_the_kind_of_the_answer(api: ManagementAPI, logto: Emulator) -> None:
    user = logto.tenant.add_user(username="reader")
    assert api.request("GET", f"users/{user.id}", returns=User)["username"] == "reader"
    assert [each["id"] for each in api.request("GET", "users", returns=list[User])] == [user.id]
    assert api.request("GET", f"users/{user.id}/custom-data", returns=dict[str, Any]) == {}


@pytest.mark.parametrize(
    ("path", "returns", "text"),
    [
        ("users", User, "answered 200 with a list. Expected an object"),
        ("sign-in-exp", list[User], "answered 200 with an object. Expected a list"),
    ],
)
def test_answer_of_another_kind_raises_error(api: ManagementAPI, path: str, returns: Any, text: str) -> None:
    with pytest.raises(ManagementAPIError, match=text) as caught:
        api.request("GET", path, returns=returns)
    assert (caught.value.code, caught.value.status) == ("unexpected_body", 200)


def test_answer_without_body_raises_error_with_returns(api: ManagementAPI, logto: Emulator) -> None:
    user = logto.tenant.add_user(username="reader")
    with pytest.raises(ManagementAPIError, match=r"answered 204 with nothing\. Expected an object"):
        api.request("DELETE", f"users/{user.id}", returns=User)


# Ids


@pytest.mark.parametrize("id", ["..", ".", "", "\ud800"])
def test_id_that_a_path_cannot_hold_is_not_sent(api: ManagementAPI, logto: Emulator, id: str) -> None:
    organization = logto.tenant.add_organization("Harbour")
    with pytest.raises(ManagementAPIError) as caught:
        api.organizations.remove_user(organization.id, id)
    assert (caught.value.code, caught.value.status, calls(logto)) == ("entity.not_found", 404, 0)


# Independence


def test_package_names_no_setting() -> None:
    files = Path(management_api_package.__file__).parent.glob("*.py")
    assert [file.name for file in files if "LOGTO_" in file.read_text(encoding="utf-8")] == []
