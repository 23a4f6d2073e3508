"""How a user signed in, as sessions show it in `lastSubmission`. Source: recorded from Logto 1.42 for passwords."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import request

from logto_auth.emulator.oidc.http import caller_ip
from logto_auth.emulator.state import ids
from logto_auth.emulator.state.records import User
from logto_auth.emulator.state.sessions import Interaction
from logto_auth.emulator.state.verification_records import MFA_VERIFICATION, AddressKind

# What Logto stores of a record during a sign-in and leaves out of the session.
_SECRET = frozenset({"secret", "backupCodes", "registrationChallenge", "authenticationChallenge"})


def by_password(user: User, *, is_new: bool = False) -> dict[str, Any]:
    """Return the record of a password, or of a new user with a password."""
    identifiers = {"username": user.username, "email": user.primary_email, "phone": user.primary_phone}
    kind, value = next(((kind, value) for kind, value in identifiers.items() if value), ("username", ""))
    identifier = {"type": kind, "value": value}
    if is_new:
        return {"id": ids.standard_id(), "type": "NewPasswordIdentity", "identifier": identifier}
    return {"id": ids.standard_id(), "type": "Password", "identifier": identifier, "verified": True}


def by_social_account(connector_id: str, user_info: dict[str, Any]) -> dict[str, Any]:
    """Return the record of a social account."""
    return {"id": ids.standard_id(), "type": "Social", "connectorId": connector_id, "socialUserInfo": user_info}


def by_one_time_token(email: str) -> dict[str, Any]:
    """Return the record of a link."""
    identifier = {"type": "email", "value": email}
    return {"id": ids.standard_id(), "type": "OneTimeToken", "identifier": identifier, "verified": True}


def by_totp(user: User, *, secret: str = "", is_verified: bool = False) -> dict[str, Any]:
    """Return the record of an authenticator app. With a secret it is a new one."""
    record = {"id": ids.standard_id(), "type": "Totp", "userId": user.id, "verified": is_verified}
    return record | ({"secret": secret} if secret else {})


def by_passkey(user: User, *, is_verified: bool = False, **details: str) -> dict[str, Any]:
    """Return the record of a passkey. `details` are its challenge, and the RP id if it is a new one."""
    return {"id": ids.standard_id(), "type": "WebAuthn", "userId": user.id, "verified": is_verified, **details}


def by_message(record_id: str, kind: AddressKind, address: str) -> dict[str, Any]:
    """Return the record of a code that was sent to an address as a second factor. It is not verified yet."""
    return {
        "id": record_id,
        "type": "MfaEmailVerificationCode" if kind == "email" else "MfaPhoneVerificationCode",
        "identifier": {"type": kind, "value": address},
        "templateType": MFA_VERIFICATION,
        "verified": False,
    }


def by_backup_code(user: User, *, code: str = "", new_codes: Sequence[str] = ()) -> dict[str, Any]:
    """Return the record of a used backup code, or of new backup codes. It has no `verified`."""
    record: dict[str, Any] = {"id": ids.standard_id(), "type": "BackupCode", "userId": user.id}
    return record | ({"code": code} if code else {}) | ({"backupCodes": list(new_codes)} if new_codes else {})


def submission_of(interaction: Interaction, user: User, *, is_new: bool) -> dict[str, Any]:
    """Return the submission of a sign-in or registration, without new secrets."""
    return {
        "interactionEvent": "Register" if is_new else "SignIn",
        "userId": user.id,
        "verificationRecords": [_shown(each) for each in interaction.records.values()],
        "signInContext": {"ip": caller_ip(), "userAgent": request.headers.get("User-Agent", "")},
    }


def _shown(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record as the session has it."""
    return {name: value for name, value in record.items() if name not in _SECRET}
