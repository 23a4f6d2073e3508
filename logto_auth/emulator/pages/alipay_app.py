"""The stand-in for the Alipay app on a phone, which answers an `alipay://` URL with an auth code."""

from __future__ import annotations

from flask import Blueprint, Response, request

from logto_auth.emulator.oidc.http import NO_STORE, json_response
from logto_auth.emulator.provider import Provider, current
from logto_auth.emulator.state import ids
from logto_auth.emulator.state.records import AlipayAccount
from logto_auth.emulator.state.sign_in_rules import SignInRefused
from logto_auth.emulator.state.social_connectors import Connector

blueprint = Blueprint("alipay_app", __name__)

ALIPAY_APP_PATH = "/stand-in/alipay-app"


def alipay_uri(connector: Connector, state: str) -> str:
    """Return the URL that opens the Alipay app. Logto's native connector adds no redirect URI and no scope."""
    return f"alipay://?app_id={connector.config['appId']}&state={state}"


@blueprint.post(ALIPAY_APP_PATH)
def authorize() -> Response:
    """Return an auth code for any Alipay account, and the `state` of the request."""
    user_id = request.form.get("alipay_user_id", "").strip()
    connectors = current().tenant.sign_in_experience.enabled_connectors
    # The app ids that Alipay knows.
    app_ids = [connector.config["appId"] for connector in connectors if connector.target == "alipay"]
    if request.form.get("app_id") not in app_ids or not user_id:
        return json_response({"error": "Expected the app_id of a connector and an alipay_user_id."}, status=400)
    auth_code = ids.opaque_token()
    account = AlipayAccount(user_id, request.form.get("nick_name") or None, request.form.get("avatar") or None)
    current().instances.alipay_auth_codes[auth_code] = account
    return json_response({"auth_code": auth_code, "state": request.form.get("state", "")}, headers=NO_STORE)


def account_of_auth_code(provider: Provider, auth_code: str) -> AlipayAccount:
    """Return the account for an auth code, and consume the code. Raise SignInRefused."""
    if not auth_code:
        raise SignInRefused("connector.general", "The answer of Alipay has no auth code.", status=400)
    account = provider.instances.alipay_auth_codes.pop(auth_code, None)
    if account is None:
        raise SignInRefused("connector.social_auth_code_invalid", "Alipay does not know this auth code.", status=401)
    return account
