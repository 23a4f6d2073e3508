"""The steps of a sign-in after the user was verified, in Logto's order.

A second factor, what sign-up requires, and what the tenant's policy asks the user to set up. Each step has its page.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Response

from logto_auth.emulator.oidc.http import see_other
from logto_auth.emulator.oidc.redirect_uris import form_encode
from logto_auth.emulator.provider import Provider
from logto_auth.emulator.state.mfa_rules import (
    MissingSetUp,
    factors_for_sign_in,
    missing_set_up,
    needs_second_factor,
    store_set_up,
)
from logto_auth.emulator.state.refusals import Refused
from logto_auth.emulator.state.sessions import Interaction
from logto_auth.emulator.state.sign_in_rules import SignInRefused, check_account
from logto_auth.emulator.state.verified_users import (
    NewUser,
    ReturningUser,
    VerifiedUser,
    add_new_user,
    complete_user,
    missing_part,
)

from .interactions import finish_login
from .sign_in_webhooks import announce_memberships, announce_registration, announce_user_change

VERIFICATION_PATH, BINDING_PATH, ONBOARDING_PATH = "/mfa-verification", "/mfa-binding", "/mfa-onboarding"


def continue_sign_in(provider: Provider, interaction: Interaction, verified: VerifiedUser) -> Response:
    """Sign in the verified user, or redirect to the page for what is missing. Raise SignInRefused.

    A new user is added before the policy about second factors is asked, as in Logto.
    """
    interaction.verified = verified
    if isinstance(verified, ReturningUser):
        check_account(provider.tenant, verified.user)
        if lacks_second_factor(provider, interaction, verified):
            factors = factors_for_sign_in(provider.tenant.sign_in_experience, verified.user)
            return to_page(interaction, f"{VERIFICATION_PATH}/{factors[0]}")
    part = missing_part(provider.tenant.sign_in_experience, verified)
    if part is not None:
        return to_page(interaction, f"/continue/{part}")
    if isinstance(verified, NewUser):
        verified = interaction.verified = _registered(provider, interaction, verified)
    missing = asked_set_up(provider, interaction, verified)
    if missing is not None:
        return to_page(interaction, _path_of(missing))
    return _finish(provider, interaction, verified)


def lacks_second_factor(provider: Provider, interaction: Interaction, verified: ReturningUser) -> bool:
    """Return whether the user still has to prove a second factor. A registration needs none."""
    experience = provider.tenant.sign_in_experience
    return not verified.is_new and needs_second_factor(experience, verified.user, interaction.records)


def asked_set_up(provider: Provider, interaction: Interaction, verified: ReturningUser) -> MissingSetUp | None:
    """Return what the policy asks the user to set up, or None."""
    return missing_set_up(provider.tenant, verified.user, interaction.mfa, is_new=verified.is_new)


def to_page(interaction: Interaction, path: str) -> Response:
    """Redirect to a page of the sign-in."""
    return see_other(f"{path}?{form_encode([('app_id', interaction.request.client.id)])}")


def _path_of(missing: MissingSetUp) -> str:
    if missing.code == "user.suggest_mfa":
        return ONBOARDING_PATH
    if missing.code == "session.mfa.backup_code_required":
        return f"{BINDING_PATH}/BackupCode"
    only = missing.factors[0] if len(missing.factors) == 1 else ""
    return f"{BINDING_PATH}/{only}" if only in {"Totp", "WebAuthn"} else BINDING_PATH


def _registered(provider: Provider, interaction: Interaction, new_user: NewUser) -> ReturningUser:
    """Add the new user and send the webhooks of that."""
    with _refused_role():
        user, joined = add_new_user(provider.tenant, new_user)
    announce_memberships(provider, interaction, user, joined, is_new=True)
    announce_registration(provider, interaction, user)
    return ReturningUser(user, is_social=new_user.is_social, is_new=True)


def _finish(provider: Provider, interaction: Interaction, verified: ReturningUser) -> Response:
    interaction.verified = None
    with _refused_role():
        user, joined = complete_user(provider.tenant, verified)
    store_set_up(provider.tenant, user, interaction.mfa)
    announce_memberships(provider, interaction, user, joined, is_new=verified.is_new)
    response = finish_login(provider, interaction, user, is_new=verified.is_new)
    if verified.filled or interaction.mfa.types:
        announce_user_change(provider, interaction, user, is_new=verified.is_new)
    return response


@contextmanager
def _refused_role() -> Iterator[None]:
    try:
        yield
    except Refused as refused:
        message = "The organization gives new members a role of applications."
        raise SignInRefused(refused.code, message, status=refused.status) from refused
