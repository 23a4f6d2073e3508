"""The provider's signing keys: parsed once, found by `kid`, fetched again for one not seen before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from logto_auth.exceptions import ProviderError

from .http import HTTPClient
from .single_flight import Refreshed

# How long everybody shares the failure to get any keys at all; a person who tries to sign in again waits no longer.
RETRY_SECONDS = 1
# What each algorithm's key must be: type and curve (RFC 7518, sections 3.3, 3.4 and 3.5).
KEY_TYPES = {
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "RS256": ("RSA", None),
    "RS384": ("RSA", None),
    "RS512": ("RSA", None),
    "PS256": ("RSA", None),
    "PS384": ("RSA", None),
    "PS512": ("RSA", None),
}
MIN_RSA_BITS = 2048
MAX_KEYS = 100


class KeySource(Protocol):
    """Whatever can find the keys that may have signed a token."""

    def find(self, kid: str | None, alg: str) -> list[PyJWK]: ...


@dataclass(frozen=True)
class KeySet:
    """The keys of one JWKS document, for the algorithms that the site allows."""

    keys: tuple[PyJWK, ...]

    @classmethod
    def parse(cls, document: dict[str, Any], algorithms: Sequence[str]) -> KeySet:
        """The usable keys of a JWKS document; others are passed over (RFC 7517, section 5)."""
        entries = document.get("keys")
        if not isinstance(entries, list):
            raise ProviderError("The JWKS document has no list of keys.")
        return cls(tuple(key for entry in entries[:MAX_KEYS] for key in _usable_keys(entry, algorithms)))

    def find(self, kid: str | None, alg: str) -> list[PyJWK]:
        """The keys for `kid` and `alg`. Without a `kid`, the one key for `alg` if there is no choice."""
        fitting = [key for key in self.keys if key.algorithm_name == alg]
        if kid is None:
            return fitting if len(fitting) == 1 else []
        return [key for key in fitting if key.key_id == kid]


def _usable_keys(entry: object, algorithms: Sequence[str]) -> list[PyJWK]:
    # An RSA key of Logto has no `alg`: it then serves every allowed algorithm of its type.
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return []
    named = entry.get("alg")
    fitting = [
        alg for alg in algorithms if named in (None, alg) and KEY_TYPES[alg] == (entry.get("kty"), entry.get("crv"))
    ]
    return [key for alg in fitting if (key := _parse_key(entry, alg)) is not None]


def _parse_key(entry: dict[str, Any], alg: str) -> PyJWK | None:
    public_part = {name: value for name, value in entry.items() if name in {"kty", "crv", "x", "y", "n", "e", "kid"}}
    try:
        key = PyJWK(public_part, algorithm=alg)
    except (PyJWTError, ValueError, TypeError, AttributeError):
        return None
    if isinstance(key.key, RSAPublicKey) and key.key.key_size < MIN_RSA_BITS:
        return None
    return key


class RemoteKeySet:
    """The keys at the provider's `jwks_uri`. Safe to share between threads.

    They are fetched at first use, when they have aged, and for an unknown `kid`, though for that at most once per
    cool-down, and at most once in `RETRY_SECONDS` while there are none: whoever sends made-up tokens cannot make this
    site hammer Logto.
    """

    def __init__(
        self,
        http: HTTPClient,
        jwks_uri: Callable[[], str],
        *,
        algorithms: Sequence[str],
        max_age_seconds: float,
        cool_down_seconds: float,
    ) -> None:
        self._http = http
        self._jwks_uri = jwks_uri
        self._algorithms = tuple(algorithms)
        self._key_set = Refreshed(
            self._fetch,
            max_age_seconds=max_age_seconds,
            cool_down_seconds=cool_down_seconds,
            retry_seconds=RETRY_SECONDS,
        )

    def find(self, kid: str | None, alg: str) -> list[PyJWK]:
        """The keys for `kid` and `alg`, empty when Logto has none. Raises ProviderError without any keys at all."""
        return self._key_set.get().find(kid, alg) or self._key_set.demand().find(kid, alg)

    def current(self) -> KeySet:
        """The keys as last fetched; another object once they have been fetched anew. Raises ProviderError."""
        return self._key_set.get()

    def is_current(self, kid: object, alg: object) -> bool:
        """Whether the provider still has the key and signs with this algorithm. Raises ProviderError."""
        keys = self.current().keys
        # Logto lists the key that it signs with first.
        return any(key.key_id == kid for key in keys) and keys[0].algorithm_name == alg

    def _fetch(self) -> KeySet:
        response = self._http.get(self._jwks_uri())
        if response.status != 200:
            raise ProviderError(f"{response.url} answered {response.status}, expected 200 and a key set.")
        return KeySet.parse(response.json_object(), self._algorithms)
