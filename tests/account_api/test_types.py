"""The types name the keys that Logto's document and the recordings have."""

from __future__ import annotations

import gzip
import json
from functools import cache
from typing import Any

import pytest

from logto_auth.account_api import types
from tests.recorded import FOLDER, recording

USER, MANAGEMENT = "user", "management"


@cache
def document(name: str) -> Any:
    return json.loads(gzip.decompress((FOLDER / "1.42" / "openapi" / f"{name}.json.gz").read_bytes()))


def schema(name: str, path: str, *inside: str) -> Any:
    """Return the schema of the answer to a GET, or of a part of it."""
    operation = document(name)["paths"][path]["get"]
    found = operation["responses"]["200"]["content"]["application/json"]["schema"]
    for key in inside:
        found = found["items"] if key == "items" else found["properties"][key]
    return found


# Each type, and where the document has it.
TYPES: dict[Any, tuple[str, ...]] = {
    types.Account: (USER, "/api/my-account"),
    types.ProfileFields: (USER, "/api/my-account", "profile"),
    types.Address: (USER, "/api/my-account", "profile", "address"),
    types.Factor: (USER, "/api/my-account/mfa-verifications", "items"),
    types.MfaSettings: (USER, "/api/my-account/mfa-settings"),
    types.Session: (USER, "/api/my-account/sessions", "sessions", "items"),
    types.SessionPayload: (USER, "/api/my-account/sessions", "sessions", "items", "payload"),
    types.Grant: (USER, "/api/my-account/grants", "grants", "items"),
    types.GrantPayload: (USER, "/api/my-account/grants", "grants", "items", "payload"),
    types.GrantApplication: (USER, "/api/my-account/grants", "grants", "items", "application"),
    types.AccountCenterFields: (MANAGEMENT, "/api/.well-known/account-center", "fields"),
    types.AccountCenter: (MANAGEMENT, "/api/.well-known/account-center"),
    types.SocialConnector: (MANAGEMENT, "/api/.well-known/sign-in-exp", "socialConnectors", "items"),
}
# Keys that only one side has, and why.
DIFFERENCES: dict[Any, set[str]] = {
    # The document leaves it out, and the recording has it.
    types.GrantPayload: {"openid"},
    # For the Management API only.
    types.AccountCenter: {"id", "tenantId"},
    # In the document, and not in the recording.
    types.SocialConnector: {"fromEmail", "isStandard", "isTokenStorageSupported"},
}


def keys_of(type: Any) -> set[str]:
    return set(type.__annotations__)


@pytest.mark.parametrize("type", TYPES, ids=lambda each: each.__name__)
def test_type_has_the_keys_of_the_document(type: Any) -> None:
    name, path, *inside = TYPES[type]
    assert keys_of(type) ^ set(schema(name, path, *inside)["properties"]) == DIFFERENCES.get(type, set())


def test_recorded_backup_codes_have_the_keys_of_the_type() -> None:
    """The document does not describe them."""
    for code in recording("account/mfa_backup_codes", "1.42")["body"]["codes"]:
        assert set(code) <= keys_of(types.BackupCode)


def test_recorded_connectors_have_the_keys_of_the_type() -> None:
    for connector in recording("wellknown_sign_in_exp", "1.42")["body"]["socialConnectors"]:
        assert set(connector) == keys_of(types.SocialConnector)


def test_recorded_grants_have_the_keys_of_the_type() -> None:
    for grant in recording("account/grants", "1.42")["body"]["grants"]:
        assert set(grant["payload"]) == keys_of(types.GrantPayload)
