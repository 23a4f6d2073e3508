"""The kinds of tokens in tests: how a good one looks, and its validator."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from logto_auth.oidc.access_tokens import validate_access_token
from logto_auth.oidc.errors import TokenError
from logto_auth.oidc.id_tokens import validate_id_token
from logto_auth.oidc.jwks import KeySet
from logto_auth.oidc.logout_tokens import LOGOUT_EVENT, validate_logout_token
from logto_auth.oidc.secrets import Secret
from tests.oidc.signing import ALGORITHMS, CLIENT_ID, ISSUER, KEYS, NOW, b64, raw, sign

LEEWAY = 60
SUB = "hodngok08qve"
API = "https://bookstore.example/api"
ACCESS_TOKEN = "opaque-access-token"


def at_hash(alg: str = "sha384", token: str = ACCESS_TOKEN) -> str:
    digest = hashlib.new(alg, token.encode()).digest()
    return b64(digest[: len(digest) // 2])


def changed(claims: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return `claims` with `changes`; the value `...` removes a claim."""
    return {name: value for name, value in {**claims, **changes}.items() if value is not ...}


@dataclass(frozen=True)
class Kind:
    """A kind of token: how a good one looks, and its validator."""

    typ: str
    claims: dict[str, Any]
    validator: Callable[..., Any]
    arguments: dict[str, Any]

    def token(self, changes: dict[str, Any] | None = None, header: dict[str, Any] | None = None, **key: Any) -> str:
        return sign(changed(self.claims, changes or {}), {"typ": self.typ, **(header or {})}, **key)

    def unsigned(self, header: dict[str, Any]) -> str:
        """Return a token with a header that the library would not write."""
        return raw(changed({"alg": "ES384", "kid": "ec", "typ": self.typ}, header), self.claims, b"x" * 96)

    def validate(self, token: object, keys: KeySet = KEYS, **changes: Any) -> Any:
        arguments = {
            "keys": keys,
            "algorithms": ALGORITHMS,
            "issuer": ISSUER,
            "leeway_seconds": LEEWAY,
            "now": NOW,
            **self.arguments,
            **changes,
        }
        return self.validator(token, **arguments)

    def refuses(self, token: object, claim: str, keys: KeySet = KEYS, **changes: Any) -> None:
        with pytest.raises(TokenError) as caught:
            self.validate(token, keys, **changes)
        assert caught.value.claim == claim
        assert (caught.value.code, caught.value.status) == ("token_invalid", 400)
        # A message never holds the token, and is short whatever the token holds.
        assert not isinstance(token, str) or not token or token not in str(caught.value)
        assert len(str(caught.value)) < 600


ID = Kind(
    "JWT",
    {
        "sub": SUB,
        "nonce": "n",
        "at_hash": at_hash(),
        "aud": CLIENT_ID,
        "exp": NOW + 3600,
        "iat": NOW,
        "iss": ISSUER,
    },
    validate_id_token,
    {"client_id": CLIENT_ID, "nonce": "n", "access_token": Secret(ACCESS_TOKEN)},
)
ACCESS = Kind(
    "at+jwt",
    {
        "sub": SUB,
        "client_id": CLIENT_ID,
        "scope": "read:books",
        "jti": "j",
        "aud": API,
        "exp": NOW + 3600,
        "iat": NOW,
        "iss": ISSUER,
    },
    validate_access_token,
    {},
)
LOGOUT = Kind(
    "logout+jwt",
    {
        "sub": SUB,
        "sid": "s",
        "jti": "j",
        "events": {LOGOUT_EVENT: {}},
        "aud": CLIENT_ID,
        "iat": NOW,
        "iss": ISSUER,
    },
    validate_logout_token,
    {"client_id": CLIENT_ID, "types": {"logout+jwt"}},
)
KINDS = {"id": ID, "access": ACCESS, "logout": LOGOUT}
