"""Wrong calls and wrong answers are found, and the text says what differs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from logto_auth.clients import management_api
from logto_auth.emulator import Emulator
from logto_auth.exceptions import ManagementAPIError
from logto_auth.management_api import ManagementAPI

from .contract import Contract, Exchange
from .document import document
from .recorder import Recorder
from .recordings import exchanges_of

ROLE = "Logto Management API access"


@pytest.fixture
def api(logto: Emulator, settings: Any) -> ManagementAPI:
    machine = logto.tenant.add_application(name="Machine", type="MachineToMachine", roles=[ROLE])
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    return management_api()


@pytest.fixture
def contract() -> Contract:
    return Contract(document())


# Calls of the package, at the wire


def test_unknown_query_parameter_is_found(api: ManagementAPI, contract_recorder: Recorder) -> None:
    list(api.roles.all(kind="User"))
    assert contract_recorder.take() == ["GET /roles: no query parameter kind"]


def test_misspelt_search_parameter_is_found(api: ManagementAPI, contract_recorder: Recorder) -> None:
    list(api.users.all(**{"search.username": "a", "mod.username": "exact", "joint": "or"}))
    assert contract_recorder.take() == ["GET /users: no query parameter mod.username"]


def test_unknown_key_in_payload_is_found(api: ManagementAPI, contract_recorder: Recorder) -> None:
    payload: Any = {"username": "reader", "mail": "reader@example.com"}
    api.users.create(payload)
    assert contract_recorder.take() == ["POST /users: Additional properties are not allowed ('mail' was unexpected)"]


def test_unknown_key_inside_payload_is_found(api: ManagementAPI, logto: Emulator, contract_recorder: Recorder) -> None:
    user = logto.tenant.add_user(username="reader")
    profile: Any = {"nickname": "R", "nick": "R"}
    api.users.update_profile(user.id, profile)
    assert contract_recorder.take() == [
        "PATCH /users/{userId}/profile: profile: Additional properties are not allowed ('nick' was unexpected)"
    ]


@pytest.mark.parametrize(("method", "path"), [("GET", "user"), ("PUT", "users")])
def test_unknown_operation_is_found(api: ManagementAPI, contract_recorder: Recorder, method: Any, path: str) -> None:
    with pytest.raises(ManagementAPIError):
        api.request(method, path)
    assert contract_recorder.take() == [f"{method} /api/{path}: the document has no such operation"]


def test_id_with_slash_is_one_segment(api: ManagementAPI, contract_recorder: Recorder) -> None:
    with pytest.raises(ManagementAPIError):
        api.users.get("a/b")
    assert contract_recorder.take() == []


def test_keys_of_custom_data_and_configs_are_free(
    api: ManagementAPI, logto: Emulator, contract_recorder: Recorder
) -> None:
    user = api.users.create({"username": "reader", "customData": {"any": {"key": 1}}})
    api.users.update_custom_data(user["id"], {"other": [1]})
    assert contract_recorder.take() == []


# Requests and answers


def exchange_of(name: str) -> Exchange:
    (exchange,) = exchanges_of(f"1.42/{name}")
    return exchange


def test_missing_payload_is_found(contract: Contract) -> None:
    exchange = replace(exchange_of("mgmt_application_created"), payload=None)
    assert contract.request_differences(exchange) == ["POST /applications: no payload"]


def test_missing_key_of_answer_is_found(contract: Contract) -> None:
    exchange = exchange_of("mgmt_users_page")
    del (rows := [dict(each) for each in exchange.answer])[1]["isSuspended"]
    assert contract.answer_differences(replace(exchange, answer=rows)) == [
        "GET /users, answer 200: 1: 'isSuspended' is a required property"
    ]


def test_wrong_type_in_answer_is_found(contract: Contract) -> None:
    exchange = exchange_of("mgmt_users_page")
    rows = [{**each, "createdAt": "2026-11-28"} for each in exchange.answer[:1]]
    assert contract.answer_differences(replace(exchange, answer=rows)) == [
        "GET /users, answer 200: 0.createdAt: '2026-11-28' is not of type 'number'"
    ]


def test_unknown_key_of_answer_passes_for_other_versions(contract: Contract) -> None:
    exchange = exchange_of("mgmt_users_page")
    exchange = replace(exchange, answer=[{**each, "shoeSize": 43} for each in exchange.answer[:1]])
    assert contract.answer_differences(exchange, allow_unknown_keys=True) == []
    assert contract.answer_differences(exchange) == [
        "GET /users, answer 200: 0: Additional properties are not allowed ('shoeSize' was unexpected)"
    ]


def test_answer_of_wrong_content_type_is_found(contract: Contract) -> None:
    exchange = replace(exchange_of("mgmt_users_page"), answer="OK", answer_type="text/plain")
    assert contract.answer_differences(exchange) == [
        "GET /users, answer 200: text/plain, where the document has application/json"
    ]


def test_factory_of_custom_connector_passes(contract: Contract) -> None:
    factory = {
        **{name: {"en": "x"} for name in ("name", "description")},
        "id": "my-mail",
        "target": "my-mail",
        "type": "Email",
        "platform": None,
        "isDemo": False,
        "logo": "./logo.svg",
        "logoDark": None,
        "readme": "./README.md",
        "configTemplate": "./template.json",
    }
    exchange = Exchange("GET", "/api/connector-factories/my-mail", None, 200, factory)
    assert contract.answer_differences(exchange) == []
