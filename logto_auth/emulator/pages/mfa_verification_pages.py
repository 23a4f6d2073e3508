"""The pages that ask for a second factor: "2-step verification" and one page for each type of factor."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from logto_auth.emulator.provider import Provider, current
from logto_auth.emulator.state.mfa_rules import RECORD_TYPES, factors_for_sign_in
from logto_auth.emulator.state.passkey_authentication import authentication_options
from logto_auth.emulator.state.passkey_registration import PasskeysUnsupported, new_challenge
from logto_auth.emulator.state.records import User
from logto_auth.emulator.state.refusals import Refused
from logto_auth.emulator.state.sessions import Interaction
from logto_auth.emulator.state.sign_in_rules import SignInRefused
from logto_auth.emulator.state.verification_records import MFA_VERIFICATION, AddressKind
from logto_auth.emulator.state.verified_users import ReturningUser

from .interactions import page, refusing, submitting_user, waiting_user
from .passkey_answers import page_origin, passkey_answer, rp_id
from .sign_in_steps import VERIFICATION_PATH, continue_sign_in, lacks_second_factor, to_page
from .sign_in_webhooks import announcing_limits
from .submissions import by_backup_code, by_message, by_passkey, by_totp

blueprint = Blueprint("mfa_verification_pages", __name__)


@blueprint.get(VERIFICATION_PATH)
def show_factors() -> Response:
    """Let the user choose a factor."""
    provider = current()
    interaction, verified = waiting_user(provider)
    if not lacks_second_factor(provider, interaction, verified):
        return continue_sign_in(provider, interaction, verified)
    return page("mfa_factors.html", interaction=interaction, factors=_factors(provider, verified.user), is_new=False)


@blueprint.get(f"{VERIFICATION_PATH}/<factor>")
def show_factor(factor: str) -> Response:
    """Ask for a factor of one type."""
    provider = current()
    interaction, verified = waiting_user(provider)
    return _elsewhere(provider, interaction, verified, factor) or _page(provider, interaction, verified.user, factor)


@blueprint.post(f"{VERIFICATION_PATH}/<factor>")
def submit_factor(factor: str) -> Response:
    """Verify the factor, and go on."""
    provider = current()
    interaction, verified = submitting_user(provider)
    elsewhere = _elsewhere(provider, interaction, verified, factor)
    if elsewhere is not None:
        return elsewhere
    address = _address(verified.user, factor)
    try:
        with refusing(), announcing_limits(provider, interaction, *(address or ("userId", verified.user.id))):
            if address and request.form.get("step") == "send":
                interaction.add_record(_sent(provider, interaction, verified.user, *address))
                return _page(provider, interaction, verified.user, factor)
            interaction.add_record(_proved(provider, interaction, verified.user, factor))
        return continue_sign_in(provider, interaction, verified)
    except SignInRefused as refusal:
        return _page(provider, interaction, verified.user, factor, refusal)


def _factors(provider: Provider, user: User) -> list[str]:
    return factors_for_sign_in(provider.tenant.sign_in_experience, user)


def _elsewhere(provider: Provider, interaction: Interaction, verified: ReturningUser, factor: str) -> Response | None:
    """Return a redirect if no factor is needed any more, or if the user has none of this type."""
    if not lacks_second_factor(provider, interaction, verified):
        return continue_sign_in(provider, interaction, verified)
    return None if factor in _factors(provider, verified.user) else to_page(interaction, VERIFICATION_PATH)


def _address(user: User, factor: str) -> tuple[AddressKind, str] | None:
    """Return the address to which codes of this type of factor are sent, or None for another type."""
    if factor == "EmailVerificationCode":
        return "email", user.primary_email or ""
    return ("phone", user.primary_phone or "") if factor == "PhoneVerificationCode" else None


def _masked(kind: AddressKind, address: str) -> str:
    """Return the address as a page shows it to a user who has proved one factor only."""
    if kind == "phone":
        return f"****{address[-4:]}"
    name, _, domain = address.partition("@")
    return f"{name[:4] if len(name) > 4 else ''}****@{domain}"


def _sent(provider: Provider, interaction: Interaction, user: User, kind: AddressKind, address: str) -> dict[str, Any]:
    """Send a code, and return its verification record. Raise Refused."""
    client = interaction.request.client
    sent = provider.verifications.send_code(user, kind, address, client, template=MFA_VERIFICATION)
    return by_message(sent.id, kind, address)


def _proved(provider: Provider, interaction: Interaction, user: User, factor: str) -> dict[str, Any]:
    """Return the verification record of the submitted factor. Raise Refused, or SignInRefused."""
    code = request.form.get("code", "").strip()
    if factor == "Totp":
        provider.verifications.use_totp_code(user, code)
        return by_totp(user, is_verified=True)
    if factor == "BackupCode":
        provider.verifications.use_backup_code(user, code)
        return by_backup_code(user, code=code)
    if factor == "WebAuthn":
        return _proved_by_passkey(provider, interaction, user)
    record = interaction.records.get(RECORD_TYPES[factor])
    if record is None:
        raise Refused("verification_code.not_found")
    identifier = record["identifier"]
    provider.verifications.verify_code(record["id"], identifier["type"], identifier["value"], code)
    return {**record, "verified": True}


def _proved_by_passkey(provider: Provider, interaction: Interaction, user: User) -> dict[str, Any]:
    """Return the record of a passkey. A challenge is good once."""
    challenge = interaction.records.pop("WebAuthn", {}).get("authenticationChallenge", "")
    try:
        provider.verifications.use_passkey(
            user, passkey_answer(), challenge=challenge, rp_id=rp_id(), origin=page_origin()
        )
    except PasskeysUnsupported as error:
        raise SignInRefused("server_error", str(error), status=501) from error
    return by_passkey(user, is_verified=True)


def _page(
    provider: Provider, interaction: Interaction, user: User, factor: str, refusal: SignInRefused | None = None
) -> Response:
    shown: dict[str, Any] = {"others": [each for each in _factors(provider, user) if each != factor]}
    if factor == "WebAuthn":
        challenge = new_challenge()
        interaction.add_record(by_passkey(user, authenticationChallenge=challenge))
        shown["options"] = authentication_options(user, rp_id=rp_id(), challenge=challenge)
    elif address := _address(user, factor):
        shown |= {"address": _masked(*address), "is_sent": RECORD_TYPES[factor] in interaction.records}
    return page("mfa_verification.html", refusal=refusal, interaction=interaction, factor=factor, **shown)
