"""Claims from user objects, compared with the recorded userinfo of a real Logto."""

from __future__ import annotations

from typing import Any

import pytest

from logto_auth.emulator import Clock, Tenant
from logto_auth.emulator.management_api.users import as_json as shown
from logto_auth.emulator.oidc.claims import userinfo_claims
from logto_auth.users.management_api import claims_of
from tests.recorded import recording

SCOPES = ("openid", "profile", "email", "phone", "address", "custom_data", "identities")
# Claims that no user object has.
ELSEWHERE = {"roles", "organizations", "organization_data", "organization_roles", "sso_identities"}


def without_what_is_elsewhere(claims: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in claims.items() if name not in ELSEWHERE}


def test_claims_of_recorded_user_match_recorded_userinfo() -> None:
    _, alice = recording("mgmt_users_page")["body"]
    userinfo = recording("userinfo")["body"]
    claims = claims_of(alice, "http://localhost:3001/oidc", SCOPES)
    assert claims == {"iss": "http://localhost:3001/oidc", **without_what_is_elsewhere(userinfo)}


def test_null_email_and_name_become_null_claims() -> None:
    noemail, _ = recording("mgmt_users_page")["body"]
    claims = claims_of(noemail, "http://localhost:3001/oidc", SCOPES)
    assert (claims["email"], claims["email_verified"], claims["name"]) == (None, False, None)
    assert "family_name" not in claims


@pytest.mark.parametrize("scopes", [SCOPES, ("openid", "email"), ("openid", "profile", "address"), ("openid",)])
def test_scopes_decide_which_claims_are_returned(scopes: tuple[str, ...]) -> None:
    tenant = Tenant(Clock())
    user = tenant.add_user(
        username="reader",
        primary_email="reader@example.com",
        primary_phone="818012345678",
        name="Reader",
        avatar="https://shop.example/reader.png",
        profile={
            "familyName": "Er",
            "givenName": "Read",
            "preferredUsername": "red",
            "locale": "ja",
            "address": {"postalCode": "100-0001"},
        },
        identities={"alipay": {"userId": "2088", "details": {"name": "R"}}},
        custom_data={"points": 3},
    )
    claims = claims_of(shown(tenant, user), "https://logto.example/oidc", scopes)
    signed_in = without_what_is_elsewhere(userinfo_claims(tenant, user, scopes))
    assert claims == {"iss": "https://logto.example/oidc", **signed_in}


def test_value_of_unexpected_type_is_treated_as_missing() -> None:
    user = {"id": "x", "name": 1, "primaryEmail": ["a"], "profile": [], "customData": "text", "createdAt": True}
    claims = claims_of(user, "i", SCOPES)
    assert claims == {"iss": "i", "sub": "x"}


def test_missing_values_give_no_claims() -> None:
    assert claims_of({"id": "x"}, "i", SCOPES) == {"iss": "i", "sub": "x"}
