"""The pages that ask for a second factor: "2-step verification" and one page for each type of factor."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from logto_auth.emulator.provider import Provider, current
from logto_auth.emulator.state.mfa_rules import factors_for_sign_in
from logto_auth.emulator.state.records import User
from logto_auth.emulator.state.sessions import Interaction
from logto_auth.emulator.state.sign_in_rules import SignInRefused
from logto_auth.emulator.state.verified_users import ReturningUser

from .interactions import (
    SubmittedToUnknownSession,
    UnknownSession,
    page,
    refusing,
    submitted_interaction,
    waiting_interaction,
)
from .sign_in_steps import VERIFICATION_PATH, continue_sign_in, lacks_second_factor, to_page
from .sign_in_webhooks import announcing_lockout
from .submissions import by_backup_code, by_totp

blueprint = Blueprint("mfa_verification_pages", __name__)


@blueprint.get(VERIFICATION_PATH)
def show_factors() -> Response:
    """Let the user choose a factor."""
    provider = current()
    interaction = waiting_interaction(provider, "login", "consent")
    verified = _verified(interaction)
    if not lacks_second_factor(provider, interaction, verified):
        return continue_sign_in(provider, interaction, verified)
    return page("mfa_factors.html", interaction=interaction, factors=_factors(provider, verified.user), is_new=False)


@blueprint.get(f"{VERIFICATION_PATH}/<factor>")
def show_factor(factor: str) -> Response:
    """Ask for a factor of one type."""
    provider = current()
    interaction = waiting_interaction(provider, "login", "consent")
    verified = _verified(interaction)
    if not lacks_second_factor(provider, interaction, verified):
        return continue_sign_in(provider, interaction, verified)
    if factor not in _factors(provider, verified.user):
        return to_page(interaction, VERIFICATION_PATH)
    return _page(provider, interaction, verified.user, factor)


@blueprint.post(f"{VERIFICATION_PATH}/<factor>")
def submit_factor(factor: str) -> Response:
    """Verify the factor, and go on."""
    provider = current()
    interaction = submitted_interaction(provider, "login", "consent")
    if interaction.verified is None:
        raise SubmittedToUnknownSession
    verified = _verified(interaction)
    if not lacks_second_factor(provider, interaction, verified):
        return continue_sign_in(provider, interaction, verified)
    if factor not in _factors(provider, verified.user):
        return to_page(interaction, VERIFICATION_PATH)
    try:
        interaction.add_record(_proved(provider, interaction, verified.user, factor))
        return continue_sign_in(provider, interaction, verified)
    except SignInRefused as refusal:
        return _page(provider, interaction, verified.user, factor, refusal)


def _verified(interaction: Interaction) -> ReturningUser:
    """Return the user whose sign-in is in progress. Raise UnknownSession."""
    if not isinstance(interaction.verified, ReturningUser):
        raise UnknownSession
    return interaction.verified


def _factors(provider: Provider, user: User) -> list[str]:
    return factors_for_sign_in(provider.tenant.sign_in_experience, user)


def _proved(provider: Provider, interaction: Interaction, user: User, factor: str) -> dict[str, Any]:
    """Return the verification record of the submitted factor. Raise SignInRefused."""
    code = request.form.get("code", "").strip()
    with refusing(), announcing_lockout(provider, interaction, user):
        if factor == "Totp":
            provider.verifications.use_totp_code(user, code)
            return by_totp(user, is_verified=True)
        provider.verifications.use_backup_code(user, code)
        return by_backup_code(user, code=code)


def _page(
    provider: Provider, interaction: Interaction, user: User, factor: str, refusal: SignInRefused | None = None
) -> Response:
    others = [each for each in _factors(provider, user) if each != factor]
    return page("mfa_verification.html", refusal=refusal, interaction=interaction, factor=factor, others=others)
