"""The pages a person meets: sign-in, register, Alipay's stand-in and consent.

Logto's own are a single-page application on its Experience API. These are plain HTML at the same addresses. Every
form is bound to the interaction in the browser's cookie: without that cookie's token it is refused.
"""

from __future__ import annotations

import hmac

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from . import cookies, rbac
from .accounts import SignInRefused, alipay_user, check_not_suspended, new_user, record_sign_in, user_with_password
from .consent import grant_missing
from .http import NO_STORE, see_other
from .instances import Interaction
from .interaction_events import announce_sign_in
from .locations import extra_parameters
from .provider import Provider, current
from .store import User

blueprint = Blueprint("pages", __name__)

_SIGN_IN_PATHS = ("/sign-in", "/identifier-sign-in", "/single-sign-on", "/reset-password")
_REGISTER_PATHS = ("/register", "/identifier-register")
_ALIPAY_PATH = "/direct/social/alipay"
_SHOWN_ACCOUNTS = 20


class _UnknownSession(Exception):
    """There is no interaction in this browser for the page that was asked for."""


@blueprint.errorhandler(_UnknownSession)
def leave_for_unknown_session(error: _UnknownSession) -> BaseResponse:
    """Send the browser where the tenant wants those who come without an interaction."""
    return redirect(current().tenant.sign_in_experience.unknown_session_redirect_url or "/unknown-session", 303)


@blueprint.get("/unknown-session")
def unknown_session() -> Response:
    """Say that there is nothing to sign in to."""
    return _page("unknown_session.html", status=400)


@blueprint.get("/")
def home() -> Response:
    """Say what this is, and list the accounts."""
    provider = current()
    return _page("home.html", issuer=provider.issuer, users=_shown_users(provider))


def show_sign_in() -> Response:
    """Show the sign-in page."""
    provider = current()
    return _sign_in_page(provider, _interaction(provider, "login"))


def submit_sign_in() -> Response:
    """Sign in the account whose button was pressed, or whose password was given."""
    provider = current()
    interaction = _submitted_interaction(provider, "login")
    try:
        return _finish_login(provider, interaction, _chosen_user(provider))
    except SignInRefused as refusal:
        return _sign_in_page(provider, interaction, refusal)


def show_register() -> Response:
    """Show the page for new users."""
    provider = current()
    return _register_page(provider, _interaction(provider, "login"))


def submit_register() -> Response:
    """Make a user and sign in with it."""
    provider = current()
    interaction = _submitted_interaction(provider, "login")
    try:
        user = new_user(provider, request.form.get("username", ""), request.form.get("password", ""))
        return _finish_login(provider, interaction, user, is_new=True)
    except SignInRefused as refusal:
        return _register_page(provider, interaction, refusal)


for _path in _SIGN_IN_PATHS:
    blueprint.add_url_rule(_path, f"show{_path}", show_sign_in, methods=["GET"])
    blueprint.add_url_rule(_path, f"submit{_path}", submit_sign_in, methods=["POST"])
for _path in _REGISTER_PATHS:
    blueprint.add_url_rule(_path, f"show{_path}", show_register, methods=["GET"])
    blueprint.add_url_rule(_path, f"submit{_path}", submit_register, methods=["POST"])


@blueprint.get("/direct/<method>/<target>")
def direct_sign_in(method: str, target: str) -> Response:
    """Show the stand-in for Alipay, or fall back where no connector for browsers has that target."""
    provider = current()
    interaction = _interaction(provider, "login")
    if (method, target) == ("social", "alipay") and provider.tenant.sign_in_experience.shows_alipay:
        return _alipay_page(provider, interaction)
    # The value comes from the URL: only a page of this list is gone to.
    fallback = f"/{request.args.get('fallback', 'sign-in')}"
    path = fallback if fallback in {*_SIGN_IN_PATHS, *_REGISTER_PATHS} else "/sign-in"
    return see_other(f"{path}?app_id={interaction.request.client.id}")


@blueprint.post(_ALIPAY_PATH)
def submit_alipay() -> Response:
    """Sign in with an account at the stand-in for Alipay; a new one makes a new user."""
    provider = current()
    interaction = _submitted_interaction(provider, "login")
    try:
        if not provider.tenant.sign_in_experience.shows_alipay:
            raise SignInRefused("connector.not_found", "Alipay is not enabled for browsers.", status=404)
        alipay_user_id = request.form.get("alipay_user_id", "").strip()
        is_new = provider.tenant.find_user_by_identity("alipay", alipay_user_id) is None
        user = alipay_user(
            provider,
            alipay_user_id,
            request.form.get("nick_name", "").strip() or None,
            request.form.get("avatar", "").strip() or None,
        )
        return _finish_login(provider, interaction, user, is_new=is_new)
    except SignInRefused as refusal:
        return _alipay_page(provider, interaction, refusal)


@blueprint.get("/consent")
def show_consent() -> BaseResponse:
    """Show what a third-party application asks for; a first-party one is granted it at once, as Logto does."""
    provider = current()
    interaction = _interaction(provider, "consent")
    if not interaction.request.client.is_third_party:
        return _finish_consent(provider, interaction)
    user = _consenting_user(provider)
    organizations = rbac.memberships(provider.tenant, user.id)
    asks_organizations = "urn:logto:scope:organizations" in interaction.request.scopes
    return _page(
        "consent.html",
        interaction=interaction,
        user=user,
        organizations=organizations if asks_organizations else [],
    )


@blueprint.post("/consent")
def submit_consent() -> BaseResponse:
    """Grant, or send the browser away: Cancel leads to the bare redirect URI, without `error`, `state` or `iss`."""
    provider = current()
    interaction = _submitted_interaction(provider, "consent")
    if request.form.get("decision") != "authorize":
        return see_other(interaction.request.redirect_uri)
    user, client = _consenting_user(provider), interaction.request.client
    mine = {organization.id for organization in rbac.memberships(provider.tenant, user.id)}
    chosen = mine.intersection(request.form.getlist("organization_id"))
    provider.tenant.organization_consents |= {(client.id, user.id, each) for each in chosen}
    return _finish_consent(provider, interaction)


def _interaction(provider: Provider, prompt: str) -> Interaction:
    """Return the interaction of this browser that waits for this prompt, or lead away."""
    uid = cookies.read_interaction_uid(request.args.get("app_id"))
    interaction = provider.instances.find_interaction(uid)
    if interaction is None or interaction.prompt != prompt:
        raise _UnknownSession
    return interaction


def _submitted_interaction(provider: Provider, prompt: str) -> Interaction:
    """Return the interaction that a form belongs to, or lead away."""
    interaction = _interaction(provider, prompt)
    if not hmac.compare_digest(interaction.csrf_token.encode(), request.form.get("csrf_token", "").encode()):
        raise _UnknownSession
    return interaction


def _chosen_user(provider: Provider) -> User:
    """Return the user of the pressed button, or of the identifier and password given."""
    if "account" not in request.form:
        return user_with_password(provider, request.form.get("identifier", ""), request.form.get("password", ""))
    user = provider.tenant.users.get(request.form["account"])
    if user is None:
        raise SignInRefused("user.user_not_exist", "That account does not exist.", status=404)
    return user


def _finish_login(provider: Provider, interaction: Interaction, user: User, *, is_new: bool = False) -> Response:
    check_not_suspended(user)
    record_sign_in(provider, user, interaction.request.client)
    announce_sign_in(provider, interaction, user, is_new=is_new)
    interaction.account_id = user.id
    interaction.solved |= {"login"}
    return see_other(f"/oidc/auth/{interaction.uid}")


def _finish_consent(provider: Provider, interaction: Interaction) -> BaseResponse:
    session = provider.instances.find_session(cookies.read(cookies.SESSION))
    if session is None:
        raise _UnknownSession
    grant_missing(provider, interaction, session)
    interaction.solved |= {"consent"}
    return redirect(f"/oidc/auth/{interaction.uid}")


def _consenting_user(provider: Provider) -> User:
    session = provider.instances.find_session(cookies.read(cookies.SESSION))
    user = provider.tenant.users.get(session.account_id or "") if session else None
    if user is None:
        raise _UnknownSession
    return user


def _sign_in_page(provider: Provider, interaction: Interaction, refusal: SignInRefused | None = None) -> Response:
    return _page(
        "sign_in.html",
        refusal=refusal,
        interaction=interaction,
        experience=provider.tenant.sign_in_experience,
        users=_shown_users(provider),
        login_hint=extra_parameters(interaction.request.params).get("login_hint", ""),
    )


def _register_page(provider: Provider, interaction: Interaction, refusal: SignInRefused | None = None) -> Response:
    experience = provider.tenant.sign_in_experience
    return _page("register.html", refusal=refusal, interaction=interaction, experience=experience)


def _alipay_page(provider: Provider, interaction: Interaction, refusal: SignInRefused | None = None) -> Response:
    accounts = provider.tenant.alipay_accounts
    return _page("alipay.html", refusal=refusal, interaction=interaction, accounts=accounts)


def _shown_users(provider: Provider) -> list[User]:
    return list(provider.tenant.users.values())[:_SHOWN_ACCOUNTS]


def _page(template: str, *, refusal: SignInRefused | None = None, status: int = 200, **context: object) -> Response:
    status = refusal.status if refusal else status
    return Response(render_template(template, refusal=refusal, **context), status, NO_STORE)
