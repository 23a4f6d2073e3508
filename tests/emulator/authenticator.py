"""An authenticator that makes passkeys in software, for tests without a browser."""

from __future__ import annotations

import hashlib
import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from fido2 import cbor

USER_PRESENT, USER_VERIFIED, HAS_KEY = 0x01, 0x04, 0x40


def new_passkey(
    options: Mapping[str, Any],
    origin: str,
    *,
    flags: int = USER_PRESENT | USER_VERIFIED | HAS_KEY,
    algorithm: int = -7,
    rp_id: str | None = None,
    private_key: EllipticCurvePrivateKey | None = None,
    **client_data: Any,
) -> dict[str, Any]:
    """Return Logto's payload for a new passkey, as the script of a page makes it. The arguments break its rules."""
    numbers = (private_key or generate_private_key(SECP256R1())).public_key().public_numbers()
    key = {1: 2, 3: algorithm, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
    credential_id = secrets.token_bytes(32)
    told = {"type": "webauthn.create", "challenge": options["challenge"], "origin": origin, **client_data}
    rp_hash = hashlib.sha256((rp_id or options["rp"]["id"]).encode()).digest()
    data = rp_hash + bytes([flags]) + bytes(4)
    if flags & HAS_KEY:
        data += bytes(16) + len(credential_id).to_bytes(2, "big") + credential_id + cbor.encode(key)
    attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
    return {
        "type": "WebAuthn",
        "id": _base64url(credential_id),
        "rawId": _base64url(credential_id),
        "response": {
            "clientDataJSON": _base64url(json.dumps(told).encode()),
            "attestationObject": _base64url(attestation),
            "transports": ["internal"],
        },
        "authenticatorAttachment": "platform",
        "clientExtensionResults": {},
    }


def assertion(
    options: Mapping[str, Any],
    origin: str,
    private_key: EllipticCurvePrivateKey,
    *,
    flags: int = USER_PRESENT | USER_VERIFIED,
    rp_id: str | None = None,
    counter: int = 0,
    **client_data: Any,
) -> dict[str, Any]:
    """Return the JSON for the use of the first allowed passkey. The arguments break the rules."""
    told = {"type": "webauthn.get", "challenge": options["challenge"], "origin": origin, **client_data}
    encoded = json.dumps(told).encode()
    data = hashlib.sha256((rp_id or options["rpId"]).encode()).digest() + bytes([flags]) + counter.to_bytes(4, "big")
    signature = private_key.sign(data + hashlib.sha256(encoded).digest(), ECDSA(SHA256()))
    credential_id = options["allowCredentials"][0]["id"]
    return {
        "id": credential_id,
        "rawId": credential_id,
        "response": {
            "clientDataJSON": _base64url(encoded),
            "authenticatorData": _base64url(data),
            "signature": _base64url(signature),
        },
        "authenticatorAttachment": "platform",
        "clientExtensionResults": {},
    }


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
