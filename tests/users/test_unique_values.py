"""Usernames and other unique values, with a set of taken values in place of a database."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from logto_auth.users.unique_values import candidates_for_existing, candidates_for_new, settle

User = get_user_model()
SUB = "hodngok08qve"


def username_for(wanted: str, *taken: str, sub: str = SUB) -> Any:
    values: dict[str, Any] = {"username": wanted}
    settle(values, candidates_for_new(User, values, sub), lambda field, value: value in taken, is_new=True)
    return values["username"]


def test_free_username_is_used() -> None:
    assert username_for("ada") == "ada"


def test_taken_username_gets_the_sub_as_suffix() -> None:
    assert username_for("ada", "ada") == f"ada-{SUB}"


def test_sub_is_used_if_both_names_are_taken() -> None:
    assert username_for("ada", "ada", f"ada-{SUB}") == SUB


def test_last_username_is_random_and_not_checked() -> None:
    names = {username_for("ada", "ada", f"ada-{SUB}", SUB) for _ in range(5)}
    assert len(names) == 5
    assert all(name.startswith(f"{SUB}-") for name in names)


@pytest.mark.parametrize("wanted", ["", "///", "x" * 151], ids=["empty", "invalid", "long"])
def test_sub_is_used_without_valid_username(wanted: str) -> None:
    assert username_for(wanted) == SUB


def test_invalid_characters_are_replaced() -> None:
    assert username_for(" ada/lovelace ") == "ada-lovelace"


@pytest.mark.parametrize(
    "wanted", ["\uff41\uff44\uff4d\uff49\uff4e", "\ufb01ona", "\u2167"], ids=["full-width", "ligature", "numeral"]
)
def test_username_is_normalized(wanted: str) -> None:
    assert username_for(wanted) == User.normalize_username(wanted)
    assert username_for(wanted, User.normalize_username(wanted)) == f"{User.normalize_username(wanted)}-{SUB}"


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param("\u0430dmin", id="Cyrillic-a"),
        pytest.param("admin\u0455", id="Cyrillic-s"),
        pytest.param("\u03b1dmin", id="Greek-alpha"),
        pytest.param("\u0251dmin", id="phonetic-alpha"),
        pytest.param("\u1d00\u1d05\u1d0d\u026a\u0274", id="small-capitals"),
        pytest.param("\u0440\u0430\u0443\u0440\u0430\u04cf", id="Cyrillic-paypal"),
        pytest.param("\u13aa\u0430\u0440", id="Cherokee"),
    ],
)
def test_look_alike_gets_the_sub(wanted: str) -> None:
    assert username_for(wanted) == SUB


@pytest.mark.parametrize(
    "wanted",
    [
        "ada",
        "Zoë",
        "Nguyễn",
        "Иванов",
        "\u03bf\u03bb\u03c5\u03bc\u03c0\u03af\u03b1",
        "夏目漱石",
        "すずき",
        "タロー",
        "佐々木",
        "ken健",
        "김철수",
        "محمد",
        "ada_1",
    ],
)
def test_name_in_one_language_is_kept(wanted: str) -> None:
    assert username_for(wanted) == User.normalize_username(wanted)


def test_long_sub_is_truncated() -> None:
    assert username_for("", sub="s" * 200) == "s" * 150


def test_existing_account_keeps_taken_value() -> None:
    values = {"name": "Editors"}
    candidates = candidates_for_existing(Group, values)  # type: ignore[type-var]
    assert [field.name for field in candidates] == ["name"]
    settle(values, candidates, lambda field, value: False, is_new=False)
    assert values == {"name": "Editors"}
    settle(values, candidates, lambda field, value: True, is_new=False)
    assert values == {}


def test_empty_value_of_existing_account_is_not_checked() -> None:
    assert candidates_for_existing(Group, {"name": ""}) == {}  # type: ignore[type-var]
