"""`/api/verifications`: records that prove an identity, a new address, or an account at a social provider."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from flask import Response

from logto_auth.emulator.api.bodies import body
from logto_auth.emulator.api.schemas import anything, choice, discriminated, literal, object_of, optional, text, union
from logto_auth.emulator.api.user_events import announcing_limits
from logto_auth.emulator.api.user_schemas import phone
from logto_auth.emulator.oidc.http import json_response
from logto_auth.emulator.provider import current
from logto_auth.emulator.state.password_digests import MalformedDigest
from logto_auth.emulator.state.tenant import Tenant
from logto_auth.emulator.state.verification_records import BIND_MFA, OWN_ADDRESS, VerificationRecord

from .caller import Caller
from .routing import route

_LONGEST_EMAIL = 256

_identifier = discriminated(
    "type",
    email=object_of(type=choice("email"), value=text(at_most=_LONGEST_EMAIL, pattern=r"^\S+@\S+\.\S+$")),
    phone=object_of(type=choice("phone"), value=phone),
)
_sending = object_of(identifier=_identifier, templateType=optional(union(literal(BIND_MFA), literal(OWN_ADDRESS))))
_code = object_of(identifier=_identifier, verificationId=text(), code=text())
_social = object_of(connectorId=text(), state=text(), redirectUri=text(), scope=optional(text()))
_social_answer = object_of(connectorData=anything, verificationRecordId=text())


def record_json(record: VerificationRecord) -> dict[str, Any]:
    """Return the id of a new record and the time until which it is valid."""
    moment = datetime.fromtimestamp(record.expires_at / 1000, timezone.utc)
    expires_at = f"{moment:%Y-%m-%dT%H:%M:%S}.{record.expires_at % 1000:03}Z"
    return {"verificationRecordId": record.id, "expiresAt": expires_at}


@route("POST", "/verifications/password", status=201)
def verify_password(tenant: Tenant, caller: Caller) -> dict[str, Any] | Response:
    given = body(object_of(password=text(at_least=1)))
    caller.require_first_party()
    try:
        with announcing_limits("userId", caller.user.id):
            record = current().verifications.verify_password(caller.user, given["password"])
        return record_json(record)
    except MalformedDigest:
        return json_response({"message": "Internal server error."}, status=500)


@route("POST", "/verifications/verification-code", status=201)
def send_code(tenant: Tenant, caller: Caller) -> dict[str, Any]:
    """Send a code to the present address of the user or to a new one."""
    given = body(_sending)
    identifier = given["identifier"]
    caller.require_first_party()
    kind, address = identifier["type"], identifier["value"]
    template = given.get("templateType", OWN_ADDRESS)
    with announcing_limits(kind, address):
        record = current().verifications.send_code(caller.user, kind, address, caller.application, template=template)
    return record_json(record)


@route("POST", "/verifications/verification-code/verify")
def verify_code(tenant: Tenant, caller: Caller) -> dict[str, Any]:
    given = body(_code)
    identifier = given["identifier"]
    caller.require_first_party()
    kind, address = identifier["type"], identifier["value"]
    with announcing_limits(kind, address):
        record = current().verifications.verify_code(given["verificationId"], kind, address, given["code"])
    return {"verificationRecordId": record.id}


@route("POST", "/verifications/social", status=201)
def start_social(tenant: Tenant, caller: Caller) -> dict[str, Any]:
    given = body(_social)
    record, uri = current().verifications.start_social(
        given["connectorId"],
        state=given["state"],
        redirect_uri=given["redirectUri"],
        scope=given.get("scope"),
        endpoint=current().endpoint,
    )
    answer = record_json(record)
    expires_at = answer.pop("expiresAt")
    return {**answer, "authorizationUri": uri, "expiresAt": expires_at}


@route("POST", "/verifications/social/verify")
def verify_social(tenant: Tenant, caller: Caller) -> dict[str, Any]:
    given = body(_social_answer)
    record = current().verifications.verify_social(given["verificationRecordId"], given["connectorData"])
    return {"verificationRecordId": record.id}
