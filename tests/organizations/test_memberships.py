"""Memberships in claims, and how they change the stored ones."""

from __future__ import annotations

from typing import Any

import pytest

from logto_auth.memberships.claims import (
    Membership,
    membership_changes,
    memberships_in,
    organization_roles_in,
    organizations_in,
)

CLAIMS: dict[str, Any] = {
    "organizations": ["o1", "o2", "o1", "", None],
    "organization_roles": ["o1:manager", "o1:clerk", "o2:a:colon", "o3:elsewhere", "no separator"],
    "organization_data": [{"id": "o1", "name": "North"}, {"id": "o2", "name": None}, {"name": "no id"}, "text"],
}
NOT_A_LIST: list[Any] = [None, "o1", {}, 5]
NOT_A_LIST_IDS = ["null", "text", "object", "number"]


def without(name: str) -> dict[str, Any]:
    return {claim: value for claim, value in CLAIMS.items() if claim != name}


def test_memberships_have_names_and_roles() -> None:
    assert memberships_in(CLAIMS) == (
        Membership(id="o1", name="North", roles=("manager", "clerk")),
        Membership(id="o2", name=None, roles=("a:colon",)),
    )


@pytest.mark.parametrize("value", NOT_A_LIST, ids=NOT_A_LIST_IDS)
def test_organizations_claim_without_list_is_unknown(value: Any) -> None:
    claims = {**CLAIMS, "organizations": value}
    assert memberships_in(claims) is None
    assert organizations_in(claims) == ()
    assert not membership_changes(claims, {"o1": [], "o9": []})


@pytest.mark.parametrize("value", NOT_A_LIST, ids=NOT_A_LIST_IDS)
def test_roles_claim_without_list_keeps_stored_roles(value: Any) -> None:
    claims = {**CLAIMS, "organization_roles": value}
    assert organization_roles_in(claims, "o1") is None
    assert not membership_changes(claims, {"o1": ["owner"], "o2": []})


def test_missing_claims_change_nothing() -> None:
    assert not membership_changes(without("organizations"), {"o9": []})
    assert not membership_changes(without("organization_roles"), {"o1": ["owner"], "o2": []})


def test_roles_of_one_organization_are_separate() -> None:
    assert organization_roles_in(CLAIMS, "o1") == ("manager", "clerk")
    assert organization_roles_in(CLAIMS, "o9") == ()


def test_changes_have_joined_left_and_new_roles() -> None:
    changes = membership_changes(CLAIMS, {"o1": ["clerk"], "o9": ["manager"]})
    assert changes
    assert [each.id for each in changes.joined] == ["o2"]
    assert changes.left == {"o9"}
    assert changes.roles == {"o1": ["clerk", "manager"]}


def test_equal_memberships_change_nothing() -> None:
    assert not membership_changes(CLAIMS, {"o1": ["clerk", "manager"], "o2": ["a:colon"]})


@pytest.mark.parametrize(
    "stored",
    [
        {"o1": ["clerk", "manager"]},
        {"o1": ["clerk", "manager"], "o2": ["a:colon"], "o9": []},
        {"o1": [], "o2": ["a:colon"]},
    ],
    ids=["joined", "left", "roles"],
)
def test_any_single_change_is_true(stored: dict[str, list[str]]) -> None:
    assert membership_changes(CLAIMS, stored)
