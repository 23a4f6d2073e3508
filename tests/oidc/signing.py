"""Sign tokens for the tests, valid or with one fault."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from logto_auth.oidc.jwks import KeySet

# The time, the issuer and the application of the recordings.
NOW = 1_795_400_124
ISSUER = "http://localhost:3001/oidc"
CLIENT_ID = "91yvke02jg9awi4ce01nk"
ALGORITHMS = ("ES384", "RS256")

EC_KEY = ec.generate_private_key(ec.SECP384R1())
OTHER_EC_KEY = ec.generate_private_key(ec.SECP384R1())
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def jwk(key: Any, kid: str | None = "ec", **extra: Any) -> dict[str, Any]:
    algorithm = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    entry = json.loads(algorithm.to_jwk(key.public_key()))
    return {**entry, "use": "sig", **({"kid": kid} if kid else {}), **extra}


KEYS = KeySet.parse({"keys": [jwk(EC_KEY, alg="ES384"), jwk(RSA_KEY, "rsa")]}, ALGORITHMS)


def sign(
    claims: dict[str, Any] | bytes, header: dict[str, Any] | None = None, key: Any = EC_KEY, alg: str = "ES384"
) -> str:
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    headers = {"kid": "ec", "typ": "JWT", **(header or {})}
    return jwt.PyJWS().encode(payload, key, alg, headers={name: value for name, value in headers.items() if value})


def raw(header: dict[str, Any], claims: dict[str, Any], signature: Callable[[bytes], bytes] | bytes) -> str:
    """Return a token with exactly these parts, also such as no library would write."""
    signing_input = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}"
    made = signature if isinstance(signature, bytes) else signature(signing_input.encode())
    return f"{signing_input}.{b64(made)}"
