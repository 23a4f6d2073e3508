"""User objects and claims say the same, in a real Logto's recordings and of a user with everything."""

from __future__ import annotations

from typing import Any

import pytest

from logto_auth.emulator import Clock, Tenant
from logto_auth.emulator.management_api.users import as_json as shown
from logto_auth.emulator.oidc.claims import userinfo_claims
from logto_auth.users.management_api import claims_of
from tests.recorded import recording

SCOPES = ("openid", "profile", "email", "phone", "address", "custom_data", "identities")
# What is not in a user object.
ELSEWHERE = {"roles", "organizations", "organization_data", "organization_roles", "sso_identities"}


def without_what_is_elsewhere(claims: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in claims.items() if name not in ELSEWHERE}


def test_a_real_user_object_says_what_the_real_userinfo_said() -> None:
    _, alice = recording("mgmt_users_page")["body"]
    userinfo = recording("userinfo")["body"]
    claims = claims_of(alice, "http://localhost:3001/oidc", SCOPES)
    assert claims == {"iss": "http://localhost:3001/oidc", **without_what_is_elsewhere(userinfo)}


def test_a_real_user_without_email_and_name_has_them_as_null() -> None:
    noemail, _ = recording("mgmt_users_page")["body"]
    claims = claims_of(noemail, "http://localhost:3001/oidc", SCOPES)
    assert (claims["email"], claims["email_verified"], claims["name"]) == (None, False, None)
    assert "family_name" not in claims


@pytest.mark.parametrize("scopes", [SCOPES, ("openid", "email"), ("openid", "profile", "address"), ("openid",)])
def test_scopes_decide_as_they_do_at_a_sign_in(scopes: tuple[str, ...]) -> None:
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
    claims = claims_of(shown(user), "https://logto.example/oidc", scopes)
    signed_in = without_what_is_elsewhere(userinfo_claims(tenant, user, scopes))
    assert claims == {"iss": "https://logto.example/oidc", **signed_in}


def test_what_has_another_type_counts_as_missing() -> None:
    user = {"id": "x", "name": 1, "primaryEmail": ["a"], "profile": [], "customData": "text", "createdAt": True}
    claims = claims_of(user, "i", SCOPES)
    assert (claims["name"], claims["email"], claims["email_verified"]) == (None, None, False)
    assert not {"custom_data", "created_at", "address"} & claims.keys()
