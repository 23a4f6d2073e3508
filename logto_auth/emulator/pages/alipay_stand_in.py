"""The stand-in for Alipay's page in browsers, to which the Account API sends a user who links an account.

It has the parameters of the real page, and returns the browser to any `redirect_uri` with http or https.
"""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, Response, request

from logto_auth.emulator.oidc.http import see_other
from logto_auth.emulator.oidc.redirect_uris import parse_url
from logto_auth.emulator.provider import current
from logto_auth.emulator.state import ids
from logto_auth.emulator.state.records import AlipayAccount
from logto_auth.emulator.state.sign_in_rules import SignInRefused
from logto_auth.emulator.state.social_connectors import ALIPAY_PAGE_PATH

from .interactions import page

blueprint = Blueprint("alipay_stand_in", __name__)

_PARAMETERS = ("app_id", "redirect_uri", "scope", "state")


@blueprint.get(ALIPAY_PAGE_PATH)
def show_alipay() -> Response:
    """Show the accounts at the stand-in."""
    return _page(_refusal(request.args))


@blueprint.post(ALIPAY_PAGE_PATH)
def choose_account() -> Response:
    """Return to the redirect URI with an auth code for the chosen account."""
    form = request.form
    refusal = _refusal(form)
    user_id = form.get("alipay_user_id", "").strip()
    if refusal or not user_id:
        return _page(refusal or SignInRefused("connector.general", "Choose an Alipay account.", status=400))
    account = AlipayAccount(user_id, form.get("nick_name", "").strip() or None, form.get("avatar", "").strip() or None)
    auth_code = ids.opaque_token()
    current().instances.alipay_auth_codes[auth_code] = account
    answer = {name: form.get(name, "") for name in ("app_id", "scope", "state")}
    parameters = urlencode({**answer, "source": "alipay_wallet", "auth_code": auth_code})
    uri = form["redirect_uri"]
    return see_other(f"{uri}{'&' if '?' in uri else '?'}{parameters}")


def _refusal(given: dict[str, str]) -> SignInRefused | None:
    """Return what is wrong with the parameters, if anything. The app id must be that of a connector for browsers."""
    connectors = current().tenant.sign_in_experience.social_connectors
    app_ids = [each.config["appId"] for each in connectors if each.factory.id == "alipay-web"]
    url = parse_url(given.get("redirect_uri", ""))
    if given.get("app_id") not in app_ids:
        return SignInRefused("connector.general", "Alipay does not know this app_id.", status=400)
    if url is None or url.scheme not in {"http", "https"}:
        return SignInRefused("connector.general", "The redirect_uri is no http or https URL.", status=400)
    return None


def _page(refusal: SignInRefused | None) -> Response:
    hidden = {name: request.values.get(name, "") for name in _PARAMETERS}
    accounts = [] if refusal else current().tenant.alipay_accounts
    return page("alipay.html", refusal=refusal, action=ALIPAY_PAGE_PATH, hidden=hidden, accounts=accounts, back=None)
