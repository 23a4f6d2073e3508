"""The pages that ask a user to set up a second factor: "Turn on 2-step verification", and one page for each factor.

A new factor is stored once the sign-in is complete, as in Logto.
"""

from __future__ import annotations

from typing import Any, Protocol

from flask import Blueprint, Response, request

from logto_auth.emulator.provider import Provider, current
from logto_auth.emulator.state.factors import new_backup_codes
from logto_auth.emulator.state.mfa_rules import MissingSetUp
from logto_auth.emulator.state.passkey_registration import (
    PasskeyRefused,
    PasskeysUnsupported,
    new_challenge,
    registration_options,
    verified_passkey,
)
from logto_auth.emulator.state.records import User
from logto_auth.emulator.state.refusals import Refused
from logto_auth.emulator.state.sessions import Interaction
from logto_auth.emulator.state.sign_in_rules import SignInRefused
from logto_auth.emulator.state.totp import accepts_totp_code, new_totp_secret, totp_uri
from logto_auth.emulator.state.verified_users import ReturningUser

from .interactions import (
    SubmittedToUnknownSession,
    page,
    refusing,
    submitting_user,
    waiting_user,
)
from .passkey_answers import page_origin, passkey_answer, rp_id
from .sign_in_steps import BINDING_PATH, ONBOARDING_PATH, asked_set_up, continue_sign_in, lacks_second_factor
from .submissions import by_backup_code, by_passkey, by_totp

blueprint = Blueprint("mfa_binding_pages", __name__)


@blueprint.get(ONBOARDING_PATH)
def show_onboarding() -> Response:
    """Ask whether to turn 2-step verification on."""
    provider = current()
    interaction, verified = waiting_user(provider)
    missing = _missing(provider, interaction, verified)
    if missing is None or missing.code != "user.suggest_mfa":
        return continue_sign_in(provider, interaction, verified)
    return page("mfa_onboarding.html", interaction=interaction)


@blueprint.post(ONBOARDING_PATH)
def submit_onboarding() -> Response:
    """Turn 2-step verification on, or skip it if the policy permits that."""
    provider = current()
    interaction, verified = submitting_user(provider)
    missing = _missing(provider, interaction, verified)
    if missing is not None and request.form.get("step") == "enable":
        interaction.mfa.enabled = True
    elif missing is not None and missing.can_be_skipped:
        interaction.mfa.skipped = True
    return continue_sign_in(provider, interaction, verified)


@blueprint.get(BINDING_PATH)
def show_choice() -> Response:
    """Let the user choose which factor to set up."""
    provider = current()
    interaction, verified = waiting_user(provider)
    missing = _missing(provider, interaction, verified)
    if missing is None or missing.code != "user.missing_mfa":
        return continue_sign_in(provider, interaction, verified)
    return page(
        "mfa_factors.html",
        interaction=interaction,
        factors=[each for each in missing.factors if each in _BINDINGS],
        can_be_skipped=missing.can_be_skipped,
        is_new=True,
    )


@blueprint.get(f"{BINDING_PATH}/<factor>")
def show_binding(factor: str) -> Response:
    """Show what is new: a secret, passkey options or backup codes."""
    provider = current()
    interaction, verified = waiting_user(provider)
    missing = _missing(provider, interaction, verified)
    if missing is None or factor not in _bindable(missing):
        return continue_sign_in(provider, interaction, verified)
    interaction.add_record(_BINDINGS[factor].offer(verified.user))
    return _page(interaction, verified.user, factor, missing)


@blueprint.post(f"{BINDING_PATH}/<factor>")
def submit_binding(factor: str) -> Response:
    """Verify the new factor, and go on."""
    provider = current()
    interaction, verified = submitting_user(provider)
    missing = _missing(provider, interaction, verified)
    if missing is None or factor not in _bindable(missing):
        return continue_sign_in(provider, interaction, verified)
    try:
        _BINDINGS[factor].bind(provider, interaction)
        interaction.mfa.enabled = True
        return continue_sign_in(provider, interaction, verified)
    except SignInRefused as refusal:
        return _page(interaction, verified.user, factor, missing, refusal)


def _missing(provider: Provider, interaction: Interaction, verified: ReturningUser) -> MissingSetUp | None:
    """Return what the user has to set up, or None. Before a second factor nothing can be set up."""
    if lacks_second_factor(provider, interaction, verified):
        return None
    return asked_set_up(provider, interaction, verified)


def _bindable(missing: MissingSetUp) -> list[str]:
    """Return the types of factors that the user can set up now."""
    factors = ("BackupCode",) if missing.code == "session.mfa.backup_code_required" else missing.factors
    return [each for each in factors if each in _BINDINGS]


def _page(
    interaction: Interaction, user: User, factor: str, missing: MissingSetUp, refusal: SignInRefused | None = None
) -> Response:
    binding = _BINDINGS[factor]
    return page(
        binding.template,
        refusal=refusal,
        interaction=interaction,
        factor=factor,
        has_choice=len(_bindable(missing)) > 1,
        can_be_skipped=missing.can_be_skipped,
        **binding.shown(interaction, user),
    )


class _Binding(Protocol):
    """How to set up one type of factor: what the page offers and shows, and how the answer is verified."""

    template: str

    def offer(self, user: User) -> dict[str, Any]:
        """Return the verification record of what is new."""

    def shown(self, interaction: Interaction, user: User) -> dict[str, Any]:
        """Return what the page shows of it."""

    def bind(self, provider: Provider, interaction: Interaction) -> None:
        """Verify the answer, and add the factor to the sign-in. Raise SignInRefused."""


class _AuthenticatorApp:
    template = "mfa_authenticator_app.html"

    def offer(self, user: User) -> dict[str, Any]:
        secret = user.offered_totp_secret = new_totp_secret()
        return by_totp(user, secret=secret)

    def shown(self, interaction: Interaction, user: User) -> dict[str, Any]:
        secret = _offered(interaction, "Totp")["secret"]
        account = user.username or user.primary_email or user.primary_phone or "User"
        return {"secret": secret, "uri": totp_uri(secret, service=rp_id(), account=account)}

    def bind(self, provider: Provider, interaction: Interaction) -> None:
        record, code = _offered(interaction, "Totp"), request.form.get("code", "").strip()
        with refusing():
            if not accepts_totp_code(record["secret"], code, provider.clock.precise()):
                raise Refused("session.mfa.invalid_totp_code")
        record["verified"] = True
        interaction.mfa.totp_secret = record["secret"]


class _BackupCodes:
    template = "mfa_backup_codes.html"

    def offer(self, user: User) -> dict[str, Any]:
        return by_backup_code(user, new_codes=new_backup_codes())

    def shown(self, interaction: Interaction, user: User) -> dict[str, Any]:
        return {"codes": _offered(interaction, "BackupCode")["backupCodes"]}

    def bind(self, provider: Provider, interaction: Interaction) -> None:
        interaction.mfa.backup_codes = _offered(interaction, "BackupCode")["backupCodes"]


class _NewPasskey:
    template = "mfa_new_passkey.html"

    def offer(self, user: User) -> dict[str, Any]:
        return by_passkey(user, registrationChallenge=new_challenge(), registrationRpId=rp_id())

    def shown(self, interaction: Interaction, user: User) -> dict[str, Any]:
        record = _offered(interaction, "WebAuthn")
        challenge, rp = record["registrationChallenge"], record["registrationRpId"]
        return {"options": registration_options(user, rp_id=rp, challenge=challenge)}

    def bind(self, provider: Provider, interaction: Interaction) -> None:
        record = _offered(interaction, "WebAuthn")
        try:
            passkey = verified_passkey(
                passkey_answer(),
                challenge=record["registrationChallenge"],
                rp_id=record["registrationRpId"],
                origins=[page_origin(), *provider.tenant.account_center["webauthnRelatedOrigins"]],
                agent=request.headers.get("User-Agent", ""),
            )
        except PasskeyRefused as refused:
            with refusing():
                raise Refused("session.mfa.webauthn_verification_failed") from refused
        except PasskeysUnsupported as error:
            raise SignInRefused("server_error", str(error), status=501) from error
        record["verified"] = True
        interaction.mfa.passkeys = [passkey]


_BINDINGS: dict[str, _Binding] = {
    "Totp": _AuthenticatorApp(),
    "WebAuthn": _NewPasskey(),
    "BackupCode": _BackupCodes(),
}


def _offered(interaction: Interaction, record_type: str) -> dict[str, Any]:
    """Return the record of what the page has offered. Raise SubmittedToUnknownSession if it has offered nothing."""
    record = interaction.records.get(record_type, {})
    if not {"secret", "registrationRpId", "backupCodes"} & record.keys():
        raise SubmittedToUnknownSession
    return record
