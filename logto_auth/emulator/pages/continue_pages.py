"""The pages that ask a user for what sign-up requires: "Set username" and "Set password"."""

from __future__ import annotations

from flask import Blueprint, Response, request

from logto_auth.emulator.oidc.http import see_other
from logto_auth.emulator.oidc.redirect_uris import form_encode
from logto_auth.emulator.provider import Provider, current
from logto_auth.emulator.state.sessions import Interaction
from logto_auth.emulator.state.sign_in_rules import (
    SignInRefused,
    check_new_password,
    check_new_username,
    check_not_suspended,
)
from logto_auth.emulator.state.verified_users import (
    NewUser,
    ProfilePart,
    VerifiedUser,
    add_new_user,
    complete_user,
    missing_part,
)

from .interactions import (
    SubmittedToUnknownSession,
    UnknownSession,
    finish_login,
    page,
    submitted_interaction,
    waiting_interaction,
)
from .sign_in_webhooks import announce_memberships

blueprint = Blueprint("continue_pages", __name__)

_CHECKS = {"username": check_new_username, "password": check_new_password}


def continue_sign_in(provider: Provider, interaction: Interaction, verified: VerifiedUser) -> Response:
    """Sign in the verified user, or redirect to the page for what the user lacks. Raise SignInRefused."""
    is_new = isinstance(verified, NewUser)
    if not isinstance(verified, NewUser):
        check_not_suspended(verified.user)
    part = missing_part(provider.tenant.sign_in_experience, verified)
    if part is not None:
        interaction.verified = verified
        return see_other(f"/continue/{part}?{form_encode([('app_id', interaction.request.client.id)])}")
    interaction.verified = None
    if isinstance(verified, NewUser):
        user, joined = add_new_user(provider.tenant, verified)
    else:
        user, joined = complete_user(provider.tenant, verified)
    announce_memberships(provider, interaction, user, joined, is_new=is_new)
    return finish_login(provider, interaction, user, is_new=is_new)


@blueprint.get("/continue/<any(username, password):part>")
def show_part(part: ProfilePart) -> Response:
    """Ask for one part of the profile."""
    interaction = waiting_interaction(current(), "login", "consent")
    if interaction.verified is None:
        raise UnknownSession
    return _page(interaction, part)


@blueprint.post("/continue/<any(username, password):part>")
def submit_part(part: ProfilePart) -> Response:
    """Store one part of the profile, and go on."""
    provider = current()
    interaction = submitted_interaction(provider, "login", "consent")
    verified, value = interaction.verified, request.form.get(part, "")
    if verified is None:
        raise SubmittedToUnknownSession
    try:
        _CHECKS[part](provider.tenant, value)
        verified.filled[part] = value
        return continue_sign_in(provider, interaction, verified)
    except SignInRefused as refusal:
        return _page(interaction, part, refusal)


def _page(interaction: Interaction, part: ProfilePart, refusal: SignInRefused | None = None) -> Response:
    experience = current().tenant.sign_in_experience
    return page("continue.html", refusal=refusal, interaction=interaction, part=part, experience=experience)
