"""The pages that ask a user for what sign-up requires: "Set username" and "Set password"."""

from __future__ import annotations

from flask import Blueprint, Response, request

from logto_auth.emulator.provider import current
from logto_auth.emulator.state.sessions import Interaction
from logto_auth.emulator.state.sign_in_rules import SignInRefused, check_new_password, check_new_username
from logto_auth.emulator.state.verified_users import ProfilePart

from .interactions import (
    SubmittedToUnknownSession,
    UnknownSession,
    page,
    submitted_interaction,
    waiting_interaction,
)
from .sign_in_steps import continue_sign_in

blueprint = Blueprint("continue_pages", __name__)

_CHECKS = {"username": check_new_username, "password": check_new_password}


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
