"""The recordings of Logto 1.41 and 1.42, compared with each other.

Each difference of status, header names, keys, order of keys and types is named. A new one fails.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from logto_auth.emulator.versions import VERSIONS, LogtoVersion
from tests.recorded import FOLDER, recording

# By recording and path: the field of `LogtoVersion` that names the difference.
DRIFT = {
    ("backchannel_logout_requests", "[]/headers"): "backchannel_uses_fetch",
    ("discovery", "body"): "discovery_has_request_parameter",
    ("id_token_after_rotation_header", ""): "id_token_has_typ",
    ("id_token_decoded", "header"): "id_token_has_typ",
    ("id_token_decoded", "claims"): "id_token_has_at_hash",
    ("logout_token_decoded", "claims"): "logout_token_ttl",
    ("mgmt_application_created", "body"): "applications_have_secret",
    ("mgmt_users_page", "body/[]"): "users_have_cimd_client_id",
    ("webhooks", "[]/body/data"): "users_have_cimd_client_id",
    ("webhooks", "[]/body/user"): "users_have_cimd_client_id",
    ("wellknown_sign_in_exp", "body"): "email_blocklist_is_public",
}
# The recorded tenants had other settings and users.
OTHER_DATA = {
    ("mgmt_users_page", "body/[]/lastSignInAt"),
    ("mgmt_users_page", "body/[]/name"),
    ("mgmt_users_page", "body/[]/primaryEmail"),
    ("mgmt_users_page", "body/[]/applicationId"),
    ("webhooks", "[]/body/user/applicationId"),
    *(
        (name, path)
        for name in ("sign_in_exp_patch", "sign_in_exp_patch_social_only", "wellknown_sign_in_exp")
        for path in ("body/mfa/factors", "body/passwordPolicy")
    ),
}
# Recorded in only one version, and why.
ONE_VERSION = {"jwks": "1.42: the key set, as jwks_before_rotation"}

_NAMES = {version: {path.stem for path in (FOLDER / version).glob("*.json")} for version in ("1.41", "1.42")}


def test_both_versions_have_the_same_recordings() -> None:
    assert _NAMES["1.41"] ^ _NAMES["1.42"] == set(ONE_VERSION)


def test_each_difference_between_recordings_is_named() -> None:
    found = {
        (name, path)
        for name in sorted(_NAMES["1.41"] & _NAMES["1.42"])
        for path in _differences(recording(name, "1.41"), recording(name, "1.42"))
    }
    assert found == set(DRIFT) | OTHER_DATA


@pytest.mark.parametrize("field", sorted(set(DRIFT.values())))
def test_named_difference_is_one_of_the_emulator(field: str) -> None:
    assert field in LogtoVersion.__dataclass_fields__
    # The recordings of 1.42 are from the development head.
    assert getattr(VERSIONS["1.41"], field) != getattr(VERSIONS["head"], field)


def test_a_new_key_would_be_found() -> None:
    before = {"status": 200, "headers": {"A": "x"}, "body": {"a": 1, "b": [{"c": None}]}}
    assert set(_differences(before, before)) == set()
    assert set(_differences(before, {**before, "status": 201})) == {"status"}
    assert set(_differences(before, {**before, "headers": {"a": "x"}})) == {"headers"}
    assert set(_differences(before, {**before, "body": {"b": [{"c": None}], "a": 1}})) == {"body"}
    assert set(_differences(before, {**before, "body": {"a": 1, "b": [{"c": ""}]}})) == {"body/b/[]/c"}
    assert set(_differences(before, {**before, "body": {"a": 1, "b": []}})) == {"body/b"}
    assert set(_differences({"body": '{"a": 1}'}, {"body": '{"b": 1}'})) == {"body"}


def _differences(old: Any, new: Any, path: str = "") -> list[str]:
    """Return the paths at which the keys, the order of keys or the types differ, and the status if it does.

    Elements of lists are compared one by one, and JSON in a text is read.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        compared = [key for key in old if key not in {"request", "note"}]
        here = [path] if compared != [key for key in new if key not in {"request", "note"}] else []
        both = [key for key in compared if key in new]
        return here + [found for key in both for found in _differences(old[key], new[key], f"{path}/{key}".strip("/"))]
    if isinstance(old, list) and isinstance(new, list):
        if bool(old) != bool(new):
            return [path]
        pairs = zip(old, new, strict=False)
        return [found for pair in pairs for found in _differences(*pair, f"{path}/[]".strip("/"))]
    if isinstance(old, str) and isinstance(new, str) and old.startswith("{"):
        return _differences(json.loads(old), json.loads(new), path)
    if path == "status":
        return [path] if old != new else []
    return [path] if type(old) is not type(new) else []
