"""The home page, and the pages for sign-in and registration."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from logto_auth.emulator.oidc.prompt_locations import extra_parameters
from logto_auth.emulator.provider import Provider, current
from logto_auth.emulator.state.records import User
from logto_auth.emulator.state.sessions import Interaction
from logto_auth.emulator.state.sign_in_rules import SignInRefused, new_user, unknown_account
from logto_auth.emulator.state.verified_users import ReturningUser

from .action import password_user
from .connector_choice import shown_connector
from .interactions import (
    SubmittedToUnknownSession,
    UnknownSession,
    page,
    submitted_interaction,
    waiting_interaction,
)
from .one_time_token_pages import detour_of_link
from .sign_in_steps import continue_sign_in
from .sign_in_webhooks import announce_registration
from .submissions import by_password

blueprint = Blueprint("pages", __name__)

SIGN_IN_PATHS = ("/sign-in", "/identifier-sign-in", "/single-sign-on", "/reset-password")
REGISTER_PATHS = ("/register", "/identifier-register")
_SHOWN_ACCOUNTS = 20


@blueprint.app_errorhandler(UnknownSession)
def leave_for_unknown_session(error: UnknownSession) -> BaseResponse:
    """Redirect a browser without an interaction to the URL that the tenant configured for it."""
    return redirect(current().tenant.sign_in_experience.unknown_session_redirect_url or "/unknown-session", 303)


@blueprint.app_errorhandler(SubmittedToUnknownSession)
def refuse_form(error: SubmittedToUnknownSession) -> Response:
    """Answer a form without an interaction, as Logto's API answers its pages."""
    refusal = SignInRefused("session.not_found", "Session not found. Please go back and sign in again.", status=400)
    return page("unknown_session.html", refusal=refusal)


@blueprint.app_errorhandler(SignInRefused)
def show_refusal(refusal: SignInRefused) -> Response:
    """Show a refusal where the page has no form for it: a step of the sign-in was opened for a user who ended."""
    return page("unknown_session.html", refusal=refusal)


@blueprint.get("/unknown-session")
def unknown_session() -> Response:
    """Show that there is no sign-in to continue. Like all pages of Logto, it has the status 200."""
    return page("unknown_session.html")


@blueprint.get("/")
def home() -> Response:
    """Show what this server is, and list the accounts."""
    provider = current()
    return page("home.html", issuer=provider.issuer, users=_shown_users(provider))


def show_sign_in() -> Response:
    """Show the sign-in page."""
    provider = current()
    interaction = waiting_interaction(provider, "login")
    return detour_of_link() or sign_in_page(provider, interaction)


def submit_sign_in() -> Response:
    """Sign in the account of the pressed button, or the one with the given password."""
    provider = current()
    interaction = submitted_interaction(provider, "login")
    try:
        verified = ReturningUser(_chosen_user(provider), is_by_password=True)
        interaction.begin(by_password(verified.user))
        return continue_sign_in(provider, interaction, verified)
    except SignInRefused as refusal:
        return sign_in_page(provider, interaction, refusal)


def show_register() -> Response:
    """Show the registration page."""
    provider = current()
    interaction = waiting_interaction(provider, "login")
    return detour_of_link() or _register_page(provider, interaction)


def submit_register() -> Response:
    """Register a user and sign it in."""
    provider = current()
    interaction = submitted_interaction(provider, "login")
    try:
        user = new_user(provider.tenant, request.form.get("username", ""), request.form.get("password", ""))
        interaction.begin(by_password(user, is_new=True))
        announce_registration(provider, interaction, user)
        return continue_sign_in(provider, interaction, ReturningUser(user, is_by_password=True, is_new=True))
    except SignInRefused as refusal:
        return _register_page(provider, interaction, refusal)


for _path in SIGN_IN_PATHS:
    blueprint.add_url_rule(_path, f"show{_path}", show_sign_in, methods=["GET"])
    blueprint.add_url_rule(_path, f"submit{_path}", submit_sign_in, methods=["POST"])
for _path in REGISTER_PATHS:
    blueprint.add_url_rule(_path, f"show{_path}", show_register, methods=["GET"])
    blueprint.add_url_rule(_path, f"submit{_path}", submit_register, methods=["POST"])


def _chosen_user(provider: Provider) -> User:
    """Return the user of the pressed button, or the one with the given identifier and password."""
    if "account" not in request.form:
        return password_user(provider, request.form.get("identifier", ""), request.form.get("password", ""))
    user = provider.tenant.users.get(request.form["account"])
    if user is None:
        raise unknown_account()
    return user


def sign_in_page(provider: Provider, interaction: Interaction, refusal: SignInRefused | None = None) -> Response:
    """Return the sign-in page, with the error of a refused sign-in."""
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
