"""Who may make an API key: a user who has just proved who they are.

A key works for months, without a password and without a second factor. So a browser that was left open must not be
enough to make one.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import NoReverseMatch

from logto_auth.access.requirements import signed_in_recently
from logto_auth.access.responses import unauthorized_response
from logto_auth.account.verification import verification_url
from logto_auth.exceptions import ConfigurationError, LogtoError, SignInRefused, SignInRequired
from logto_auth.navigation import is_from_script
from logto_auth.oidc.authorization import SignInOptions
from logto_auth.sessions.principal import session_principal
from logto_auth.sign_in.start import redirect_to_logto, sign_in_url

__all__ = ["PROOF_SECONDS", "has_proof", "proof_response", "proof_url"]

# How long ago the user may have signed in at Logto. A security verification lasts ten minutes.
PROOF_SECONDS = 300


def has_proof(request: HttpRequest) -> bool:
    """Return whether the user of the session has proved who they are in the last minutes. It calls no Logto."""
    principal = session_principal(request)
    if not principal.is_authenticated:
        return False
    return principal.account.is_verified or signed_in_recently(principal, PROOF_SECONDS)


def proof_response(request: HttpRequest, next_url: str) -> HttpResponseBase:
    """Return the redirect to the page or the sign-in where the user proves who they are; then they go to `next_url`.

    It is the page of the security verification if the site has it and the user can use it, which costs a call to Logto.
    Otherwise, such as for a user who has neither a password nor an address, it is a new sign-in. Scripts get a 401.
    """
    if is_from_script(request):
        return unauthorized_response(request, proof_url(request, next_url))
    if url := _verification_url(request, next_url):
        return HttpResponseRedirect(url)
    if request.method != "GET":
        return HttpResponseRedirect(next_url)
    return redirect_to_logto(request, next_url=next_url, options=SignInOptions(max_age=PROOF_SECONDS))


def proof_url(request: HttpRequest, next_url: str) -> str:
    """Return the URL path of `proof_response` for a script; "" for a site without views of a sign-in.

    A sign-in is a recent one only if `max_age` is among `LOGTO_SIGN_IN_QUERY_PARAMETERS`.
    """
    if url := _verification_url(request, next_url):
        return url
    try:
        return sign_in_url(next_url, max_age=PROOF_SECONDS)
    except NoReverseMatch:
        return ""


def _verification_url(request: HttpRequest, next_url: str) -> str:
    """Return the URL path of the security verification, "" if the site or the user does not have it."""
    try:
        url = verification_url(next_url)
    except ConfigurationError:
        return ""
    account = session_principal(request).account
    try:
        # Without the scope, Logto tells nothing. Then the page says what is missing.
        can_verify = not account.has_scopes("profile") or account.get().get("hasSecurityVerificationMethod", True)
    except (SignInRequired, SignInRefused):
        raise
    except LogtoError:
        return url
    return url if can_verify else ""
