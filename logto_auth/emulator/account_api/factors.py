"""`/api/my-account/mfa-verifications`: the second factors of the user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from logto_auth.emulator.api.bodies import body
from logto_auth.emulator.api.schemas import discriminated, list_of, object_of, optional, text
from logto_auth.emulator.api.user_configs import changed_configs
from logto_auth.emulator.api.user_events import announce_change
from logto_auth.emulator.provider import current
from logto_auth.emulator.state.factors import (
    Factor,
    Passkey,
    find_backup_codes,
    find_factor,
    new_backup_codes,
    with_backup_codes,
    with_totp,
)
from logto_auth.emulator.state.refusals import Refused, record_not_found
from logto_auth.emulator.state.tenant import Tenant
from logto_auth.emulator.state.totp import new_totp_secret
from logto_auth.emulator.state.verification_records import PasskeyRecord

from .caller import Caller
from .routing import route

_new_factor = discriminated(
    "type",
    WebAuthn=object_of(type=text(), newIdentifierVerificationRecordId=text(), name=optional(text())),
    Totp=object_of(type=text(), secret=text(), code=optional(text())),
    BackupCode=object_of(type=text(), codes=list_of(text())),
)


@route("GET", "/my-account/mfa-verifications")
def list_factors(tenant: Tenant, caller: Caller) -> list[dict[str, Any]]:
    caller.require_read("mfa")
    caller.require_scope("identities", status=401)
    return [factor.as_json() for factor in caller.user.factors]


@route("POST", "/my-account/mfa-verifications", status=204)
def add_factor(tenant: Tenant, caller: Caller) -> None:
    given = body(_new_factor)
    caller.require_verification()
    caller.require_edit(caller.passkey_field if given["type"] == "WebAuthn" else "mfa")
    _require_change(caller)
    _require_enabled(tenant, given["type"])
    factors = caller.user.factors
    if given["type"] == "Totp":
        _store(tenant, caller, _with_totp(factors, given["secret"], given.get("code")))
    elif given["type"] == "BackupCode":
        _store(tenant, caller, with_backup_codes(factors, given["codes"], created_at=current().clock.now_iso()))
    else:
        passkey = _verified_passkey(given["newIdentifierVerificationRecordId"], given.get("name"))
        # A passkey for signing in without a password is no second factor.
        is_factor = "WebAuthn" in tenant.sign_in_experience.mfa_factors
        _store(tenant, caller, [*factors, passkey], enables_mfa=is_factor)


@route("PUT", "/my-account/mfa-verifications/totp", status=204)
def replace_totp(tenant: Tenant, caller: Caller) -> None:
    """Replace the authenticator app. Without one, add it."""
    given = body(object_of(secret=text(), code=text()))
    caller.require_verification()
    caller.require_edit("mfa")
    _require_change(caller)
    _require_enabled(tenant, "Totp")
    _store(tenant, caller, _with_totp(caller.user.factors, given["secret"], given["code"], replace=True))


@route("POST", "/my-account/mfa-verifications/totp-secret/generate")
def generate_totp_secret(tenant: Tenant, caller: Caller) -> dict[str, Any]:
    """Return a new secret, which is bound to nothing yet."""
    secret = caller.user.offered_totp_secret = new_totp_secret()
    return {"secret": secret}


@route("POST", "/my-account/mfa-verifications/backup-codes/generate")
def generate_backup_codes(tenant: Tenant, caller: Caller) -> dict[str, Any]:
    """Return new codes, which are bound to nothing yet."""
    return {"codes": new_backup_codes()}


@route("GET", "/my-account/mfa-verifications/backup-codes")
def show_backup_codes(tenant: Tenant, caller: Caller) -> dict[str, Any]:
    """Return the codes of the first set, used ones included. The field permission does not count here."""
    caller.require_verification()
    caller.require_scope("identities", status=401)
    found = find_backup_codes(caller.user.factors)
    if found is None:
        raise Refused("verification_record.not_found", 404)
    return {"codes": [code.as_json() for code in found.codes]}


@route("PATCH", "/my-account/mfa-verifications/:verificationId/name")
def rename_passkey(tenant: Tenant, caller: Caller, verification_id: str) -> None:
    """Rename a passkey. Other factors have no name."""
    given = body(object_of(name=text()))
    caller.require_verification()
    caller.require_edit(caller.passkey_field)
    _require_change(caller)
    passkey = find_factor(caller.user.factors, verification_id)
    if not isinstance(passkey, Passkey):
        raise record_not_found()
    renamed = replace(passkey, name=given["name"])
    _store(tenant, caller, [renamed if each is passkey else each for each in caller.user.factors], enables_mfa=False)


@route("DELETE", "/my-account/mfa-verifications/:verificationId", status=204)
def remove_factor(tenant: Tenant, caller: Caller, verification_id: str) -> None:
    """Remove a factor. Backup codes may stay alone."""
    caller.require_verification()
    _require_change(caller)
    removed = find_factor(caller.user.factors, verification_id)
    caller.require_edit(caller.passkey_field if isinstance(removed, Passkey) else "mfa")
    _store(tenant, caller, [each for each in caller.user.factors if each is not removed], enables_mfa=False)


def _require_change(caller: Caller) -> None:
    caller.require_scope("identities", status=401)
    caller.require_first_party()


def _require_enabled(tenant: Tenant, factor_type: str) -> None:
    """Raise Refused unless the tenant enables this type of factor."""
    experience = tenant.sign_in_experience
    is_enabled = factor_type in experience.mfa_factors
    if not is_enabled and not (factor_type == "WebAuthn" and experience.has_passkey_sign_in):
        raise Refused("session.mfa.mfa_factor_not_enabled")


def _with_totp(factors: Sequence[Factor], secret: str, code: str | None, *, replace: bool = False) -> list[Factor]:
    clock = current().clock
    return with_totp(factors, secret, code, at=clock.precise(), created_at=clock.now_iso(), replace=replace)


def _verified_passkey(record_id: str, name: str | None) -> Passkey:
    """Return the passkey of a verified record, with a new id. As in Logto, a record may be used again."""
    found = current().verifications.verified(record_id, PasskeyRecord).passkey
    assert found is not None  # the record is verified
    return Passkey(
        created_at=current().clock.now_iso(),
        rp_id=found.rp_id,
        credential_id=found.credential_id,
        public_key=found.public_key,
        counter=found.counter,
        agent=found.agent,
        transports=found.transports,
        name=name,
    )


def _store(tenant: Tenant, caller: Caller, factors: list[Factor], *, enables_mfa: bool = True) -> None:
    """Store the factors. A new second factor turns MFA on for the user."""
    configs = changed_configs(caller.user, {"mfa": {"enabled": True}}) if enables_mfa else caller.user.logto_configs
    announce_change(tenant.update_user(caller.user.id, factors=factors, logto_configs=configs))
