"""The claim with the methods of authentication, and the access token that a client receives with it."""

from __future__ import annotations

from typing import Any

import pytest

from logto_auth.oidc.access_tokens import validate_issued_access_token
from logto_auth.oidc.authentication_methods import SECOND_FACTORS, methods_in
from logto_auth.oidc.errors import TokenError
from logto_auth.oidc.secrets import Secret
from logto_auth.oidc.types import AccessTokenClaims
from tests.oidc.signing import ALGORITHMS, CLIENT_ID, ISSUER, KEYS, NOW, OTHER_EC_KEY, sign

API = "https://bookstore.example/api"
SUB = "hodngok08qve"
CLAIMS = {"sub": SUB, "iat": NOW, "exp": NOW + 3600, "client_id": CLIENT_ID, "iss": ISSUER, "aud": API}


@pytest.mark.parametrize(
    ("value", "methods"),
    [
        (["Totp", "Password"], ("Password", "Totp")),
        (["Totp", "Totp"], ("Totp",)),
        ([], ()),
        (["x" * 64], ("x" * 64,)),
        (["x" * 65], None),
        (["Totp"] * 33, None),
        (["Totp", 1], None),
        (["Totp", None], None),
        (["Totp", ["Totp"]], None),
        (["Totp", {}], None),
        (["Totp\x00"], None),
        (["\ud800"], None),
        ([""], None),
        ([True], None),
        ("Totp", None),
        ({"Totp": True}, None),
        (None, None),
    ],
)
def test_only_a_list_of_names_has_methods(value: object, methods: tuple[str, ...] | None) -> None:
    assert methods_in({"authentication_methods": value}) == methods


def test_token_without_the_claim_has_no_methods() -> None:
    assert methods_in({"amr": ["otp"]}) is None


def test_password_is_not_a_second_factor() -> None:
    assert not {"Password", "EmailVerificationCode", "PhoneVerificationCode", "Social"} & set(SECOND_FACTORS)


def issued(token: str) -> AccessTokenClaims:
    return validate_issued_access_token(
        Secret(token),
        keys=KEYS,
        algorithms=ALGORITHMS,
        issuer=ISSUER,
        audience=API,
        client_id=CLIENT_ID,
        sub=SUB,
        leeway_seconds=60,
        now=NOW,
    )


def access_token(**changes: Any) -> str:
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not ...}
    return sign(claims, {"typ": "at+jwt"})


def test_own_token_is_accepted_with_its_claims() -> None:
    claims = issued(access_token(authentication_methods=["Totp"]))
    assert methods_in(claims.claims) == ("Totp",)


@pytest.mark.parametrize(
    ("token", "claim"),
    [
        (access_token(aud="https://library.example/api"), "aud"),
        (access_token(aud=f"{API}/"), "aud"),
        (access_token(aud="urn:logto:organization:harbourbr001"), "aud"),
        (access_token(client_id="another00000000000001"), "client_id"),
        (access_token(client_id=...), "client_id"),
        (access_token(sub="someone00001"), "sub"),
        (access_token(sub=SUB.upper()), "sub"),
        (access_token(iss="https://evil.example/oidc"), "iss"),
        (access_token(exp=NOW - 61), "exp"),
        (sign(CLAIMS), "typ"),
        (sign(CLAIMS, {"typ": "at+jwt"}, OTHER_EC_KEY), "signature"),
        ("rndBytesOfLogto", "token"),
        ("eyJhbGciOiJub25lIn0.e30.", "alg"),
    ],
)
def test_token_of_another_is_refused(token: str, claim: str) -> None:
    with pytest.raises(TokenError) as caught:
        issued(token)
    assert caught.value.claim == claim
    assert token not in str(caught.value)
