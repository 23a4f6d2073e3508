"""Who may make an API key: a user who has just proved who they are.

A key works for months, without a password and without a second factor. So a browser that was left open, or an access
token that was stolen, must not be enough to make one.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from logto_auth.access.requirements import signed_in_recently
from logto_auth.account.verification import verification_url
from logto_auth.exceptions import ConfigurationError, LogtoError, SignInRefused, SignInRequired
from logto_auth.sessions.principal import session_principal
from logto_auth.sign_in.start import sign_in_url

__all__ = ["PROOF_SECONDS", "has_proof", "proof_url"]

# How long ago the user may have signed in at Logto. A security verification lasts ten minutes.
PROOF_SECONDS = 300


def has_proof(request: HttpRequest) -> bool:
    """Return whether the user of the session has proved who they are in the last minutes. It calls no Logto."""
    principal = session_principal(request)
    if not principal.is_authenticated:
        return False
    return principal.account.is_verified or signed_in_recently(principal, PROOF_SECONDS)


def proof_url(request: HttpRequest, next_url: str) -> str:
    """Return the URL path at which the user of the session proves who they are; then they go to `next_url`.

    It is the page of the security verification if the site has it and the user can use it, which costs a call to Logto.
    Otherwise, such as for a user who has neither a password nor an address, it is a new sign-in.
    """
    try:
        url = verification_url(next_url)
    except ConfigurationError:
        url = ""
    if url and _can_verify(request):
        return url
    options: dict[str, Any] = {"max_age": PROOF_SECONDS}
    return sign_in_url(next_url, **options)


def _can_verify(request: HttpRequest) -> bool:
    account = session_principal(request).account
    try:
        # Without the scope, Logto tells nothing. Then the page says what is missing.
        return not account.has_scopes("profile") or bool(account.get().get("hasSecurityVerificationMethod", True))
    except (SignInRequired, SignInRefused):
        raise
    except LogtoError:
        return True
