"""Sign-in with Alipay: by a stand-in page in browsers, and by the Alipay app in web views of apps."""

from __future__ import annotations

import hmac
import json

from flask import Blueprint, Response, request

from logto_auth.emulator.oidc.http import see_other
from logto_auth.emulator.oidc.redirect_uris import form_encode
from logto_auth.emulator.provider import Provider, current
from logto_auth.emulator.state import ids
from logto_auth.emulator.state.records import AlipayAccount
from logto_auth.emulator.state.sessions import Interaction
from logto_auth.emulator.state.sign_in_rules import SignInRefused, alipay_identity, alipay_user
from logto_auth.emulator.state.social_connectors import Connector

from .alipay_app import account_of_auth_code, alipay_uri
from .connector_choice import shown_connector
from .interactions import page, submitted_interaction, waiting_interaction
from .sign_in import REGISTER_PATHS, SIGN_IN_PATHS, sign_in_page
from .sign_in_steps import continue_sign_in
from .submissions import by_social_account

blueprint = Blueprint("alipay_pages", __name__)


@blueprint.get("/direct/<method>/<target>")
def direct_sign_in(method: str, target: str) -> Response:
    """Go to Alipay, or to the fallback page if this browser has no connector for the target."""
    provider = current()
    interaction = waiting_interaction(provider, "login")
    connector = shown_connector(provider, target) if method == "social" else None
    if connector is None:
        # The value comes from the URL. Allow known pages only.
        fallback = f"/{request.args.get('fallback', 'sign-in')}"
        path = fallback if fallback in {*SIGN_IN_PATHS, *REGISTER_PATHS} else "/sign-in"
        return see_other(f"{path}?app_id={interaction.request.client.id}")
    if connector.factory.platform == "Native":
        return _native_page(interaction, connector)
    return _web_page(provider, interaction)


@blueprint.post("/direct/social/alipay")
def submit_alipay() -> Response:
    """Sign in with an account at the stand-in for Alipay. A new account creates a user."""
    provider = current()
    interaction = submitted_interaction(provider, "login")
    try:
        connector = shown_connector(provider, "alipay")
        if connector is None or connector.factory.platform != "Web":
            raise SignInRefused("connector.not_found", "Alipay is not enabled for browsers.", status=404)
        account = AlipayAccount(
            request.form.get("alipay_user_id", "").strip(),
            request.form.get("nick_name", "").strip() or None,
            request.form.get("avatar", "").strip() or None,
        )
        return _sign_in(provider, interaction, connector, account)
    except SignInRefused as refusal:
        return _web_page(provider, interaction, refusal)


@blueprint.get("/callback/social/<connector_id>")
def social_callback(connector_id: str) -> Response:
    """Sign in with the answer of the Alipay app, in the web view that started the sign-in."""
    provider = current()
    interaction = waiting_interaction(provider, "login")
    connector = shown_connector(provider, "alipay")
    if connector is None or connector.factory.platform != "Native" or connector.id != connector_id:
        return see_other(f"/sign-in?app_id={interaction.request.client.id}")
    # Each state is valid for one attempt, as in Logto.
    state, interaction.social_state = interaction.social_state, None
    try:
        if state is None or not hmac.compare_digest(state.encode(), request.args.get("state", "").encode()):
            raise SignInRefused("error.invalid_connector_auth", "This browser did not request the answer.", status=400)
        account = account_of_auth_code(provider, request.args.get("auth_code", ""))
        return _sign_in(provider, interaction, connector, account)
    except SignInRefused as refusal:
        return sign_in_page(provider, interaction, refusal)


def _sign_in(provider: Provider, interaction: Interaction, connector: Connector, account: AlipayAccount) -> Response:
    verified = alipay_user(provider.tenant, account.user_id, account.nick_name, account.avatar)
    details = alipay_identity(account.user_id, account.nick_name, account.avatar)["details"]
    interaction.begin(by_social_account(connector.id, details))
    return continue_sign_in(provider, interaction, verified)


def _native_page(interaction: Interaction, connector: Connector) -> Response:
    """Show the message that Logto's page passes to the native SDK."""
    interaction.social_state = ids.opaque_token()
    message = {
        "callbackUri": f"{request.host_url}callback/social/{connector.id}",
        "redirectTo": alipay_uri(connector, interaction.social_state),
    }
    return page("alipay_native.html", interaction=interaction, message=json.dumps(message))


def _web_page(provider: Provider, interaction: Interaction, refusal: SignInRefused | None = None) -> Response:
    app_id = form_encode([("app_id", interaction.request.client.id)])
    return page(
        "alipay.html",
        refusal=refusal,
        action=f"/direct/social/alipay?{app_id}",
        hidden={"csrf_token": interaction.csrf_token},
        accounts=provider.tenant.alipay_accounts,
        back=f"/sign-in?{app_id}",
    )
