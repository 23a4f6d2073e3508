"""Values that the database or the user model refuses."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model

from logto_auth.exceptions import SignInRefused
from logto_auth.models import LogtoIdentity
from logto_auth.users.claims import user_fields
from logto_auth.users.provisioning import provision

pytestmark = pytest.mark.django_db
User = get_user_model()
CLAIMS = {"iss": "http://localhost:9/oidc", "sub": "hodngok08qve", "username": "ada"}


def invalid_date(claims: Any) -> dict[str, Any]:
    return {**user_fields(claims), "date_joined": "yesterday"}


def invalid_type(claims: Any) -> dict[str, Any]:
    return {**user_fields(claims), "date_joined": [1]}


@pytest.mark.parametrize("function", ["invalid_date", "invalid_type"])
@pytest.mark.parametrize("is_known", [False, True], ids=["new-user", "known-user"])
def test_invalid_value_refuses_the_sign_in(function: str, is_known: bool, settings: Any) -> None:
    if is_known:
        provision(CLAIMS)
    settings.LOGTO_USER_FIELDS = f"{__name__}.{function}"
    with pytest.raises(SignInRefused) as refused:
        provision(CLAIMS)
    assert refused.value.code == "account_incomplete"
    assert "Fields without a valid value: date_joined." in str(refused.value)
    assert User.objects.count() == LogtoIdentity.objects.count() == is_known


# Values that no database stores


def odd_fields(claims: Any) -> dict[str, Any]:
    return {"username": "ada", **claims["odd"]}


def sign_in(odd: dict[str, Any]) -> Any:
    return provision({**CLAIMS, "odd": odd})[0].user


@pytest.mark.parametrize(
    ("odd", "stored"),
    [
        ({"last_name": "Love\x00lace"}, "Lovelace"),
        ({"last_name": "Love\ud800lace"}, "Lovelace"),
        ({"last_name": "x" * 200}, "x" * 150),
    ],
    ids=["nul", "surrogate", "long"],
)
def test_text_that_no_database_stores_is_changed(settings: Any, odd: dict[str, Any], stored: str) -> None:
    settings.LOGTO_USER_FIELDS = f"{__name__}.odd_fields"
    assert sign_in(odd=odd).last_name == stored
    assert sign_in(odd={"last_name": "Byron"}).last_name == "Byron"
    assert sign_in(odd=odd).last_name == stored


def test_deeply_nested_value_is_left_out(settings: Any, caplog: Any) -> None:
    settings.LOGTO_USER_FIELDS = f"{__name__}.odd_fields"
    nested: Any = []
    for _ in range(5000):
        nested = [nested]
    assert sign_in(odd={"last_name": nested}).last_name == ""
    assert "nested too deeply" in caplog.text
