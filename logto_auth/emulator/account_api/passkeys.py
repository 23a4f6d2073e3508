"""`/api/verifications/web-authn`: the registration of a passkey."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, request

from logto_auth.emulator.api.bodies import body
from logto_auth.emulator.api.schemas import boolean, choice, list_of, literal, number, object_of, optional, text
from logto_auth.emulator.oidc.http import json_response
from logto_auth.emulator.provider import current
from logto_auth.emulator.state.passkey_registration import (
    PasskeyRefused,
    PasskeysUnsupported,
    new_challenge,
    registration_options,
    verified_passkey,
)
from logto_auth.emulator.state.refusals import Refused
from logto_auth.emulator.state.tenant import Tenant
from logto_auth.emulator.state.verification_records import PasskeyRecord

from .caller import Caller
from .routing import route
from .verifications import record_json

well_known = Blueprint("well_known", __name__, url_prefix="/.well-known")

_TRANSPORTS = ("usb", "nfc", "ble", "internal", "cable", "hybrid", "smart-card")

_response = object_of(
    clientDataJSON=text(),
    attestationObject=text(),
    authenticatorData=optional(text()),
    transports=optional(list_of(choice(*_TRANSPORTS))),
    publicKeyAlgorithm=optional(number),
    publicKey=optional(text()),
)
_payload = object_of(
    type=literal("WebAuthn"),
    id=text(),
    rawId=text(),
    response=_response,
    authenticatorAttachment=optional(choice("cross-platform", "platform")),
    clientExtensionResults=object_of(appid=optional(boolean), hmacCreateSecret=optional(boolean)),
)
_registration = object_of(verificationRecordId=text(), payload=_payload)


@route("POST", "/verifications/web-authn/registration")
def start_registration(tenant: Tenant, caller: Caller) -> dict[str, Any]:
    """Return the options for the browser. The RP id is the host name of this request."""
    caller.require_first_party()
    provider, rp_id = current(), urlsplit(request.host_url).hostname or ""
    record = provider.verifications.add(
        PasskeyRecord(
            account_id=caller.user.id,
            expires_at=provider.verifications.new_expiry,
            challenge=new_challenge(),
            rp_id=rp_id,
        )
    )
    answer = record_json(record)
    options = registration_options(caller.user, rp_id=rp_id, challenge=record.challenge)
    return {
        "verificationRecordId": record.id,
        "registrationOptions": options,
        "expiresAt": answer["expiresAt"],
    }


@route("POST", "/verifications/web-authn/registration/verify")
def verify_registration(tenant: Tenant, caller: Caller) -> dict[str, Any] | Response:
    """Verify the answer of the browser. The origin must be a related origin of the account center, whatever it is."""
    given = body(_registration)
    caller.require_first_party()
    verifications = current().verifications
    record = verifications.find(given["verificationRecordId"], PasskeyRecord)
    try:
        record.passkey = verified_passkey(
            given["payload"],
            challenge=record.challenge,
            rp_id=record.rp_id,
            origins=tenant.account_center["webauthnRelatedOrigins"],
            agent=request.headers.get("User-Agent", ""),
        )
    except PasskeyRefused as refused:
        raise Refused("session.mfa.webauthn_verification_failed", data={"message": str(refused)}) from refused
    except PasskeysUnsupported as error:
        return json_response({"message": str(error)}, status=501)
    record.is_verified = True
    return {"verificationRecordId": record.id}


@well_known.get("/webauthn")
def show_related_origins() -> Response:
    """Return the origins whose pages may make passkeys for this host. Browsers read it (Web Authentication, 5.11)."""
    return json_response({"origins": current().tenant.account_center["webauthnRelatedOrigins"]})
