"""Access tokens for scripts on pages of this site, for APIs that accept no session (decision 0050).

A script gets a token for one API resource, with some permissions only. The refresh token stays on the server.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass

from logto_auth.clients import access_token_verifier
from logto_auth.conf import conf
from logto_auth.exceptions import ProviderError, TokenError
from logto_auth.oidc.secrets import Secret
from logto_auth.oidc.types import AccessTokenClaims

from .principal import SessionPrincipal

__all__ = ["BrowserToken", "browser_token"]


@dataclass(frozen=True, kw_only=True)
class BrowserToken:
    """An access token that a script may have."""

    token: Secret
    expires_in: int
    """In seconds from now."""
    scopes: frozenset[str]
    """The permissions that the user has, of those that were requested."""


def browser_token(principal: SessionPrincipal, resource: str, scopes: Collection[str]) -> BrowserToken | None:
    """Return an access token of the signed-in user for `resource`, with at most `scopes`; None if they have none.

    Logto limits the token, and this function checks that it has done so. The token is kept with the session until
    shortly before it expires. Raise SignInRequired, SignInRefused and TokenError if the session has ended, and
    ProviderError if Logto refuses the token, cannot be reached, or has issued a token with more rights.
    """
    token = principal.resource_token(resource)
    claims = _verified(token, resource, principal)
    # Logto refuses a request that names a scope which the user did not have at the sign-in.
    wanted = claims.scopes.intersection(scopes)
    if not wanted:
        return None
    if wanted != claims.scopes:
        token = principal.resource_token(resource, limited_to=wanted)
        claims = _verified(token, resource, principal)
    if excess := sorted(claims.scopes.difference(wanted)):
        raise ProviderError(
            f"Logto has issued an access token for {resource} with {', '.join(excess)!r:.200}, not requested. "
            "The token is not handed out."
        )
    if not claims.scopes:
        # The user has lost them since the token with all permissions was issued.
        return None
    return BrowserToken(token=token, expires_in=max(0, int(claims.expires_at - time.time())), scopes=claims.scopes)


def _verified(token: Secret, resource: str, principal: SessionPrincipal) -> AccessTokenClaims:
    """Return the claims of a token that Logto has issued for `resource`. Raise ProviderError: the session stays."""
    try:
        claims = access_token_verifier().verify_for_resource(token, resource)
    except TokenError as error:
        raise ProviderError(f"Logto has issued an access token for {resource} that fails a check: {error}") from error
    if claims.sub != principal.sub or claims.client_id != conf.app_id:
        raise ProviderError(f"Logto has issued an access token for {resource} to another user or application.")
    return claims
