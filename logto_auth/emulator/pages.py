"""The pages a person meets: sign-in, register and consent.

Logto's own are a single-page application on its Experience API. These are plain HTML at the same addresses.
"""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from . import cookies, rbac
from .accounts import SignInRefused, new_user, user_with_password
from .connectors import shown_connector
from .consent import grant_missing
from .http import see_other
from .instances import Interaction
from .interaction_steps import (
    UnknownSession,
    finish_login,
    page,
    signed_in_user,
    submitted_interaction,
    waiting_interaction,
)
from .locations import extra_parameters
from .one_time_token_pages import detour_before_consent, detour_of_link
from .provider import Provider, current
from .store import User

blueprint = Blueprint("pages", __name__)

SIGN_IN_PATHS = ("/sign-in", "/identifier-sign-in", "/single-sign-on", "/reset-password")
REGISTER_PATHS = ("/register", "/identifier-register")
_SHOWN_ACCOUNTS = 20


@blueprint.app_errorhandler(UnknownSession)
def leave_for_unknown_session(error: UnknownSession) -> BaseResponse:
    """Send the browser where the tenant wants those who come without an interaction."""
    return redirect(current().tenant.sign_in_experience.unknown_session_redirect_url or "/unknown-session", 303)


@blueprint.get("/unknown-session")
def unknown_session() -> Response:
    """Say that there is nothing to sign in to."""
    return page("unknown_session.html", status=400)


@blueprint.get("/")
def home() -> Response:
    """Say what this is, and list the accounts."""
    provider = current()
    return page("home.html", issuer=provider.issuer, users=_shown_users(provider))


def show_sign_in() -> Response:
    """Show the sign-in page."""
    provider = current()
    interaction = waiting_interaction(provider, "login")
    return detour_of_link() or sign_in_page(provider, interaction)


def submit_sign_in() -> Response:
    """Sign in the account whose button was pressed, or whose password was given."""
    provider = current()
    interaction = submitted_interaction(provider, "login")
    try:
        return finish_login(provider, interaction, _chosen_user(provider))
    except SignInRefused as refusal:
        return sign_in_page(provider, interaction, refusal)


def show_register() -> Response:
    """Show the page for new users."""
    provider = current()
    interaction = waiting_interaction(provider, "login")
    return detour_of_link() or _register_page(provider, interaction)


def submit_register() -> Response:
    """Make a user and sign in with it."""
    provider = current()
    interaction = submitted_interaction(provider, "login")
    try:
        user = new_user(provider, request.form.get("username", ""), request.form.get("password", ""))
        return finish_login(provider, interaction, user, is_new=True)
    except SignInRefused as refusal:
        return _register_page(provider, interaction, refusal)


for _path in SIGN_IN_PATHS:
    blueprint.add_url_rule(_path, f"show{_path}", show_sign_in, methods=["GET"])
    blueprint.add_url_rule(_path, f"submit{_path}", submit_sign_in, methods=["POST"])
for _path in REGISTER_PATHS:
    blueprint.add_url_rule(_path, f"show{_path}", show_register, methods=["GET"])
    blueprint.add_url_rule(_path, f"submit{_path}", submit_register, methods=["POST"])


@blueprint.get("/consent")
def show_consent() -> BaseResponse:
    """Show what a third-party application asks for; a first-party one is granted it at once, as Logto does."""
    provider = current()
    interaction = waiting_interaction(provider, "consent")
    if detour := detour_before_consent(provider, interaction):
        return detour
    if not interaction.request.client.is_third_party:
        return _finish_consent(provider, interaction)
    user = signed_in_user(provider)
    organizations = rbac.memberships(provider.tenant, user.id)
    asks_organizations = "urn:logto:scope:organizations" in interaction.request.scopes
    return page(
        "consent.html",
        interaction=interaction,
        user=user,
        organizations=organizations if asks_organizations else [],
    )


@blueprint.post("/consent")
def submit_consent() -> BaseResponse:
    """Grant, or send the browser away: Cancel leads to the bare redirect URI, without `error`, `state` or `iss`."""
    provider = current()
    interaction = submitted_interaction(provider, "consent")
    if request.form.get("decision") != "authorize":
        return see_other(interaction.request.redirect_uri)
    user, client = signed_in_user(provider), interaction.request.client
    mine = {organization.id for organization in rbac.memberships(provider.tenant, user.id)}
    chosen = mine.intersection(request.form.getlist("organization_id"))
    provider.tenant.organization_consents |= {(client.id, user.id, each) for each in chosen}
    return _finish_consent(provider, interaction)


def _chosen_user(provider: Provider) -> User:
    """Return the user of the pressed button, or of the identifier and password given."""
    if "account" not in request.form:
        return user_with_password(provider, request.form.get("identifier", ""), request.form.get("password", ""))
    user = provider.tenant.users.get(request.form["account"])
    if user is None:
        raise SignInRefused("user.user_not_exist", "That account does not exist.", status=404)
    return user


def _finish_consent(provider: Provider, interaction: Interaction) -> BaseResponse:
    session = provider.instances.find_session(cookies.read(cookies.SESSION))
    if session is None:
        raise UnknownSession
    grant_missing(provider, interaction, session)
    interaction.solved |= {"consent"}
    return redirect(f"/oidc/auth/{interaction.uid}")


def sign_in_page(provider: Provider, interaction: Interaction, refusal: SignInRefused | None = None) -> Response:
    """Return the sign-in page, with what was refused."""
    return page(
        "sign_in.html",
        refusal=refusal,
        interaction=interaction,
        experience=provider.tenant.sign_in_experience,
        alipay=shown_connector(provider, "alipay"),
        users=_shown_users(provider),
        login_hint=extra_parameters(interaction.request.params).get("login_hint", ""),
    )


def _register_page(provider: Provider, interaction: Interaction, refusal: SignInRefused | None = None) -> Response:
    experience = provider.tenant.sign_in_experience
    return page("register.html", refusal=refusal, interaction=interaction, experience=experience)


def _shown_users(provider: Provider) -> list[User]:
    return list(provider.tenant.users.values())[:_SHOWN_ACCOUNTS]
