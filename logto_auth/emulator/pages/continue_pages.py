"""The pages that ask a new user for what sign-up requires: "Set username" and "Set password"."""

from __future__ import annotations

from flask import Blueprint, Response, request

from logto_auth.emulator.oidc.http import see_other
from logto_auth.emulator.oidc.redirect_uris import form_encode
from logto_auth.emulator.provider import Provider, current
from logto_auth.emulator.state.new_users import NewUser, ProfilePart, add_new_user, missing_part
from logto_auth.emulator.state.sessions import Interaction
from logto_auth.emulator.state.sign_in_rules import SignInRefused, check_new_password, check_new_username

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


def continue_sign_up(provider: Provider, interaction: Interaction, new_user: NewUser) -> Response:
    """Add the verified user and sign in, or redirect to the page for what the user lacks."""
    part = missing_part(provider.tenant.sign_in_experience, new_user)
    if part is not None:
        interaction.new_user = new_user
        return see_other(f"/continue/{part}?{form_encode([('app_id', interaction.request.client.id)])}")
    interaction.new_user = None
    user, joined = add_new_user(provider.tenant, new_user)
    announce_memberships(provider, interaction, user, joined, is_new=True)
    return finish_login(provider, interaction, user, is_new=True)


@blueprint.get("/continue/<any(username, password):part>")
def show_part(part: ProfilePart) -> Response:
    """Ask for one part of the profile."""
    interaction = waiting_interaction(current(), "login", "consent")
    if interaction.new_user is None:
        raise UnknownSession
    return _page(interaction, part)


@blueprint.post("/continue/<any(username, password):part>")
def submit_part(part: ProfilePart) -> Response:
    """Store one part of the profile, and go on."""
    provider = current()
    interaction = submitted_interaction(provider, "login", "consent")
    new_user, value = interaction.new_user, request.form.get(part, "")
    if new_user is None:
        raise SubmittedToUnknownSession
    try:
        _CHECKS[part](provider.tenant, value)
    except SignInRefused as refusal:
        return _page(interaction, part, refusal)
    new_user.filled[part] = value
    return continue_sign_up(provider, interaction, new_user)


def _page(interaction: Interaction, part: ProfilePart, refusal: SignInRefused | None = None) -> Response:
    experience = current().tenant.sign_in_experience
    return page("continue.html", refusal=refusal, interaction=interaction, part=part, experience=experience)
