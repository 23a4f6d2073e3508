"""Fields, rights, roles and groups from claims."""

from __future__ import annotations

from typing import Any

import pytest

from logto_auth.users.claims import role_names, user_fields
from logto_auth.users.rights import GroupChanges, Rights, changed_roles, group_changes, rights

NOT_A_LIST: list[Any] = [..., None, "admin", {"admin": True}, 5]
NOT_A_LIST_IDS = ["missing", "null", "text", "object", "number"]


def claims_with(name: str, value: Any) -> dict[str, Any]:
    return {} if value is ... else {name: value}


def rights_of(roles: Any, **changes: Any) -> Rights | None:
    settings: dict[str, Any] = {
        "staff_roles": ["admin", "clerk"],
        "superuser_roles": ["root"],
        "groups_by_role": {"editor": "Editors", "writer": "Writers", "admin": "Editors"},
    }
    return rights(claims_with("roles", roles), **{**settings, **changes})


@pytest.mark.parametrize("value", NOT_A_LIST, ids=NOT_A_LIST_IDS)
def test_roles_claim_without_list_gives_no_rights(value: Any) -> None:
    assert role_names(claims_with("roles", value)) is None
    assert rights_of(value) is None


def test_invalid_role_names_are_ignored() -> None:
    assert role_names({"roles": ["a", "", "b\n", None, "x" * 256, "a", ["b"]]}) == {"a"}


def test_one_of_several_roles_gives_the_flag() -> None:
    given = rights_of(["clerk"])
    assert given is not None
    assert (given.is_staff, given.is_superuser) == (True, False)


def test_flag_without_roles_in_settings_is_none() -> None:
    given = rights_of(["root"], staff_roles=[], superuser_roles=())
    assert given is not None
    assert (given.is_staff, given.is_superuser) == (None, None)


def test_two_roles_may_give_the_same_group() -> None:
    given = rights_of(["admin", "editor", "unmapped"])
    assert given is not None
    assert given.groups == {"Editors"}
    assert given.owned_groups == {"Editors", "Writers"}


def test_empty_roles_remove_flags_and_groups() -> None:
    given = rights_of([])
    assert given is not None
    assert (given.is_staff, given.is_superuser, given.groups) == (False, False, frozenset())


def test_changed_roles_are_sorted() -> None:
    assert changed_roles(rights_of(["b", "a", "b"]), []) == ["a", "b"]


@pytest.mark.parametrize("roles", [["b", "a"], ...], ids=["same", "missing"])
def test_unchanged_roles_are_none(roles: Any) -> None:
    assert changed_roles(rights_of(roles), ["a", "b"]) is None


def test_group_changes_join_and_leave_owned_groups() -> None:
    changes = group_changes(rights_of(["editor"]), ["Writers"])
    assert changes == GroupChanges(joined=frozenset({"Editors"}), left=frozenset({"Writers"}))
    assert changes


@pytest.mark.parametrize("roles", [["editor"], ...], ids=["same", "missing"])
def test_no_group_changes_are_false(roles: Any) -> None:
    assert not group_changes(rights_of(roles), ["Editors"])


@pytest.mark.parametrize(
    ("claims", "names"),
    [
        ({"given_name": "Ada", "family_name": "Lovelace", "name": "A. L."}, ("Ada", "Lovelace")),
        ({"family_name": "Lovelace", "name": "A. L."}, ("", "Lovelace")),
        ({"name": "Ada Lovelace"}, ("Ada Lovelace", "")),
        ({"name": None}, ("", "")),
        ({"name": None, "given_name": "Ada"}, ("Ada", "")),
        ({"name": "A. L.", "given_name": None, "family_name": ""}, ("A. L.", "")),
    ],
    ids=["both", "family-name-only", "full-name-only", "null", "given-name-only", "null-given-name"],
)
def test_full_name_is_not_split(claims: dict[str, Any], names: tuple[str, str]) -> None:
    fields = user_fields(claims)
    assert (fields["first_name"], fields["last_name"]) == names


def test_missing_claims_give_no_fields() -> None:
    assert user_fields({}) == {"username": ""}
    assert user_fields({"email": None, "preferred_username": "ada"}) == {"username": "ada", "email": ""}
    assert user_fields({"given_name": None, "family_name": None}) == {"username": ""}


@pytest.mark.parametrize("value", [5, True, ["a"], {"a": 1}])
def test_claim_of_unexpected_type_gives_no_field(value: Any) -> None:
    assert user_fields({"email": value, "name": value, "given_name": value}) == {"username": ""}
