"""The factors of the Account API, and passkeys."""

from __future__ import annotations

import requests

from logto_auth.emulator import totp_code
from logto_auth.emulator.state.verification_records import PasskeyRecord

from .account import _permit, _record, _seed
from .play import Scenario, Stage

_FACTORS = ["Totp", "WebAuthn", "BackupCode"]
_SECRET = "EBWDOTYYMRTAIT2ENMHR6TINBAYEYQKP"
_FIELDS = ("name", "avatar", "profile", "email", "phone", "password", "username", "social", "customData", "mfa")
_AGENT = "python-requests/2.34.2"


def _seed_factors(stage: Stage) -> None:
    _seed(stage, name="New Name")
    stage.emulator.tenant.sign_in_experience.mfa_factors = _FACTORS
    stage.emulator.tenant.sign_in_experience.mfa_policy = "NoPrompt"
    stage.names.learn(_AGENT, requests.utils.default_user_agent())
    for record_id in ("noy8jatlgr2aptc394h6i", "03g1udl8t61dayxo3smve"):
        _record(record_id)(stage)


def _own_code(stage: Stage) -> None:
    """Replace the recorded code of the authenticator app by that of the own secret."""
    code = totp_code(stage.names.own(_SECRET), stage.emulator.clock.precise())
    stage.names.learn("534181", code)


def _mfa_off(stage: Stage) -> None:
    _permit(stage, {**dict.fromkeys(_FIELDS, "Edit"), "mfa": "Off"})


FACTORS = Scenario(
    "account",
    _seed_factors,
    (
        "mfa_list_empty",
        "mfa_list_scope_missing",
        "logto_configs",
        "mfa_settings",
        "mfa_totp_secret",
        _own_code,
        "mfa_totp_no_record",
        "mfa_backup_codes_generated",
        "mfa_backup_codes_alone",
        "mfa_totp_bad_secret",
        "mfa_totp_wrong_code",
        "mfa_totp_bound",
        "mfa_totp_twice",
        "mfa_totp_replaced",
        "mfa_backup_codes_bad",
        "mfa_backup_codes_bound",
        "mfa_backup_codes",
        "mfa_list",
        "mfa_settings_patched",
        "mfa_delete_unknown",
        _mfa_off,
        "mfa_field_off",
    ),
    recorded_at=1795883562,
)


def _started(record_id: str, challenge: str) -> PasskeyRecord:
    """Return a record with a recorded id and challenge: the recorded answers of the authenticator are signed for it."""
    return PasskeyRecord(id=record_id, account_id="epg0wpnam14q", expires_at=0, challenge=challenge, rp_id="localhost")


def _seed_passkeys(stage: Stage) -> None:
    _seed_factors(stage)
    # Both addresses had been removed before, so that the username names the passkey.
    stage.emulator.tenant.update_user("epg0wpnam14q", primary_email=None, primary_phone=None)
    stage.emulator.tenant.account_center["webauthnRelatedOrigins"] = [stage.emulator.endpoint]
    verifications = stage.emulator.verifications
    for record_id, challenge in (
        ("b5yb69jsyiardcsti5uc7", "qrd7luOaUMhgMrQ2f4aie-lKifIo2l6fFIpt23bNV8M"),
        ("s5jb4rra84f0hpkdm4eff", "AWtVyomMOb7LszUdW3B3vV0mFjcZsGWgypcR4HsnJNk"),
    ):
        record = _started(record_id, challenge)
        record.expires_at = verifications.new_expiry
        verifications.add(record)


def _recorded_origin(stage: Stage) -> None:
    """Relate the recorded origin, which is in the answer of the authenticator."""
    stage.emulator.tenant.account_center["webauthnRelatedOrigins"] = ["http://localhost:3001"]


PASSKEYS = Scenario(
    "account",
    _seed_passkeys,
    (
        "webauthn_options",
        "webauthn_bad_payload",
        "webauthn_wrong_origin",
        _recorded_origin,
        "webauthn_verified",
        "mfa_webauthn_bound",
        "mfa_list_with_passkey",
        "mfa_webauthn_renamed",
        "mfa_webauthn_deleted",
    ),
    recorded_at=1795883562,
)

SCENARIOS = {"account factors": FACTORS, "account passkeys": PASSKEYS}
