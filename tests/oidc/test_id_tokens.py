"""The rules of ID tokens, each broken alone, and real ID tokens."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from logto_auth.oidc.errors import TokenError
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
def test_real_id_token_is_accepted_before_and_after_rotation(jwks: str) -> None:
    answer = recording("token_authorization_code")["body"]
    keys = KeySet.parse(recording(jwks)["body"], ALGORITHMS)
    claims = validate(answer["id_token"], keys, access_token=answer["access_token"])
    assert dict(claims) == {
        **recording("id_token_decoded")["claims"],
        **{name: claims[name] for name in ("at_hash", "updated_at", "created_at", "iat", "exp")},
    }


def test_real_id_token_with_one_mismatch_is_refused() -> None:
    answer = recording("token_authorization_code")["body"]
    keys = KeySet.parse(recording("jwks_after_rotation")["body"], ALGORITHMS)
    refused(answer["id_token"], "exp", keys, access_token=answer["access_token"], now=NOW + 3600 + 60)
    refused(answer["id_token"], "aud", keys, access_token=answer["access_token"], client_id="other")
    refused(answer["id_token"], "iss", keys, access_token=answer["access_token"], issuer=ISSUER + "/")
    refused(answer["id_token"], "nonce", keys, access_token=answer["access_token"], nonce="m")
    refused(answer["id_token"], "at_hash", keys, access_token=answer["access_token"] + "x")


def test_real_access_and_logout_tokens_are_refused() -> None:
    keys = KeySet.parse(recording("jwks_after_rotation")["body"], ALGORITHMS)
    refused(recording("refresh_for_resource")["body"]["access_token"], "typ", keys)
    logout_token = recording("backchannel_logout_requests")[0]["body"].removeprefix("logout_token=")
    refused(logout_token, "typ", keys)


# Claims


@pytest.mark.parametrize("aud", [CLIENT_ID, [CLIENT_ID]], ids=["string", "list-of-one"])
def test_audience_of_this_client_is_accepted(aud: Any) -> None:
    assert validate(sign(good_claims(aud=aud)))["sub"] == "hodngok08qve"


def test_several_audiences_with_azp_are_accepted() -> None:
    assert validate(sign(good_claims(aud=[CLIENT_ID, "other"], azp=CLIENT_ID)))


@pytest.mark.parametrize(
    ("changes", "claim"),
    [
        pytest.param({"iss": "https://evil.example/oidc"}, "iss", id="oidcc-client-test-invalid-iss"),
        pytest.param({"iss": ...}, "iss", id="iss-missing"),
        pytest.param({"iss": ISSUER + "/"}, "iss", id="iss-trailing-slash"),
        pytest.param({"iss": ISSUER.upper()}, "iss", id="iss-other-case"),
        pytest.param({"iss": [ISSUER]}, "iss", id="iss-array"),
        pytest.param({"aud": "other"}, "aud", id="oidcc-client-test-invalid-aud"),
        pytest.param({"aud": ...}, "aud", id="aud-missing"),
        pytest.param({"aud": []}, "aud", id="aud-empty-list"),
        pytest.param({"aud": [CLIENT_ID, "other"]}, "azp", id="azp-several-without-azp"),
        pytest.param({"aud": [CLIENT_ID, "other"], "azp": "other"}, "azp", id="azp-several-azp-other"),
        pytest.param({"aud": "other", "azp": CLIENT_ID}, "aud", id="aud-other-azp-me"),
        pytest.param({"aud": CLIENT_ID[:-1]}, "aud", id="aud-part-of-my-id"),
        pytest.param({"aud": CLIENT_ID + "x"}, "aud", id="aud-my-id-and-more"),
        pytest.param({"aud": {CLIENT_ID: 1}}, "aud", id="aud-object"),
        pytest.param({"exp": NOW - 61}, "exp", id="exp-past"),
        pytest.param({"exp": ...}, "exp", id="exp-missing"),
        pytest.param({"exp": str(NOW + 3600)}, "exp", id="exp-string"),
        pytest.param({"exp": True}, "exp", id="exp-bool"),
        pytest.param({"exp": None}, "exp", id="exp-null"),
        pytest.param({"exp": 10**4000}, "exp", id="exp-huge-integer"),
        pytest.param({"exp": float("nan")}, "exp", id="exp-nan"),
        pytest.param({"iat": ...}, "iat", id="oidcc-client-test-missing-iat"),
        pytest.param({"iat": NOW + 61}, "iat", id="iat-future"),
        pytest.param({"iat": NOW - 30 * 86400}, "iat", id="iat-30-days-old"),
        pytest.param({"nbf": NOW + 61}, "nbf", id="nbf-future"),
        pytest.param({"nbf": "soon"}, "nbf", id="nbf-string"),
        pytest.param({"sub": ...}, "sub", id="oidcc-client-test-missing-sub"),
        pytest.param({"sub": ""}, "sub", id="sub-empty"),
        pytest.param({"sub": 42}, "sub", id="sub-integer"),
        pytest.param({"sub": ["hodngok08qve"]}, "sub", id="sub-list"),
        pytest.param({"sub": "x" * 300}, "sub", id="sub-300-characters"),
        pytest.param({"sub": "a\x00b"}, "sub", id="sub-nul"),
        pytest.param({"nonce": "other"}, "nonce", id="oidcc-client-test-nonce-invalid"),
        pytest.param({"nonce": ...}, "nonce", id="nonce-missing"),
        pytest.param({"nonce": ""}, "nonce", id="nonce-empty"),
        pytest.param({"nonce": ["n"]}, "nonce", id="nonce-list"),
        pytest.param({"nonce": "\ud800"}, "nonce", id="nonce-half-a-surrogate-pair"),
        pytest.param({"at_hash": at_hash(token="other")}, "at_hash", id="oidcc-client-test-invalid-athash"),
        pytest.param({"at_hash": ""}, "at_hash", id="at_hash-empty"),
        pytest.param({"at_hash": None}, "at_hash", id="at_hash-null"),
        pytest.param({"at_hash": at_hash("sha256")}, "at_hash", id="at_hash-digest-of-another-alg"),
    ],
)
def test_one_wrong_claim_is_refused(changes: dict[str, Any], claim: str) -> None:
    refused(sign(good_claims(**changes)), claim)


def test_number_too_large_for_a_float_is_refused() -> None:
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
def test_clocks_may_differ_by_the_leeway(changes: dict[str, Any]) -> None:
    assert validate(sign(good_claims(**changes)))
    with pytest.raises(TokenError):
        validate(sign(good_claims(exp=NOW - 60)))


def test_c_hash_is_ignored() -> None:
    assert validate(sign(good_claims(c_hash="whatever")))


# Signature and header


def test_rs256_signature_is_accepted() -> None:
    assert validate(sign(good_claims(at_hash=at_hash("sha256")), {"kid": "rsa"}, RSA_KEY, "RS256"))


def test_algorithm_that_is_not_allowed_is_refused() -> None:
    keys = KeySet.parse({"keys": [jwk(RSA_KEY, "rsa")]}, ("RS256", "PS256"))
    token = sign(good_claims(), {"kid": "rsa"}, RSA_KEY, "PS256")
    refused(token, "alg", keys)


@pytest.mark.parametrize("alg", ["none", "None", "nOnE", "", None])
def test_token_without_algorithm_is_refused(alg: str | None) -> None:
    refused(raw({"alg": alg, "kid": "ec", "typ": "JWT"}, good_claims(), b""), "alg")


def test_empty_signature_is_refused() -> None:
    refused(raw({"alg": "ES384", "kid": "ec", "typ": "JWT"}, good_claims(), b""), "signature")


def test_altered_payload_is_refused() -> None:
    header, _, signature = sign(good_claims()).split(".")
    altered = b64(json.dumps(good_claims(sub="anotheruser")).encode())
    refused(f"{header}.{altered}.{signature}", "signature")


@pytest.mark.parametrize("secret", ["client-secret", "pem", "jwk"])
def test_hmac_with_a_public_value_is_refused(secret: str) -> None:
    pem = EC_KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    key = {"client-secret": b"secret", "pem": pem, "jwk": json.dumps(jwk(EC_KEY)).encode()}[secret]
    token = raw(
        {"alg": "HS256", "kid": "ec", "typ": "JWT"}, good_claims(), lambda data: hmac.digest(key, data, "sha256")
    )
    refused(token, "alg")


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c"])
def test_keys_in_the_header_are_ignored(name: str) -> None:
    value = {"jwk": jwk(OTHER_EC_KEY), "x5c": ["MII="]}.get(name, "https://evil.example/keys")
    refused(sign(good_claims(), {name: value}, OTHER_EC_KEY), "signature")
    assert validate(sign(good_claims(), {name: value}))


@pytest.mark.parametrize("kid", ["other", "../../etc/passwd", "' OR 1=1 --", "x" * 10_000])
def test_unknown_kid_is_refused(kid: str) -> None:
    refused(sign(good_claims(), {"kid": kid}, OTHER_EC_KEY), "kid")


@pytest.mark.parametrize("header", [{"crit": ["exp"], "exp": 1}, {"crit": []}, {"b64": False, "crit": ["b64"]}])
def test_critical_header_parameters_are_refused(header: dict[str, Any]) -> None:
    with pytest.raises(TokenError) as caught:
        validate(raw({"alg": "ES384", "kid": "ec", "typ": "JWT", **header}, good_claims(), b"x"))
    # PyJWT also checks `crit`, when it reads the header.
    assert caught.value.claim in ("crit", "header")


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("x" * 1_000_000, id="1-MB"),
        pytest.param("a.b.c.d.e", id="five-segments"),
        pytest.param(f"{b64(b'{')}.{b64(b'{}')}.{b64(b'x')}", id="header-no-json"),
        pytest.param(f"{b64(b'[' * 100_000)}.{b64(b'{}')}.{b64(b'x')}", id="nested-header"),
        pytest.param("", id="empty"),
        pytest.param("é.é.é", id="not-ascii"),
        pytest.param(None, id="null"),
        pytest.param({"a": 1}, id="object"),
        pytest.param(123, id="number"),
    ],
)
def test_malformed_token_is_refused(token: object) -> None:
    with pytest.raises(TokenError):
        validate(token)


@pytest.mark.parametrize("payload", [b"not json", b"[1]", b'"text"', b"[" * 100_000, b"\xff\xfe"])
def test_payload_without_claims_is_refused(payload: bytes) -> None:
    refused(sign(payload), "payload")


# Keys


def test_missing_kid_is_accepted_with_one_key() -> None:
    keys = KeySet.parse({"keys": [jwk(EC_KEY, None)]}, ALGORITHMS)
    assert validate(sign(good_claims(), {"kid": None}), keys)


def test_missing_kid_is_refused_with_several_keys() -> None:
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
def test_unusable_keys_are_skipped(entry: Any) -> None:
    keys = KeySet.parse({"keys": [entry]}, ALGORITHMS)
    refused(sign(good_claims()), "kid", keys)
    assert validate(sign(good_claims()), KeySet.parse({"keys": [entry, jwk(EC_KEY)]}, ALGORITHMS))


def test_all_keys_with_the_kid_are_tried() -> None:
    keys = KeySet.parse({"keys": [jwk(OTHER_EC_KEY), jwk(EC_KEY), jwk(RSA_KEY, "ec")]}, ALGORITHMS)
    assert validate(sign(good_claims()), keys)
    refused(sign(good_claims(), key=ec.generate_private_key(ec.SECP384R1())), "signature", keys)


def test_short_rsa_key_is_skipped() -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    assert KeySet.parse({"keys": [jwk(short, "short")]}, ALGORITHMS).keys == ()


# Types of tokens


@pytest.mark.parametrize("typ", ["logout+jwt", "at+jwt", "secevent+jwt", "application/at+jwt", 5, ["JWT"]])
def test_tokens_of_another_type_are_refused(typ: Any) -> None:
    token = raw({"alg": "ES384", "kid": "ec", "typ": typ}, good_claims(), b"x")
    with pytest.raises(TokenError):
        validate(token)
    if isinstance(typ, str):
        refused(sign(good_claims(), {"typ": typ}), "typ")


@pytest.mark.parametrize("typ", ["JWT", "jwt", None])
def test_type_jwt_or_none_is_accepted(typ: str | None) -> None:
    if typ is None:
        token = jwt.api_jws.PyJWS().encode(
            json.dumps(good_claims()).encode(), EC_KEY, "ES384", headers={"kid": "ec", "typ": None}
        )
    else:
        token = sign(good_claims(), {"typ": typ})
    assert validate(token)
