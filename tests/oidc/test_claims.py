"""Claims: shared ones cannot be changed, and times have bounds."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from logto_auth.oidc.claims import frozen, is_numeric_date, seconds_since_authentication

CLAIMS = {"sub": "u1", "roles": ["editor", {"a": [1]}], "address": {"country": "JP", "lines": ["1"]}}


@pytest.mark.parametrize(
    "change",
    [
        lambda claims: claims.__setitem__("sub", "u2"),
        lambda claims: claims.__delitem__("sub"),
        lambda claims: claims.update(sub="u2"),
        lambda claims: claims.pop("sub"),
        lambda claims: claims.popitem(),
        lambda claims: claims.clear(),
        lambda claims: claims.setdefault("admin", True),
        lambda claims: claims.__ior__({"admin": True}),
        lambda claims: claims["address"].update(country="FR"),
        lambda claims: claims["address"]["lines"].append("2"),
        lambda claims: claims["roles"].append("admin"),
        lambda claims: claims["roles"].extend(["admin"]),
        lambda claims: claims["roles"].insert(0, "admin"),
        lambda claims: claims["roles"].remove("editor"),
        lambda claims: claims["roles"].pop(),
        lambda claims: claims["roles"].clear(),
        lambda claims: claims["roles"].reverse(),
        lambda claims: claims["roles"].sort(),
        lambda claims: claims["roles"].__setitem__(0, "admin"),
        lambda claims: claims["roles"].__delitem__(0),
        lambda claims: claims["roles"].__iadd__(["admin"]),
        lambda claims: claims["roles"].__imul__(2),
        lambda claims: claims["roles"][1]["a"].append(2),
    ],
)
def test_frozen_claims_refuse_every_change(change: Callable[[Any], Any]) -> None:
    claims = frozen(CLAIMS)
    with pytest.raises(TypeError, match="cannot be changed"):
        change(claims)
    assert claims == CLAIMS


def test_frozen_claims_do_not_follow_the_original() -> None:
    original = copy.deepcopy(CLAIMS)
    claims = frozen(original)
    original["roles"].append("admin")  # type: ignore[attr-defined]
    assert claims == CLAIMS


def test_frozen_claims_serialize_as_json() -> None:
    assert json.loads(json.dumps(frozen(CLAIMS))) == CLAIMS


def test_pickled_claims_are_frozen_again() -> None:
    claims = pickle.loads(pickle.dumps(frozen(CLAIMS)))
    assert claims == CLAIMS
    with pytest.raises(TypeError, match="cannot be changed"):
        claims["roles"].append("admin")


def test_deep_copy_of_claims_can_be_changed() -> None:
    claims: Any = copy.deepcopy(frozen(CLAIMS))
    claims["roles"][1]["a"].append(2)
    claims["address"]["country"] = "FR"
    assert (claims["roles"][1], claims["address"]["country"]) == ({"a": [1, 2]}, "FR")


# Times


@pytest.mark.parametrize(
    "value",
    ["1795400124", None, True, [], {}, -1, -0.5, 1e11, 9e11, 1e400, -1e400, float("nan"), 10**400],
    ids=repr,
)
def test_invalid_times_are_refused(value: Any) -> None:
    assert not is_numeric_date(value)
    assert seconds_since_authentication({"auth_time": value}, 2e9) is None


@pytest.mark.parametrize("value", [0, 1795400124, 1795400124.5, 1e11 - 1])
def test_valid_times_fit_into_a_datetime(value: Any) -> None:
    assert is_numeric_date(value)
    assert datetime.fromtimestamp(value, tz=timezone.utc) + timedelta(days=365_000)


@pytest.mark.parametrize(("auth_time", "age"), [(900, 100), (1000, 0), (1060, -60), (1061, None), (9e10, None)])
def test_future_authentication_is_not_recent(auth_time: float, age: float | None) -> None:
    assert seconds_since_authentication({"auth_time": auth_time}, 1000) == age
