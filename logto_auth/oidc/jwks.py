"""The provider's signing keys: parsed once, found by `kid`, and fetched again for an unknown `kid`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from logto_auth.telemetry import CACHE_LOOKUPS

from .errors import ProviderError
from .http import HTTPClient
from .single_flight import SingleFlight

__all__ = ["KEY_TYPES", "SECONDS_BETWEEN_FETCHES", "KeySet", "KeySource", "RemoteKeySet"]

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

# How often keys are fetched, at most, because of key IDs that may be invented.
SECONDS_BETWEEN_FETCHES = 2
# The same for tokens that Logto has just issued. They have no invented key IDs.
_SECONDS_BETWEEN_TRUSTED_FETCHES = 1

# While there are no keys at all, a failure to fetch them is shared for this long.
_RETRY_SECONDS = 1
_MIN_RSA_BITS = 2048
_MAX_KEYS = 100


class KeySource(Protocol):
    """An object that finds the keys that may have signed a token: a `KeySet`, or a `RemoteKeySet` and its `trusted`."""

    def find(self, kid: str | None, alg: str) -> list[PyJWK]:
        """Return the keys for `kid` and `alg`."""
        ...


@dataclass(frozen=True)
class KeySet:
    """The keys of one JWKS document, for the algorithms that the site allows."""

    keys: tuple[PyJWK, ...]

    @classmethod
    def parse(cls, document: dict[str, Any], algorithms: Sequence[str]) -> KeySet:
        """Return the usable keys of a JWKS document. Other keys are left out (RFC 7517, section 5).

        Raise ProviderError when the document has no list of keys.
        """
        entries = document.get("keys")
        if not isinstance(entries, list):
            raise ProviderError("The JWKS document has no list of keys.")
        return cls(tuple(key for entry in entries[:_MAX_KEYS] for key in _usable_keys(entry, algorithms)))

    def find(self, kid: str | None, alg: str) -> list[PyJWK]:
        """Return the keys for `kid` and `alg`. Without a `kid`, return the key for `alg` if there is only one."""
        keys = [key for key in self.keys if key.algorithm_name == alg]
        if kid is None:
            return keys if len(keys) == 1 else []
        return [key for key in keys if key.key_id == kid]


def _usable_keys(entry: object, algorithms: Sequence[str]) -> list[PyJWK]:
    # Logto's RSA keys have no `alg`. Such a key serves every accepted algorithm of its type.
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return []
    named = entry.get("alg")
    usable = [
        alg for alg in algorithms if named in (None, alg) and KEY_TYPES[alg] == (entry.get("kty"), entry.get("crv"))
    ]
    return [key for alg in usable if (key := _parse_key(entry, alg)) is not None]


def _parse_key(entry: dict[str, Any], alg: str) -> PyJWK | None:
    public_part = {name: value for name, value in entry.items() if name in {"kty", "crv", "x", "y", "n", "e", "kid"}}
    try:
        key = PyJWK(public_part, algorithm=alg)
    except (PyJWTError, ValueError, TypeError, AttributeError):
        return None
    if isinstance(key.key, RSAPublicKey) and key.key.key_size < _MIN_RSA_BITS:
        return None
    return key


@dataclass(frozen=True)
class _TrustedKeys:
    """The keys for tokens that Logto has just issued. An unknown key does not mean that such a token is wrong."""

    key_set: SingleFlight[KeySet]

    def find(self, kid: str | None, alg: str) -> list[PyJWK]:
        """Return the keys for `kid` and `alg`. Raise ProviderError when there are none, also in new keys."""
        keys = self.key_set.get().find(kid, alg)
        keys = keys or self.key_set.renew(seconds_between=_SECONDS_BETWEEN_TRUSTED_FETCHES).find(kid, alg)
        if not keys:
            raise ProviderError(
                f"Logto has issued a token with the {alg} key {kid!r:.60}, which is not among its keys.", status=503
            )
        return keys


class RemoteKeySet:
    """The keys at the provider's `jwks_uri`. Safe to share between threads.

    They are fetched at first use, when they are older than `max_age_seconds`, and for an unknown `kid`.

    As a key source, it is for tokens that anyone may send: invented key IDs cause at most one request in
    `SECONDS_BETWEEN_FETCHES`. `trusted` is the key source for tokens that Logto's token endpoint has just issued.
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
        self._key_set = SingleFlight(
            self._fetch,
            seconds_fresh=max_age_seconds,
            cool_down_seconds=cool_down_seconds,
            retry_seconds=_RETRY_SECONDS,
        )
        self.trusted: KeySource = _TrustedKeys(self._key_set)

    def find(self, kid: str | None, alg: str) -> list[PyJWK]:
        """Return the keys for `kid` and `alg`, an empty list when Logto has none.

        Raise ProviderError when the keys cannot be fetched.
        """
        keys = self._key_set.get().find(kid, alg)
        CACHE_LOOKUPS.add(cache="signing_keys", hit=bool(keys))
        return keys or self._key_set.try_to_renew(seconds_between=SECONDS_BETWEEN_FETCHES).find(kid, alg)

    def current(self) -> KeySet:
        """Return the keys as last fetched. Every fetch makes another object. Raise ProviderError, see `find`."""
        return self._key_set.get()

    def is_current(self, kid: object, alg: object) -> bool:
        """Return whether the provider still has the key and signs with this algorithm. Raise ProviderError."""
        keys = self.current().keys
        # The first key in the list is the one that Logto signs with.
        return any(key.key_id == kid for key in keys) and keys[0].algorithm_name == alg

    def _fetch(self) -> KeySet:
        response = self._http.get(self._jwks_uri())
        if response.status != 200:
            raise ProviderError(f"{response.url} answered {response.status}, expected 200 and a key set.")
        return KeySet.parse(response.json_object(), self._algorithms)
