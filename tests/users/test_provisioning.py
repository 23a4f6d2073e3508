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
    assert User.objects.count() == LogtoIdentity.objects.count() == is_known
