"""The rules of `oidc.tokens`: each test breaks one rule and nothing else, and good tokens are taken."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from logto_auth.exceptions import TokenError
from logto_auth.oidc.id_tokens import validate_id_token
from logto_auth.oidc.jwks import KeySet
from tests.oidc.signing import (
    ALGORITHMS,
    CLIENT_ID,
    EC_KEY,
    ISSUER,
    KEYS,
    NOW,
    OTHER_EC_KEY,
    RSA_KEY,
    b64,
    jwk,
    raw,
    sign,
)
from tests.recorded import recording

ACCESS_TOKEN = "opaque-access-token"
P256_KEY = ec.generate_private_key(ec.SECP256R1())


def at_hash(alg: str = "sha384", token: str = ACCESS_TOKEN) -> str:
    digest = hashlib.new(alg, token.encode()).digest()
    return b64(digest[: len(digest) // 2])


def good_claims(**changes: Any) -> dict[str, Any]:
    claims = {
        "sub": "hodngok08qve",
        "nonce": "n",
        "at_hash": at_hash(),
        "aud": CLIENT_ID,
        "exp": NOW + 3600,
        "iat": NOW,
        "iss": ISSUER,
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not ...}


def validate(token: object, keys: KeySet = KEYS, **changes: Any) -> Any:
    arguments: dict[str, Any] = {
        "keys": keys,
        "algorithms": ALGORITHMS,
        "issuer": ISSUER,
        "client_id": CLIENT_ID,
        "nonce": "n",
        "access_token": ACCESS_TOKEN,
        "leeway_seconds": 60,
        "now": NOW,
        **changes,
    }
    return validate_id_token(token, **arguments)


def refused(token: object, claim: str, keys: KeySet = KEYS, **changes: Any) -> None:
    with pytest.raises(TokenError) as caught:
        validate(token, keys, **changes)
    assert caught.value.claim == claim
    assert str(token)[:60] not in str(caught.value)


# Real tokens, from the recordings


@pytest.mark.parametrize("jwks", ["jwks_before_rotation", "jwks_after_rotation"])
def test_a_real_id_token_is_taken_with_the_key_sets_before_and_after_rotation(jwks: str) -> None:
    answer = recording("token_authorization_code")["body"]
    keys = KeySet.parse(recording(jwks)["body"], ALGORITHMS)
    claims = validate(answer["id_token"], keys, access_token=answer["access_token"])
    assert dict(claims) == {
        **recording("id_token_decoded")["claims"],
        **{name: claims[name] for name in ("at_hash", "updated_at", "created_at", "iat", "exp")},
    }


def test_a_real_id_token_is_refused_an_hour_later_and_for_another_client() -> None:
    answer = recording("token_authorization_code")["body"]
    keys = KeySet.parse(recording("jwks_after_rotation")["body"], ALGORITHMS)
    refused(answer["id_token"], "exp", keys, access_token=answer["access_token"], now=NOW + 3600 + 60)
    refused(answer["id_token"], "aud", keys, access_token=answer["access_token"], client_id="other")
    refused(answer["id_token"], "iss", keys, access_token=answer["access_token"], issuer=ISSUER + "/")
    refused(answer["id_token"], "nonce", keys, access_token=answer["access_token"], nonce="m")
    refused(answer["id_token"], "at_hash", keys, access_token=answer["access_token"] + "x")


def test_a_real_access_token_and_a_real_logout_token_are_no_id_tokens() -> None:
    keys = KeySet.parse(recording("jwks_after_rotation")["body"], ALGORITHMS)
    refused(recording("refresh_for_resource")["body"]["access_token"], "typ", keys)
    logout_token = recording("backchannel_logout_requests")[0]["body"].removeprefix("logout_token=")
    refused(logout_token, "typ", keys)


# Claims


@pytest.mark.parametrize("aud", [CLIENT_ID, [CLIENT_ID]], ids=["A10-string", "A10-list-of-one"])
def test_good_audiences(aud: Any) -> None:
    assert validate(sign(good_claims(aud=aud)))["sub"] == "hodngok08qve"


def test_A10_several_audiences_are_taken_when_this_client_is_the_authorized_party() -> None:
    assert validate(sign(good_claims(aud=[CLIENT_ID, "other"], azp=CLIENT_ID)))


@pytest.mark.parametrize(
    ("changes", "claim"),
    [
        pytest.param({"iss": "https://evil.example/oidc"}, "iss", id="A9-oidcc-client-test-invalid-iss"),
        pytest.param({"iss": ...}, "iss", id="A9-missing"),
        pytest.param({"iss": ISSUER + "/"}, "iss", id="A9-trailing-slash"),
        pytest.param({"iss": ISSUER.upper()}, "iss", id="A9-other-case"),
        pytest.param({"iss": [ISSUER]}, "iss", id="A9-array"),
        pytest.param({"aud": "other"}, "aud", id="A10-oidcc-client-test-invalid-aud"),
        pytest.param({"aud": ...}, "aud", id="A10-missing"),
        pytest.param({"aud": []}, "aud", id="A10-empty-list"),
        pytest.param({"aud": [CLIENT_ID, "other"]}, "azp", id="A10-several-without-azp"),
        pytest.param({"aud": [CLIENT_ID, "other"], "azp": "other"}, "azp", id="A10-several-azp-other"),
        pytest.param({"aud": "other", "azp": CLIENT_ID}, "aud", id="A10-other-azp-me"),
        pytest.param({"aud": CLIENT_ID[:-1]}, "aud", id="A10-part-of-my-id"),
        pytest.param({"aud": CLIENT_ID + "x"}, "aud", id="A10-my-id-and-more"),
        pytest.param({"aud": {CLIENT_ID: 1}}, "aud", id="A10-object"),
        pytest.param({"exp": NOW - 61}, "exp", id="A11-exp-past"),
        pytest.param({"exp": ...}, "exp", id="A11-exp-missing"),
        pytest.param({"exp": str(NOW + 3600)}, "exp", id="A11-exp-string"),
        pytest.param({"exp": True}, "exp", id="A11-exp-bool"),
        pytest.param({"exp": None}, "exp", id="A11-exp-null"),
        pytest.param({"exp": 10**4000}, "exp", id="A11-exp-huge-integer"),
        pytest.param({"exp": float("nan")}, "exp", id="A11-exp-nan"),
        pytest.param({"iat": ...}, "iat", id="A11-oidcc-client-test-missing-iat"),
        pytest.param({"iat": NOW + 61}, "iat", id="A11-iat-future"),
        pytest.param({"iat": NOW - 30 * 86400}, "iat", id="A11-iat-30-days-old"),
        pytest.param({"nbf": NOW + 61}, "nbf", id="A11-nbf-future"),
        pytest.param({"nbf": "soon"}, "nbf", id="A11-nbf-string"),
        pytest.param({"sub": ...}, "sub", id="A12-oidcc-client-test-missing-sub"),
        pytest.param({"sub": ""}, "sub", id="A12-empty"),
        pytest.param({"sub": 42}, "sub", id="A12-integer"),
        pytest.param({"sub": ["hodngok08qve"]}, "sub", id="A12-list"),
        pytest.param({"sub": "x" * 300}, "sub", id="A12-300-characters"),
        pytest.param({"sub": "a\x00b"}, "sub", id="A12-nul"),
        pytest.param({"nonce": "other"}, "nonce", id="A8-oidcc-client-test-nonce-invalid"),
        pytest.param({"nonce": ...}, "nonce", id="A8-missing"),
        pytest.param({"nonce": ""}, "nonce", id="A8-empty"),
        pytest.param({"nonce": ["n"]}, "nonce", id="A8-list"),
        pytest.param({"nonce": "\ud800"}, "nonce", id="A8-half-a-surrogate-pair"),
        pytest.param({"at_hash": at_hash(token="other")}, "at_hash", id="A23-oidcc-client-test-invalid-athash"),
        pytest.param({"at_hash": ""}, "at_hash", id="A23-empty"),
        pytest.param({"at_hash": None}, "at_hash", id="A23-null"),
        pytest.param({"at_hash": at_hash("sha256")}, "at_hash", id="A23-digest-of-another-alg"),
    ],
)
def test_one_wrong_claim_is_enough(changes: dict[str, Any], claim: str) -> None:
    refused(sign(good_claims(**changes)), claim)


def test_A11_a_number_too_large_for_a_float_is_refused() -> None:
    payload = json.dumps(good_claims()).replace(str(NOW + 3600), "1e400").encode()
    refused(sign(payload), "exp")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"exp": NOW - 59}, id="exp"),
        pytest.param({"iat": NOW + 60}, id="iat"),
        pytest.param({"nbf": NOW + 60}, id="nbf"),
        pytest.param({"iat": NOW - 0.5, "exp": NOW + 0.5}, id="fractions"),
    ],
)
def test_A11_clocks_may_differ_by_the_leeway_and_no_more(changes: dict[str, Any]) -> None:
    assert validate(sign(good_claims(**changes)))
    with pytest.raises(TokenError):
        validate(sign(good_claims(exp=NOW - 60)))


def test_c_hash_has_no_meaning_in_the_code_flow() -> None:
    assert validate(sign(good_claims(c_hash="whatever")))


# Signature and header


def test_oidcc_client_test_idtoken_sig_rs256() -> None:
    assert validate(sign(good_claims(at_hash=at_hash("sha256")), {"kid": "rsa"}, RSA_KEY, "RS256"))


def test_A13_an_algorithm_outside_the_list_is_refused_though_the_key_would_verify() -> None:
    keys = KeySet.parse({"keys": [jwk(RSA_KEY, "rsa")]}, ("RS256", "PS256"))
    token = sign(good_claims(), {"kid": "rsa"}, RSA_KEY, "PS256")
    refused(token, "alg", keys)


@pytest.mark.parametrize("alg", ["none", "None", "nOnE", "", None])
def test_A14_no_signature(alg: str | None) -> None:
    refused(raw({"alg": alg, "kid": "ec", "typ": "JWT"}, good_claims(), b""), "alg")


def test_A14_empty_signature() -> None:
    refused(raw({"alg": "ES384", "kid": "ec", "typ": "JWT"}, good_claims(), b""), "signature")


def test_A15_altered_payload() -> None:
    header, _, signature = sign(good_claims()).split(".")
    altered = b64(json.dumps(good_claims(sub="somebodyelse")).encode())
    refused(f"{header}.{altered}.{signature}", "signature")


@pytest.mark.parametrize("secret", ["client-secret", "pem", "jwk"])
def test_A16_hmac_with_what_an_attacker_knows(secret: str) -> None:
    pem = EC_KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    key = {"client-secret": b"secret", "pem": pem, "jwk": json.dumps(jwk(EC_KEY)).encode()}[secret]
    token = raw(
        {"alg": "HS256", "kid": "ec", "typ": "JWT"}, good_claims(), lambda data: hmac.digest(key, data, "sha256")
    )
    refused(token, "alg")


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c"])
def test_A17_keys_that_a_token_brings_along_count_for_nothing(name: str) -> None:
    value = {"jwk": jwk(OTHER_EC_KEY), "x5c": ["MII="]}.get(name, "https://evil.example/keys")
    refused(sign(good_claims(), {name: value}, OTHER_EC_KEY), "signature")
    assert validate(sign(good_claims(), {name: value}))


@pytest.mark.parametrize("kid", ["other", "../../etc/passwd", "' OR 1=1 --", "x" * 10_000])
def test_A18_an_unknown_kid(kid: str) -> None:
    refused(sign(good_claims(), {"kid": kid}, OTHER_EC_KEY), "kid")


@pytest.mark.parametrize("header", [{"crit": ["exp"], "exp": 1}, {"crit": []}, {"b64": False, "crit": ["b64"]}])
def test_A19_critical_header_parameters(header: dict[str, Any]) -> None:
    with pytest.raises(TokenError) as caught:
        validate(raw({"alg": "ES384", "kid": "ec", "typ": "JWT", **header}, good_claims(), b"x"))
    # PyJWT looks at `crit` too, when it reads the header.
    assert caught.value.claim in ("crit", "header")


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("x" * 1_000_000, id="A20-1-MB"),
        pytest.param("a.b.c.d.e", id="A20-five-segments"),
        pytest.param(f"{b64(b'{')}.{b64(b'{}')}.{b64(b'x')}", id="A20-header-no-json"),
        pytest.param(f"{b64(b'[' * 100_000)}.{b64(b'{}')}.{b64(b'x')}", id="A20-nested-header"),
        pytest.param("", id="A20-empty"),
        pytest.param("é.é.é", id="A20-not-ascii"),
        pytest.param(None, id="A20-null"),
        pytest.param({"a": 1}, id="A20-object"),
        pytest.param(123, id="A20-number"),
    ],
)
def test_A20_what_is_no_token(token: object) -> None:
    with pytest.raises(TokenError):
        validate(token)


@pytest.mark.parametrize("payload", [b"not json", b"[1]", b'"text"', b"[" * 100_000, b"\xff\xfe"])
def test_A20_payloads_that_are_no_claims(payload: bytes) -> None:
    refused(sign(payload), "payload")


# Keys


def test_A21_oidcc_client_test_kid_absent_single_jwks() -> None:
    keys = KeySet.parse({"keys": [jwk(EC_KEY, None)]}, ALGORITHMS)
    assert validate(sign(good_claims(), {"kid": None}), keys)


def test_A21_oidcc_client_test_kid_absent_multiple_jwks() -> None:
    keys = KeySet.parse({"keys": [jwk(EC_KEY, "one"), jwk(OTHER_EC_KEY, "two")]}, ALGORITHMS)
    refused(sign(good_claims(), {"kid": None}), "kid", keys)


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(jwk(EC_KEY, use="enc"), id="use-enc"),
        pytest.param({**jwk(EC_KEY), "kty": "RSA"}, id="wrong-kty"),
        pytest.param({**jwk(EC_KEY), "crv": "P-256"}, id="wrong-crv"),
        pytest.param(jwk(P256_KEY), id="key-of-another-curve"),
        pytest.param({**jwk(EC_KEY), "x": "AAAA"}, id="point-off-the-curve"),
        pytest.param({**jwk(EC_KEY), "x": 5}, id="x-number"),
        pytest.param({"kty": "oct", "k": "AAAA", "kid": "ec"}, id="symmetric"),
        pytest.param({"kty": {}, "kid": "ec"}, id="kty-object"),
        pytest.param("ec", id="text"),
        pytest.param(None, id="null"),
    ],
)
def test_A21_unusable_keys_are_passed_over(entry: Any) -> None:
    keys = KeySet.parse({"keys": [entry]}, ALGORITHMS)
    refused(sign(good_claims()), "kid", keys)
    assert validate(sign(good_claims()), KeySet.parse({"keys": [entry, jwk(EC_KEY)]}, ALGORITHMS))


def test_A21_a_kid_that_two_keys_bear_is_tried_with_both() -> None:
    keys = KeySet.parse({"keys": [jwk(OTHER_EC_KEY), jwk(EC_KEY), jwk(RSA_KEY, "ec")]}, ALGORITHMS)
    assert validate(sign(good_claims()), keys)
    refused(sign(good_claims(), key=ec.generate_private_key(ec.SECP384R1())), "signature", keys)


def test_a_short_rsa_key_is_passed_over() -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    assert KeySet.parse({"keys": [jwk(short, "short")]}, ALGORITHMS).keys == ()


# Kinds of tokens


@pytest.mark.parametrize("typ", ["logout+jwt", "at+jwt", "secevent+jwt", "application/at+jwt", 5, ["JWT"]])
def test_A22_other_kinds_of_tokens_are_no_id_tokens(typ: Any) -> None:
    token = raw({"alg": "ES384", "kid": "ec", "typ": typ}, good_claims(), b"x")
    with pytest.raises(TokenError):
        validate(token)
    if isinstance(typ, str):
        refused(sign(good_claims(), {"typ": typ}), "typ")


@pytest.mark.parametrize("typ", ["JWT", "jwt", None])
def test_the_type_of_an_id_token_is_jwt_or_absent(typ: str | None) -> None:
    if typ is None:
        token = jwt.api_jws.PyJWS().encode(
            json.dumps(good_claims()).encode(), EC_KEY, "ES384", headers={"kid": "ec", "typ": None}
        )
    else:
        token = sign(good_claims(), {"typ": typ})
    assert validate(token)
