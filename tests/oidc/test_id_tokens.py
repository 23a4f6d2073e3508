"""ID tokens: signatures and keys. The rules of the claims are in `test_claim_matrix.py`."""

from __future__ import annotations

import hmac
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from logto_auth.oidc.jwks import KeySet
from tests.oidc.kinds import ID, at_hash
from tests.oidc.signing import (
    ALGORITHMS,
    EC_KEY,
    OTHER_EC_KEY,
    RSA_KEY,
    jwk,
    raw,
)

P256_KEY = ec.generate_private_key(ec.SECP256R1())


# Claims


def test_c_hash_is_ignored() -> None:
    assert ID.validate(ID.token({"c_hash": "whatever"}))


# Signature and header


def test_rs256_signature_is_accepted() -> None:
    assert ID.validate(ID.token({"at_hash": at_hash("sha256")}, {"kid": "rsa"}, key=RSA_KEY, alg="RS256"))


def test_algorithm_that_is_not_allowed_is_refused() -> None:
    keys = KeySet.parse({"keys": [jwk(RSA_KEY, "rsa")]}, ("RS256", "PS256"))
    token = ID.token(header={"kid": "rsa"}, key=RSA_KEY, alg="PS256")
    ID.refuses(token, "alg", keys)


@pytest.mark.parametrize("secret", ["client-secret", "pem", "jwk"])
def test_hmac_with_a_public_value_is_refused(secret: str) -> None:
    pem = EC_KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    key = {"client-secret": b"secret", "pem": pem, "jwk": json.dumps(jwk(EC_KEY)).encode()}[secret]
    token = raw({"alg": "HS256", "kid": "ec", "typ": "JWT"}, ID.claims, lambda data: hmac.digest(key, data, "sha256"))
    ID.refuses(token, "alg")


# Keys


def test_missing_kid_is_accepted_with_one_key() -> None:
    keys = KeySet.parse({"keys": [jwk(EC_KEY, None)]}, ALGORITHMS)
    assert ID.validate(ID.token(header={"kid": None}), keys)


def test_missing_kid_is_refused_with_several_keys() -> None:
    keys = KeySet.parse({"keys": [jwk(EC_KEY, "one"), jwk(OTHER_EC_KEY, "two")]}, ALGORITHMS)
    ID.refuses(ID.token(header={"kid": None}), "kid", keys)


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
    ID.refuses(ID.token(), "kid", keys)
    assert ID.validate(ID.token(), KeySet.parse({"keys": [entry, jwk(EC_KEY)]}, ALGORITHMS))


def test_all_keys_with_the_kid_are_tried() -> None:
    keys = KeySet.parse({"keys": [jwk(OTHER_EC_KEY), jwk(EC_KEY), jwk(RSA_KEY, "ec")]}, ALGORITHMS)
    assert ID.validate(ID.token(), keys)
    ID.refuses(ID.token(key=ec.generate_private_key(ec.SECP384R1())), "signature", keys)


def test_short_rsa_key_is_skipped() -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    assert KeySet.parse({"keys": [jwk(short, "short")]}, ALGORITHMS).keys == ()


# Types of tokens


@pytest.mark.parametrize("typ", ["JWT", "jwt", None])
def test_type_jwt_or_none_is_accepted(typ: str | None) -> None:
    if typ is None:
        token = jwt.api_jws.PyJWS().encode(
            json.dumps(ID.claims).encode(), EC_KEY, "ES384", headers={"kid": "ec", "typ": None}
        )
    else:
        token = ID.token(header={"typ": typ})
    assert ID.validate(token)
