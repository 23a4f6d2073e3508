"""Token exchange (RFC 8693): an access token for the user of a subject token.

A subject token for impersonation (`sub_...`) works once. Personal access tokens and access tokens work many times. The
new token has any scopes that the user's roles allow, even those that the subject token lacks.
"""

from __future__ import annotations

import json
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from logto_auth.emulator.provider import Provider

from . import errors
from .access_tokens import TokenRequest, exchanged_access_token
from .grant_types import active_user, check_organization_access

_ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a type of tokens
_IMPERSONATION = "urn:logto:token-type:impersonation_token"
_PERSONAL_ACCESS_TOKEN = "urn:logto:token-type:personal_access_token"  # noqa: S105 - a type of tokens
_IMPERSONATION_PREFIX = "sub_"


def exchange_token(provider: Provider, request: TokenRequest) -> dict[str, Any]:
    """Return the response to a subject token. It has no refresh token. A refused request consumes no token."""
    value, kind = request.required("subject_token", "subject_token_type")
    user = active_user(provider, _account_id(provider, value, kind))
    if request.organization_id is not None:
        check_organization_access(provider, request.client, user, request.organization_id)
    token = exchanged_access_token(
        provider,
        request,
        user,
        find_actor=lambda: _actor_id(provider, request),
        subject_token=provider.instances.subject_tokens.get(value),
    )
    provider.instances.subject_tokens.pop(value, None)
    return {"access_token": token.value, "expires_in": token.ttl, "scope": token.scope, "token_type": "Bearer"}


def _account_id(provider: Provider, value: str, kind: str) -> str:
    """Return the id of the user of a subject token, or raise OIDCError."""
    if kind == _IMPERSONATION or (kind == _ACCESS_TOKEN and value.startswith(_IMPERSONATION_PREFIX)):
        return _impersonated(provider, value)
    if kind == _ACCESS_TOKEN:
        return _of_access_token(provider, value)
    if kind == _PERSONAL_ACCESS_TOKEN:
        return _of_personal_access_token(provider, value)
    raise errors.invalid_grant()


def _impersonated(provider: Provider, value: str) -> str:
    subject = provider.instances.subject_tokens.get(value)
    if subject is None or subject.expires_at <= provider.clock.now():
        raise errors.invalid_grant()
    return subject.account_id


def _of_personal_access_token(provider: Provider, value: str) -> str:
    token = provider.tenant.personal_access_tokens.get(value)
    if token is None or (token.expires_at is not None and token.expires_at <= provider.clock.now_ms()):
        raise errors.invalid_grant()
    return token.user_id


def _of_access_token(provider: Provider, value: str) -> str:
    opaque = provider.instances.access_tokens.get(value)
    if opaque is None:
        return _of_jwt(provider, value)
    if not provider.instances.is_usable(opaque):
        raise errors.invalid_grant()
    _check_first_party(provider, opaque.client_id)
    return opaque.account_id


def _of_jwt(provider: Provider, value: str) -> str:
    version = provider.tenant.version
    header, claims = _verified(provider, value)
    is_access_token = header.get("typ") == "at+jwt" and isinstance(claims.get("client_id"), str)
    if not claims.get("sub") or (version.exchange_refuses_id_tokens and not is_access_token):
        raise errors.invalid_grant()
    if is_access_token:
        _check_first_party(provider, claims["client_id"])
    return str(claims["sub"])


def _verified(provider: Provider, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims of a JWT that a published key signed and that has not expired, or raise OIDCError."""
    keys = provider.keys.all()
    published = KeySet([key.key for key in keys])
    for key in published.keys:
        key.ensure_kid()
    try:
        signed = jws.deserialize_compact(token, published, algorithms=[key.alg for key in keys])
        claims = json.loads(signed.payload)
    except (JoseError, ValueError):
        raise errors.invalid_grant() from None
    if claims.get("iss") != provider.issuer or claims.get("exp", 0) <= provider.clock.now():
        raise errors.invalid_grant()
    return dict(signed.headers()), claims


def _check_first_party(provider: Provider, client_id: str) -> None:
    if not provider.tenant.version.exchange_refuses_third_party_tokens:
        return
    client = provider.tenant.applications.get(client_id)
    if client is None or client.is_third_party:
        raise errors.invalid_grant()


def _actor_id(provider: Provider, request: TokenRequest) -> str | None:
    """Return the id of the user who acts for the subject, or None. The actor token is opaque and has `openid`."""
    if "actor_token" not in request.params:
        return None
    token = provider.instances.access_tokens.get(request.params["actor_token"])
    if request.params.get("actor_token_type") != _ACCESS_TOKEN or token is None:
        raise errors.invalid_grant()
    if not provider.instances.is_usable(token) or "openid" not in token.scopes:
        raise errors.invalid_grant()
    return token.account_id
