"""Registering a passkey: the options for the browser, and the verification of its answer.

Source: Web Authentication Level 3, sections 5.4 and 7.1, with the options recorded from Logto 1.42. The origin must be
one of the related origins of the account center. The library `fido2` reads and verifies the answer.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .factors import Passkey, passkeys_of
from .records import User

if TYPE_CHECKING:
    from fido2.server import Fido2Server
    from fido2.webauthn import AttestedCredentialData, RegistrationResponse

_ALGORITHMS = (-7, -257)  # ES256 and RS256, by their numbers in COSE
TIMEOUT_MS = 60_000


class PasskeyRefused(Exception):
    """The browser's answer does not verify. The text is the `message` in the data of Logto's error."""


class PasskeysUnsupported(Exception):
    """The library that verifies passkeys is not installed. The text says how to install it."""


def new_challenge() -> str:
    """Return a random challenge of 32 bytes in Base64url."""
    return base64url(secrets.token_bytes(32))


def registration_options(user: User, *, rp_id: str, challenge: str) -> dict[str, Any]:
    """Return the options for `navigator.credentials.create`, in JSON. `rp_id` is the host name of the API."""
    name = user.primary_email or user.primary_phone or user.username or "Unnamed User"
    return {
        "rp": {"name": rp_id, "id": rp_id},
        "user": {"id": base64url(user.id.encode()), "name": name, "displayName": user.name or name},
        "challenge": challenge,
        "pubKeyCredParams": [{"type": "public-key", "alg": number} for number in _ALGORITHMS],
        "timeout": TIMEOUT_MS,
        "excludeCredentials": [descriptor(each) for each in passkeys_of(user.factors)],
        "authenticatorSelection": {
            "requireResidentKey": True,
            "residentKey": "required",
            "userVerification": "required",
        },
        "attestation": "none",
        "extensions": {"credProps": True},
    }


def verified_passkey(
    payload: Mapping[str, Any], *, challenge: str, rp_id: str, origins: Sequence[str], agent: str
) -> Passkey:
    """Return the passkey of the browser's answer. It has no time and no name yet.

    `payload` is Logto's: a `RegistrationResponseJSON` with another `type`.
    Raise PasskeyRefused and PasskeysUnsupported.
    """
    # The origin is checked apart, with a text of Logto.
    server = fido2_server(rp_id, lambda origin: True)
    from fido2.webauthn import RegistrationResponse

    try:
        response = RegistrationResponse.from_dict({**payload, "type": "public-key"})
        assert response is not None
        _check_client_data(response, challenge, origins)
        state = {"challenge": challenge, "user_verification": "required"}
        data = server.register_complete(state, response).credential_data
    except PasskeyRefused:
        raise
    except Exception as error:
        # The library raises many types for malformed data, and all of it comes from outside.
        raise PasskeyRefused(str(error) or type(error).__name__) from error
    if data is None:
        raise PasskeyRefused("No credential ID was provided by authenticator")
    _check_algorithm(data)
    return Passkey(
        rp_id=rp_id,
        credential_id=base64url(data.credential_id),
        public_key=base64url(_encoded_key(data)),
        counter=response.response.attestation_object.auth_data.counter,
        agent=agent,
        transports=list(payload["response"].get("transports") or []),
    )


def fido2_server(rp_id: str, accepts_origin: Callable[[str], bool]) -> Fido2Server:
    """Return the verifier of the library. Raise PasskeysUnsupported."""
    try:
        from fido2.server import Fido2Server
        from fido2.webauthn import PublicKeyCredentialRpEntity
    except ImportError:
        raise PasskeysUnsupported(
            'The emulator needs fido2 to verify passkeys. It is not installed: pip install "logto_auth[emulator]"'
        ) from None
    return Fido2Server(PublicKeyCredentialRpEntity(name=rp_id, id=rp_id), verify_origin=accepts_origin)


def _check_client_data(response: RegistrationResponse, challenge: str, origins: Sequence[str]) -> None:
    """Raise PasskeyRefused with Logto's texts. The library checks the same, with texts of its own."""
    client_data = response.response.client_data
    if client_data.type != "webauthn.create":
        raise PasskeyRefused(f"Unexpected registration response type: {client_data.type}")
    if not hmac.compare_digest(client_data.challenge, from_base64url(challenge)):
        shown = base64url(client_data.challenge)
        raise PasskeyRefused(f'Unexpected registration response challenge "{shown}", expected "{challenge}"')
    if client_data.origin not in origins:
        # Logto's list begins with its own origin, which is empty: it refuses that too unless it is a related origin.
        expected = ", ".join(["", *origins])
        raise PasskeyRefused(
            f'Unexpected registration response origin "{client_data.origin}", expected one of: {expected}'
        )


def _check_algorithm(data: AttestedCredentialData) -> None:
    algorithm = data.public_key.get(3)
    if algorithm not in _ALGORITHMS:
        expected = ", ".join(map(str, _ALGORITHMS))
        raise PasskeyRefused(f'Unexpected public key alg "{algorithm}", expected one of "{expected}"')


def _encoded_key(data: AttestedCredentialData) -> bytes:
    from fido2 import cbor

    return cbor.encode(dict(data.public_key))


def descriptor(passkey: Passkey) -> dict[str, Any]:
    return {"id": passkey.credential_id, "type": "public-key", "transports": list(passkey.transports)}


def base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
