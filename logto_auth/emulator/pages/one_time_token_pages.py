"""The pages behind a link with a one-time token.

Logto's page is a script that sends the token at once. The emulator's page is a form that submits itself.
"""

from __future__ import annotations

from flask import Blueprint, Response, request

from logto_auth.emulator.oidc.http import json_response, see_other, self_submitting_form
from logto_auth.emulator.oidc.redirect_uris import form_encode
from logto_auth.emulator.provider import Provider, current
from logto_auth.emulator.state.one_time_token_rules import check_one_time_token, redeem_one_time_token
from logto_auth.emulator.state.sessions import Interaction
from logto_auth.emulator.state.sign_in_rules import SignInRefused

from .interactions import page, signed_in_user, submitted_interaction, waiting_interaction
from .sign_in_steps import continue_sign_in
from .submissions import by_one_time_token

blueprint = Blueprint("one_time_token_pages", __name__)

_PATH = "/one-time-token"

# Only these first pages handle a one-time token.
_PATHS_WITH_TOKEN = ("/sign-in", "/register")


@blueprint.get(_PATH)
def show_one_time_token() -> Response:
    """Submit the token of the URL, or show that the link is invalid."""
    interaction = waiting_interaction(current(), "login", "consent")
    token, email = request.args.get("one_time_token"), request.args.get("login_hint")
    if not token or not email:
        return _invalid_link()
    action = f"{_PATH}?{form_encode([('app_id', interaction.request.client.id)])}"
    fields = [("csrf_token", interaction.csrf_token), ("login_hint", email), ("one_time_token", token)]
    return self_submitting_form(action, fields)


@blueprint.post(_PATH)
def submit_one_time_token() -> Response:
    """Redeem the token and sign in its user."""
    provider = current()
    interaction = submitted_interaction(provider, "login", "consent")
    token, email = request.form.get("one_time_token", ""), request.form.get("login_hint", "")
    try:
        verified = redeem_one_time_token(provider.tenant, token, email)
        interaction.begin(by_one_time_token(email))
        return continue_sign_in(provider, interaction, verified)
    except SignInRefused as refusal:
        return page("invalid_link.html", refusal=refusal)


@blueprint.get("/switch-account")
def show_switch_account() -> Response:
    """Ask the user whether to switch to the account of the link."""
    provider = current()
    waiting_interaction(provider, "consent")
    email = request.args.get("login_hint")
    if not email:
        return _invalid_link()
    return page("switch_account.html", user=signed_in_user(provider), email=email, link=_url_with_same_query())


def detour_of_link() -> Response | None:
    """Return a redirect to the page for one-time tokens if the URL of a first page has a token."""
    if request.path not in _PATHS_WITH_TOKEN or not request.args.get("one_time_token"):
        return None
    return see_other(_url_with_same_query())


def detour_before_consent(provider: Provider, interaction: Interaction) -> Response | None:
    """Return a redirect if a request with a one-time token needs a page before the consent of a signed-in user.

    A token that the same account has already used needs none.
    """
    params = interaction.request.params
    token, email = params.get("one_time_token", ""), params.get("login_hint", "")
    if not token or not email:
        return None
    user = signed_in_user(provider)
    if not user.primary_email:
        return json_response({"code": "user.email_not_exist", "message": "This account has no e-mail."}, status=400)
    # Upper case counts: Logto compares the texts.
    path, is_same = _PATH, user.primary_email == email
    if not is_same and "login" not in params.get("prompt", "").split(" "):
        path = "/switch-account"
    else:
        try:
            check_one_time_token(provider.tenant, token, email)
        except SignInRefused as refusal:
            if refusal.code == "one_time_token.token_consumed" and is_same:
                return None
    return see_other(f"{path}?{form_encode([('login_hint', email), ('one_time_token', token)])}")


def _url_with_same_query() -> str:
    return f"{_PATH}?{request.query_string.decode('latin-1')}"


def _invalid_link() -> Response:
    return page("invalid_link.html", status=400)
