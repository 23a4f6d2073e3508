"""The browser of a visit: its cookie, the parameters of its URLs, its sign-in, and the way back to the site."""

from __future__ import annotations

import hmac
import re
import secrets
from typing import TYPE_CHECKING
from urllib.parse import quote

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from flask import Response, request
from werkzeug.datastructures import Headers

from logto_auth.emulator.oidc import cookies
from logto_auth.emulator.oidc.claims import TRUSTED_DEVICES_SCOPE, oidc_scopes
from logto_auth.emulator.oidc.http import NO_STORE, see_other
from logto_auth.emulator.oidc.redirect_uris import form_encode, parse_url
from logto_auth.emulator.provider import Provider
from logto_auth.emulator.state import ids
from logto_auth.emulator.state.account_visits import ACCOUNT_CENTER_ID, AccountVisit

from .api import post_form

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

BASE = "/account"
_COOKIE = "_account_center"
_SCOPES = (
    "openid",
    "profile",
    "email",
    "phone",
    "address",
    "identities",
    "custom_data",
    "urn:logto:scope:sessions",
    TRUSTED_DEVICES_SCOPE,
)
_YES = frozenset({"1", "true", "y", "yes", "yep", "yeah"})


def this_visit(provider: Provider) -> AccountVisit:
    """Return the visit of this browser, or a new one."""
    visit = provider.instances.account_visits.get(cookies.read(_COOKIE) or "")
    if visit is None:
        visit = AccountVisit()
        provider.instances.account_visits[visit.id] = visit
    return visit


def with_cookie(response: Response, visit: AccountVisit) -> Response:
    """Return the response with the cookie of the visit."""
    cookies.write(response, _COOKIE, visit.id, path=BASE)
    return response


def is_own_form(visit: AccountVisit) -> bool:
    """Return whether the submitted form is one of this visit."""
    return hmac.compare_digest(visit.csrf_token.encode(), request.form.get("csrf_token", "").encode())


def remember_parameters(provider: Provider, visit: AccountVisit) -> None:
    """Keep the parameters of a task's URL. A URL without them leaves the earlier ones, except the language.

    Logto has no list of allowed URLs to return to: any absolute http(s) URL counts, and all others are ignored.
    """
    url = request.args.get("redirect", "")
    parsed = parse_url(url)
    if parsed is not None and parsed.scheme in {"http", "https"} and parsed.host:
        visit.keep_return_url(url, provider.clock.precise())
    if request.args.get("show_success", "").lower() in _YES:
        visit.show_success = True
    visit.identifier = request.args.get("identifier") or visit.identifier
    visit.ui_locales = request.args.get("ui_locales", "")


def start_sign_in(provider: Provider, visit: AccountVisit, route: str) -> Response:
    """Redirect to the authorization endpoint. Afterwards the browser comes back to `route`."""
    visit.access_token = ""
    visit.state, visit.code_verifier = ids.opaque_token(), secrets.token_urlsafe(48)
    visit.keep_route(route, provider.clock.precise())
    known = oidc_scopes(provider.tenant)
    parameters = [
        ("client_id", ACCOUNT_CENTER_ID),
        ("redirect_uri", _callback_url()),
        ("response_type", "code"),
        ("scope", " ".join(scope for scope in _SCOPES if scope in known)),
        ("state", visit.state),
        ("code_challenge", create_s256_code_challenge(visit.code_verifier)),
        ("code_challenge_method", "S256"),
        ("prompt", "consent"),
        *([("ui_locales", visit.ui_locales)] if visit.ui_locales else []),
    ]
    return see_other(f"{request.host_url}oidc/auth?{form_encode(parameters)}")


def finish_sign_in(visit: AccountVisit) -> bool:
    """Exchange the code of the callback for an access token, and return whether it worked.

    The verification record of an earlier sign-in is forgotten.
    """
    state, visit.state = visit.state, ""
    visit.forget_record()
    if not state or not hmac.compare_digest(state.encode(), request.args.get("state", "").encode()):
        return False
    answer = post_form(
        "/oidc/token",
        {
            "grant_type": "authorization_code",
            "client_id": ACCOUNT_CENTER_ID,
            "redirect_uri": _callback_url(),
            "code": request.args.get("code", ""),
            "code_verifier": visit.code_verifier,
        },
    )
    visit.access_token = str(answer.data.get("access_token", "")) if answer.ok else ""
    return bool(visit.access_token)


def return_to(visit: AccountVisit, url: str) -> Response:
    """Redirect to the URL of the site, exactly as it was given, and forget it. Nothing is added."""
    visit.return_url = ""
    return _ExactRedirect(url)


class _ExactRedirect(Response):
    """A redirect to a URL that is not encoded again. Only characters beyond ASCII are, as by a browser."""

    def __init__(self, url: str) -> None:
        super().__init__("", 303, NO_STORE)
        self._url = re.sub(r"[^!-~]+", lambda found: quote(found[0]), url)

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        headers = super().get_wsgi_headers(environ)
        headers["Location"] = self._url
        return headers


def _callback_url() -> str:
    return f"{request.host_url.rstrip('/')}{BASE}"
