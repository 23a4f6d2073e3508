"""JSON of another shape than that of the types."""

from __future__ import annotations

from typing import Any

import pytest

from logto_auth import exceptions as errors
from logto_auth.account_api.shapes import UNFIT, fitting, required_keys
from logto_auth.account_api.types import Account, AccountCenter, Factor, SignInExperience

from .logto import FakeLogto

WRONG: tuple[Any, ...] = (None, True, 7, "text", [], [7], {}, {"key": 7})


@pytest.mark.parametrize("key", sorted(Account.__annotations__.keys() - {"id"}))
@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_value_is_of_its_type_or_missing(key: str, value: Any) -> None:
    kept = fitting({"id": "u1", key: value}, Account)
    assert kept in ({"id": "u1"}, {"id": "u1", key: value}, {"id": "u1", key: {}}, {"id": "u1", key: []})
    kinds: dict[str, tuple[type, ...]] = {
        "name": (str, type(None)),
        "profile": (dict,),
        "identities": (dict,),
        "ssoIdentities": (list,),
        "hasPassword": (bool,),
        "hasSecurityVerificationMethod": (bool,),
    }
    if key in kept and key in kinds:
        assert isinstance(kept[key], kinds[key])


def test_parts_that_do_not_fit_are_left_out() -> None:
    account = {
        "id": "u1",
        "profile": {"nickname": 7, "gender": "x", "address": ["Kyoto"], "newOfLogto": [1]},
        "identities": {"a": "x", "b": {"details": {}}, "c": {"userId": "1", "details": 7}},
        "newOfLogto": 7,
    }
    assert fitting(account, Account) == {
        "id": "u1",
        "profile": {"gender": "x", "newOfLogto": [1]},
        "identities": {"c": {"userId": "1"}},
        "newOfLogto": 7,
    }


def test_item_without_a_required_key_is_left_out() -> None:
    totp = {"id": "f", "type": "OfNewerLogto", "createdAt": "2026"}
    assert fitting([totp, {"type": "Totp", "createdAt": "2026"}, {**totp, "id": 7}, "x"], list[Factor]) == [totp]


@pytest.mark.parametrize("document", [[], "x", None, {}, {"enabled": True}, {"enabled": 1, "fields": {}}])
def test_document_without_what_it_needs_does_not_fit(document: Any) -> None:
    assert fitting(document, AccountCenter) is UNFIT
    assert required_keys(AccountCenter) == {"enabled", "fields"}


def test_settings_of_the_sign_in_page() -> None:
    connector = {"id": "c", "target": "t", "name": {"en": "T", "ja": 7}, "logo": ""}
    settings = {
        "socialConnectors": [connector, {"id": "d"}],
        "passwordPolicy": {"length": {"min": "8"}, "rejects": []},
        "mfa": {"factors": [{}, "Totp"]},
        "passkeySignIn": True,
    }
    assert fitting(settings, SignInExperience) == {
        "socialConnectors": [{**connector, "name": {"en": "T"}}],
        "passwordPolicy": {"length": {}},
        "mfa": {"factors": ["Totp"]},
    }


def test_half_of_a_surrogate_pair_is_replaced() -> None:
    account = fitting({"id": "u1", "name": "A\ud800", "identities": {"\udfff": {"userId": "1"}}}, Account)
    assert (account["name"], list(account["identities"])) == ("A?", ["?"])


def test_account_without_id_is_an_error(fake: FakeLogto) -> None:
    fake.answer(200, {"id": 7})
    with pytest.raises(errors.AccountAPIError, match="without a text as id"):
        fake.api().get()
