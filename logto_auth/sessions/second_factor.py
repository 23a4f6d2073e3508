"""The methods by which the user of a session has authenticated: read from the access token of a response of Logto.

Logto's ID token does not name them. A custom claims script adds them to the access token for `LOGTO_API_RESOURCE`.
"""

from __future__ import annotations

import logging

from logto_auth.clients import oidc_client
from logto_auth.conf import conf
from logto_auth.exceptions import ProviderError, TokenError
from logto_auth.oidc.authentication_methods import CLAIM, methods_in
from logto_auth.oidc.types import Claims, TokenSet

__all__ = ["authentication_methods"]

logger = logging.getLogger("logto_auth")


def authentication_methods(token_set: TokenSet, *, sub: str, is_expected: bool = False) -> tuple[str, ...] | None:
    """Return the methods in the access token of `token_set`, for the user `sub`; None if it proves none.

    A token that fails a check proves nothing, but does not end the session: no page relies on it but those that
    require a second factor. The cause is logged. With `is_expected`, the user has just authenticated, so that a token
    without the claim is a fault of the script. Otherwise another sign-in of that session at Logto may have removed it.
    """
    if conf.second_factor_resource is None or token_set.resource != conf.second_factor_resource:
        return None
    try:
        claims = oidc_client().validate_access_token(token_set, sub=sub).claims
    except (TokenError, ProviderError) as error:
        logger.error("The access token for %s proves no second factor: %s", token_set.resource, error)
        return None
    methods = methods_in(claims)
    if methods is None:
        level = logging.WARNING if is_expected or CLAIM in claims else logging.INFO
        logger.log(level, "The access token for %s %s.", token_set.resource, _fault_of(claims))
    return methods


def _fault_of(claims: Claims) -> str:
    if CLAIM in claims:
        return f"has a claim {CLAIM} that is not a list of methods: it proves no second factor"
    return f"has no claim {CLAIM}: it proves no second factor"
