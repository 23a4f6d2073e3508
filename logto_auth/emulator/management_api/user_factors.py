"""`/api/users/{id}/mfa-verifications`: the second factors of a user."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from logto_auth.emulator.api.bodies import body
from logto_auth.emulator.api.errors import APIError, not_found
from logto_auth.emulator.api.schemas import discriminated, list_of, object_of, optional, text
from logto_auth.emulator.provider import current
from logto_auth.emulator.state.factors import new_backup_codes, with_backup_codes, with_totp
from logto_auth.emulator.state.records import User
from logto_auth.emulator.state.refusals import Refused
from logto_auth.emulator.state.tenant import Tenant
from logto_auth.emulator.state.totp import new_totp_secret, totp_uri

from .lookup import existing
from .routing import route

_PATH = "/users/:userId/mfa-verifications"
_new_factor = discriminated(
    "type",
    Totp=object_of(type=text(), secret=optional(text())),
    BackupCode=object_of(type=text(), codes=optional(list_of(text()))),
)


@route("GET", _PATH)
def list_factors(tenant: Tenant, user_id: str) -> list[dict[str, Any]]:
    return [factor.as_json() for factor in existing(tenant.users, user_id).factors]


@route("POST", _PATH)
def add_factor(tenant: Tenant, user_id: str) -> dict[str, Any]:
    """Add an authenticator app or backup codes, and return the secret or the codes, which are new if none were given.

    Neither the settings of the tenant nor those of the user count here.
    """
    user, given = existing(tenant.users, user_id), body(_new_factor)
    clock = current().clock
    try:
        if given["type"] == "Totp":
            secret = given["secret"] if given.get("secret") is not None else new_totp_secret()
            factors = with_totp(user.factors, secret, None, at=clock.precise(), created_at=clock.now_iso())
            answer = {"type": "Totp", "secret": secret, "secretQrCode": _qr_code(user, secret)}
        else:
            codes = given["codes"] if given.get("codes") is not None else new_backup_codes()
            factors = with_backup_codes(user.factors, codes, created_at=clock.now_iso())
            answer = {"type": "BackupCode", "codes": codes}
    except Refused as refusal:
        # The Account API answers 400 to a bad secret.
        raise APIError(refusal.code, 422) from refusal
    tenant.update_user(user.id, factors=factors)
    return answer


@route("DELETE", f"{_PATH}/:verificationId", status=204)
def remove_factor(tenant: Tenant, user_id: str, verification_id: str) -> None:
    user = existing(tenant.users, user_id)
    kept = [each for each in user.factors if each.id != verification_id]
    if len(kept) == len(user.factors):
        raise not_found()
    tenant.update_user(user.id, factors=kept)


def _qr_code(user: User, secret: str) -> str:
    """Return the QR code of the secret, as the URL of an image."""
    # Imported here: the pages show the secret itself, so most runs need no image.
    import segno

    account = user.username or user.primary_email or user.primary_phone or user.name or "Unnamed User"
    uri = totp_uri(secret, service=urlsplit(current().issuer).hostname or "", account=account)
    image: str = segno.make(uri, micro=False).png_data_uri(scale=4)
    return image
