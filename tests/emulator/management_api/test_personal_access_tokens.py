"""Personal access tokens in the Management API. Each status and message was tried on Logto 1.42.0."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from logto_auth.emulator import Emulator
from tests.emulator.management_api_client import ManagementAPI

NOT_FOUND = (404, "entity.not_found")
NOT_EXISTS = (404, "entity.not_exists")
TAKEN = (422, "user.personal_access_token_name_exists")
MISFIT = (400, "guard.invalid_input")
FAILED = (500, None)
LONGEST_TIME = 8_640_000_000_000_000


@pytest.fixture
def api(emulator: Emulator) -> Iterator[ManagementAPI]:
    emulator.tenant.add_user(username="ada", id="ada000000001")
    api = ManagementAPI(emulator)
    yield api
    api.http.close()


PATH = "/users/ada000000001/personal-access-tokens"


def result(response: Any) -> tuple[int, str | None]:
    return response.status_code, response.json().get("code")


def names(api: ManagementAPI) -> list[str]:
    return [each["name"] for each in api.get(PATH).json()]


@pytest.mark.parametrize("name", ["a/b", "..", ".", "a%2Fb", "鍵 ü", " ", "line\nbreak", "n" * 256, "\U0001f511" * 128])
def test_odd_name_is_created_and_deleted(api: ManagementAPI, name: str) -> None:
    assert api.post(PATH, {"name": name}).json()["name"] == name
    assert names(api) == [name]
    assert api.post(f"{PATH}/delete", {"name": name}).status_code == 204
    assert names(api) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, MISFIT),
        ({"name": ""}, MISFIT),
        ({"name": 5}, MISFIT),
        ({"name": "n" * 257}, MISFIT),
        # Emoji count twice.
        ({"name": "\U0001f511" * 129}, MISFIT),
        ({"name": "a\0b"}, FAILED),
        ({"name": "new", "expiresAt": "1"}, MISFIT),
        ({"name": "new", "expiresAt": -5}, (400, "request.invalid_input")),
        ({"name": "new", "expiresAt": LONGEST_TIME + 1000}, FAILED),
        ({"name": "taken"}, TAKEN),
    ],
)
def test_wrong_token_is_not_created(api: ManagementAPI, body: Any, expected: Any) -> None:
    api.post(PATH, {"name": "taken"})
    assert result(api.post(PATH, body)) == expected
    assert names(api) == ["taken"]


@pytest.mark.parametrize(
    ("given", "stored"), [(0, 0), (LONGEST_TIME, LONGEST_TIME), (4_000_000_000_000.5, 4_000_000_000_000), (None, None)]
)
def test_time_of_expiry_is_stored(api: ManagementAPI, given: Any, stored: Any) -> None:
    assert api.post(PATH, {"name": "new", "expiresAt": given}).json()["expiresAt"] == stored


def test_half_of_a_pair_is_replaced(api: ManagementAPI) -> None:
    assert api.post(PATH, {"name": "\ud83d"}).json()["name"] == "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"currentName": "one", "name": "two"}, TAKEN),
        ({"currentName": "nope", "name": "new"}, NOT_EXISTS),
        ({"currentName": "", "name": "new"}, NOT_EXISTS),
        # Without the current name, the new one names the token.
        ({"name": "new"}, NOT_EXISTS),
        ({"currentName": "one"}, MISFIT),
        ({"currentName": "one", "name": ""}, MISFIT),
        ({"currentName": "one", "name": "n" * 257}, MISFIT),
        ({"currentName": "one", "name": "a\0b"}, FAILED),
    ],
)
def test_wrong_new_name_changes_nothing(api: ManagementAPI, body: Any, expected: Any) -> None:
    for name in ("one", "two"):
        api.post(PATH, {"name": name})
    assert result(api.patch(PATH, body)) == expected
    assert names(api) == ["one", "two"]


def test_token_is_renamed_and_keeps_its_value(api: ManagementAPI) -> None:
    value = api.post(PATH, {"name": "one"}).json()["value"]
    for path, body in ((PATH, {"currentName": "one", "name": "two"}), (f"{PATH}/two", {"name": "three"})):
        renamed = api.patch(path, body).json()
        assert (renamed["name"], renamed["value"]) == (body["name"], value)
    assert api.patch(PATH, {"currentName": "three", "name": "three"}).status_code == 200
    assert names(api) == ["three"]


def test_unknown_user_is_not_found(api: ManagementAPI) -> None:
    path = "/users/nope/personal-access-tokens"
    assert result(api.get(path)) == NOT_FOUND
    assert result(api.post(path, {"name": "x"})) == (404, "entity.relation_foreign_key_not_found")
    assert result(api.post(f"{path}/delete", {"name": "x"})) == NOT_FOUND
    assert result(api.patch(path, {"currentName": "x", "name": "y"})) == NOT_EXISTS


def test_suspended_user_gets_a_token(api: ManagementAPI, emulator: Emulator) -> None:
    emulator.tenant.users["ada000000001"].is_suspended = True
    assert api.post(PATH, {"name": "new"}).status_code == 201
