"""How a user signed in, as sessions show it in `lastSubmission`. Source: recorded from Logto 1.42 for passwords."""

from __future__ import annotations

from typing import Any

from flask import request

from logto_auth.emulator.oidc.http import caller_ip
from logto_auth.emulator.state import ids
from logto_auth.emulator.state.records import User
from logto_auth.emulator.state.sessions import Interaction


def by_social_account(connector_id: str, user_info: dict[str, Any]) -> dict[str, Any]:
    """Return the record of a social account."""
    return {"id": ids.standard_id(), "type": "Social", "connectorId": connector_id, "socialUserInfo": user_info}


def by_one_time_token(email: str) -> dict[str, Any]:
    """Return the record of a link."""
    identifier = {"type": "email", "value": email}
    return {"id": ids.standard_id(), "type": "OneTimeToken", "identifier": identifier, "verified": True}


def submission_of(interaction: Interaction, user: User, *, is_new: bool) -> dict[str, Any]:
    """Return the submission of a sign-in or registration. Without another record it was by password."""
    records = [interaction.verification_record or _by_password(user, is_new=is_new)]
    return {
        "interactionEvent": "Register" if is_new else "SignIn",
        "userId": user.id,
        "verificationRecords": records,
        "signInContext": {"ip": caller_ip(), "userAgent": request.headers.get("User-Agent", "")},
    }


def _by_password(user: User, *, is_new: bool) -> dict[str, Any]:
    identifiers = {"username": user.username, "email": user.primary_email, "phone": user.primary_phone}
    kind, value = next(((kind, value) for kind, value in identifiers.items() if value), ("username", ""))
    identifier = {"type": kind, "value": value}
    if is_new:
        return {"id": ids.standard_id(), "type": "NewPasswordIdentity", "identifier": identifier}
    return {"id": ids.standard_id(), "type": "Password", "identifier": identifier, "verified": True}
