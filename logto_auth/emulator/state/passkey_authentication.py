"""Proving a passkey at a sign-in: the options for the browser, and the verification of its answer.

Source: Web Authentication Level 3, sections 5.5 and 7.2, with the options of Logto 1.42. The origin must be that of the
sign-in page. The library `fido2` reads and verifies the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from .factors import passkeys_of
from .passkey_registration import TIMEOUT_MS, descriptor, fido2_server, from_base64url
from .records import User


def authentication_options(user: User, *, rp_id: str, challenge: str) -> dict[str, Any]:
    """Return the options for `navigator.credentials.get`, in JSON. `rp_id` is the host name of the page."""
    return {
        "challenge": challenge,
        "rpId": rp_id,
        "timeout": TIMEOUT_MS,
        "allowCredentials": [descriptor(each) for each in passkeys_of(user.factors)],
        "userVerification": "required",
    }


def use_passkey(
    user: User, payload: Mapping[str, Any], *, challenge: str, rp_id: str, origin: str, used_at: str
) -> bool:
    """Note the use of a passkey and return True, or return False if the browser's answer does not verify.

    `payload` is an `AuthenticationResponseJSON`. Like Logto, say nothing about why it does not verify. Raise
    PasskeysUnsupported.
    """
    server = fido2_server(rp_id, lambda given: given == origin)
    from fido2 import cbor
    from fido2.cose import CoseKey
    from fido2.webauthn import AttestedCredentialData, AuthenticationResponse, UserVerificationRequirement

    passkey = next((each for each in passkeys_of(user.factors) if each.credential_id == payload.get("id")), None)
    if passkey is None:
        return False
    try:
        response = AuthenticationResponse.from_dict({**payload, "type": "public-key"})
        assert response is not None
        key = CoseKey.parse(cast("dict[int, Any]", cbor.decode(from_base64url(passkey.public_key))))
        credential = AttestedCredentialData.create(bytes(16), from_base64url(passkey.credential_id), key)
        state = {"challenge": challenge, "user_verification": UserVerificationRequirement.REQUIRED}
        server.authenticate_complete(state, [credential], response)
        counter = response.response.authenticator_data.counter
    except Exception:
        # The library raises many types for malformed data, and all of it comes from outside.
        return False
    if (counter or passkey.counter) and counter <= passkey.counter:
        return False
    passkey.counter, passkey.last_used_at = counter, used_at
    return True
