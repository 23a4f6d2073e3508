"""Signing keys, their rotation, and compact JWS."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import RLock
from typing import Any, Literal

from joserfc.jwk import ECKey, Key, OctKey, RSAKey
from joserfc.jws import JWSRegistry

from . import ids
from .clock import Clock

Algorithm = Literal["EC", "RSA"]
Curve = Literal["P-256", "P-384", "P-521"]
Status = Literal["Current", "Next", "Previous"]

# Logto generates RSA keys of 4096 bits, which takes seconds. Keys of 2048 bits sign the same way.
_RSA_BITS = 2048

# The algorithm of an EC key is that of its curve (RFC 7518, section 3.4). Logto generates keys of P-384. Keys of other
# curves come from the operator.
_ALGS_OF_CURVES: dict[Curve, str] = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
LOGTO_CURVE_ALG = "ES384"
# What the discovery document lists for an RSA key, which signs with RS256.
_ALGS_OF_RSA = ("PS256", "RS256")


@dataclass
class SigningKey:
    """A signing key. `id` identifies it in the Management API, `kid` in tokens. Times are in seconds."""

    key: ECKey | RSAKey
    algorithm: Algorithm
    status: Status
    created_at: int
    effective_at: float | None = None
    id: str = field(default_factory=ids.standard_id)

    @property
    def kid(self) -> str:
        """The SHA-256 thumbprint of the key (RFC 7638)."""
        return self.key.thumbprint()

    @property
    def alg(self) -> str:
        return natural_alg(self.key)

    def public_jwk(self) -> dict[str, Any]:
        """Return the JWKS entry. RSA entries have no `alg`."""
        public = self.key.as_dict(private=False)
        if self.algorithm == "RSA":
            return {"kty": "RSA", "use": "sig", "kid": self.kid, "e": public["e"], "n": public["n"]}
        point = {"crv": public["crv"], "x": public["x"], "y": public["y"]}
        return {"kty": "EC", "use": "sig", "kid": self.kid, "alg": self.alg, **point}


class SigningKeys:
    """The signing keys of the tenant: one Current, at most one Next and one Previous."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = RLock()
        self._keys: list[SigningKey] = []
        self.clear()

    @property
    def current(self) -> SigningKey:
        """The key that signs now."""
        return next(key for key in self.all() if key.status == "Current")

    def all(self) -> list[SigningKey]:
        """Return the keys in the order of the JWKS: Current, Next, Previous."""
        with self._lock:
            self._promote_when_due()
            order = ("Current", "Next", "Previous")
            return sorted(self._keys, key=lambda key: order.index(key.status))

    def clear(self) -> None:
        """Replace all keys by one new key, as in a new tenant."""
        with self._lock:
            self._keys = [SigningKey(generate_key("EC"), "EC", "Current", self._clock.now())]

    def rotate(
        self, algorithm: Algorithm = "EC", grace_seconds: int = 0, *, curve: Curve = "P-384"
    ) -> list[SigningKey]:
        """Generate a new key and return all keys. `curve` is that of an EC key.

        Without `grace_seconds` the new key is Current at once. Otherwise it is published as Next, and becomes Current
        when that time is over. Raise ValueError if a Next key exists; Logto answers 422 `oidc.invalid_request`.
        """
        if algorithm not in ("EC", "RSA"):
            raise ValueError(f"Expected the algorithm EC or RSA, not {algorithm!r}.")
        with self._lock:
            if any(key.status == "Next" for key in self.all()):
                raise ValueError("A Next key exists. It must become Current before the next rotation.")
            now = self._clock.precise()
            new = SigningKey(generate_key(algorithm, curve), algorithm, "Next", int(now), now + grace_seconds)
            self._keys.append(new)
            return self.all()

    def remove(self, key: SigningKey) -> None:
        """Delete a key. Tokens that it signed can no longer be verified."""
        with self._lock:
            self._keys.remove(key)

    def jwks(self) -> dict[str, Any]:
        """Return the JWKS document."""
        return {"keys": [key.public_jwk() for key in self.all()]}

    def advertised_algs(self) -> list[str]:
        """Return `id_token_signing_alg_values_supported`: the algorithms of all current kinds of keys."""
        keys = self.all()
        return sorted({alg for key in keys for alg in (_ALGS_OF_RSA if key.algorithm == "RSA" else (key.alg,))})

    def find(self, kid: str) -> SigningKey | None:
        """Return the published key with this `kid`."""
        return next((key for key in self.all() if key.kid == kid), None)

    def _promote_when_due(self) -> None:
        pending = next((key for key in self._keys if key.status == "Next"), None)
        if pending is None or (pending.effective_at or 0) > self._clock.precise():
            return
        self._keys = [key for key in self._keys if key.status != "Previous"]
        for key in self._keys:
            key.status = "Current" if key is pending else "Previous"


def generate_key(algorithm: Algorithm, curve: Curve = "P-384") -> ECKey | RSAKey:
    """Return a new private key: EC of the curve, or RSA."""
    key: ECKey | RSAKey
    key = ECKey.generate_key(curve) if algorithm == "EC" else RSAKey.generate_key(_RSA_BITS)
    return key


def natural_alg(key: Key) -> str:
    """Return the `alg` with which the emulator signs with this key."""
    if isinstance(key, ECKey):
        return _ALGS_OF_CURVES[key.curve_name]  # type: ignore[index]
    if isinstance(key, RSAKey):
        return "RS256"
    return "HS256" if isinstance(key, OctKey) else "EdDSA"


def sign_compact(header: Mapping[str, Any], payload: object, key: Key) -> str:
    """Return a compact JWS with any header and payload.

    joserfc's serializer refuses headers that tests need to forge. If `alg` does not fit the key, the signature uses the
    algorithm of the key and the header is wrong. If `alg` is `none`, in any case of letters, the signature is empty.
    """
    signing_input = f"{_b64_json(header)}.{_b64_json(payload)}"
    alg = header.get("alg")
    if isinstance(alg, str) and alg.lower() == "none":
        return f"{signing_input}."
    signature = _signer(alg, key).sign(signing_input.encode(), key)
    return f"{signing_input}.{_b64(signature)}"


def _signer(alg: object, key: Key) -> Any:
    families = {"EC": ("ES",), "RSA": ("RS", "PS"), "oct": ("HS",), "OKP": ("Ed",)}
    model = JWSRegistry.algorithms.get(alg) if isinstance(alg, str) else None
    fits = model is not None and model.name.startswith(families[key.key_type])
    if fits and not (isinstance(key, ECKey) and alg != natural_alg(key)):
        return model
    return JWSRegistry.algorithms[natural_alg(key)]


def _b64_json(value: object) -> str:
    """Return base64url of the value as JSON. Text and bytes are encoded unchanged."""
    if isinstance(value, bytes):
        return _b64(value)
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    # Like JSON.stringify, escape half of a surrogate pair, which a script can return.
    return _b64(text.encode(errors="backslashreplace"))


def _b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
