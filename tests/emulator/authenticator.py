"""An authenticator that makes passkeys in software, for tests without a browser."""

from __future__ import annotations

import hashlib
import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from fido2 import cbor

USER_PRESENT, USER_VERIFIED, HAS_KEY = 0x01, 0x04, 0x40


def new_passkey(
    options: Mapping[str, Any],
    origin: str,
    *,
    flags: int = USER_PRESENT | USER_VERIFIED | HAS_KEY,
    algorithm: int = -7,
    rp_id: str | None = None,
    **client_data: Any,
) -> dict[str, Any]:
    """Return Logto's payload for a new passkey, as the script of a page makes it. The arguments break its rules."""
    numbers = generate_private_key(SECP256R1()).public_key().public_numbers()
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


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
