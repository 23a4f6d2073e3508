"""The tokens of an impersonation, which come from token exchange: there is no ID token and no refresh token.

The Management API creates a subject token for the user. It is exchanged for an opaque token, by which userinfo gives
the claims, and for tokens for APIs, which name the staff member in the claim `act` (RFC 8693, section 4.1).
"""

from __future__ import annotations

from logto_auth.clients import management_api, oidc_client, token_exchange
from logto_auth.conf import conf
from logto_auth.exceptions import ConfigurationError, ManagementAPIError, ProviderError, SignInRefused, TokenError
from logto_auth.management_api import ManagementAPI
from logto_auth.oidc.secrets import Secret
from logto_auth.oidc.token_exchange import ExchangedToken
from logto_auth.oidc.types import TokenSet
from logto_auth.tenant.declaration import RESERVED_SCOPES

__all__ = ["REFUSED", "api_token", "new_tokens"]

REFUSED = "user_refused"
"""The code of the SignInRefused when Logto or the site does not accept the user."""
# A visitor waits for the answer.
MAX_TRIES = 2
# There is no refresh token. The sessions of the user at Logto are the user's own business.
NEVER_REQUESTED = {"offline_access", "urn:logto:scope:sessions"}


def new_tokens(sub: str) -> TokenSet:
    """Return an opaque token of the user `sub`, with the claims of userinfo in place of those of an ID token.

    Raise SignInRefused if the user is suspended or deleted at Logto, ConfigurationError if the site may not exchange
    tokens, ProviderError and ManagementAPIError if Logto fails.
    """
    api = management_api(max_tries=MAX_TRIES)
    # Logto 1.42 exchanges the subject token of a suspended user, and answers at userinfo.
    if _user_at_logto(api, sub).get("isSuspended") is not False:
        raise SignInRefused("The user is suspended at Logto.", code=REFUSED)
    scopes = RESERVED_SCOPES.intersection(["openid", *conf.scopes]) - NEVER_REQUESTED
    token = _exchanged(api, sub, scopes=scopes)
    claims = oidc_client().userinfo(token.access_token, sub=sub)
    return _token_set(token, {**claims, "iss": conf.issuer})


def api_token(
    sub: str, *, resource: str | None, organization_id: str | None, scopes: tuple[str, ...], actor_token: Secret
) -> TokenSet:
    """Return a token of the user `sub` for an API resource, for an organization, or for both. `act` names the actor.

    Raise what `new_tokens` raises.
    """
    api = management_api(max_tries=MAX_TRIES)
    token = _exchanged(
        api,
        sub,
        scopes=scopes or conf.scopes,
        resource=resource,
        organization_id=organization_id,
        actor_token=actor_token,
    )
    if token.sub != sub:
        raise TokenError("Logto has issued the access token to another user.", claim="sub")
    return _token_set(token, {})


def _user_at_logto(api: ManagementAPI, sub: str) -> dict[str, object]:
    try:
        return {**api.users.get(sub)}
    except ManagementAPIError as error:
        raise _refusal_or(error) from error


def _exchanged(
    api: ManagementAPI,
    sub: str,
    *,
    scopes: object,
    resource: str | None = None,
    organization_id: str | None = None,
    actor_token: Secret | None = None,
) -> ExchangedToken:
    try:
        subject_token = Secret(api.subject_tokens.create(sub)["subjectToken"])
    except ManagementAPIError as error:
        raise _refusal_or(error) from error
    try:
        return token_exchange().exchange_subject_token(
            subject_token,
            resource=resource,
            organization_id=organization_id,
            scopes=scopes,  # type: ignore[arg-type]
            actor_token=actor_token,
        )
    except TokenError as error:
        if error.claim == "subject_token":
            raise SignInRefused(f"Logto issues no tokens for the user: {error}", code=REFUSED) from error
        raise
    except ProviderError as error:
        if error.error == "invalid_request" and error.code == "client_rejected":
            raise ConfigurationError(
                f"{error} Or declare it in LOGTO_TENANT, with token_exchange=True, and run manage.py logto_setup."
            ) from error
        raise


def _refusal_or(error: ManagementAPIError) -> SignInRefused | ManagementAPIError:
    """Return what to raise for an error of the Management API: that the user is gone, or the error itself."""
    if error.is_not_found:
        return SignInRefused("Logto does not know the user any more.", code=REFUSED)
    return error


def _token_set(token: ExchangedToken, claims: dict[str, object]) -> TokenSet:
    return TokenSet(
        access_token=token.access_token,
        expires_at=int(token.expires_at),
        scopes=token.scopes,
        id_token_claims=claims,
        resource=token.resource,
        organization_id=token.organization_id,
    )
