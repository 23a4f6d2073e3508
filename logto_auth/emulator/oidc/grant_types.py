"""The grant types of the token endpoint.

The device flow is not implemented: the response is Logto's for an application that may not use it. Token exchange is in
`token_exchange`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any

from authlib.oauth2.rfc7636 import create_s256_code_challenge

from logto_auth.emulator.provider import Provider
from logto_auth.emulator.state.application_record import Application
from logto_auth.emulator.state.records import User, unique
from logto_auth.emulator.state.sessions import Grant
from logto_auth.emulator.state.stored_tokens import (
    REFRESH_REUSE_LEEWAY,
    REFRESH_TOTAL_LIFE,
    AuthorizationCode,
    RefreshToken,
    RenewableToken,
)

from . import errors
from .access_tokens import (
    IssuedAccessToken,
    TokenRequest,
    machine_access_token,
    organization_access_token,
    user_access_token,
)
from .authorization_checks import check_pkce_format, only_redirect_uri
from .signed_tokens import issue_id_token

_ORGANIZATIONS_SCOPE = "urn:logto:scope:organizations"
_ORGANIZATION = "organization_id"
_DAY = 86400


def exchange_code(provider: Provider, request: TokenRequest) -> dict[str, Any]:
    """Return the response to an authorization code. A second use of a code is refused and revokes its grant.

    This grant type does not know `organization_id`, which Logto ignores.
    """
    request = replace(request, params={name: text for name, text in request.params.items() if name != _ORGANIZATION})
    code = _redeemed_code(provider, request)
    user = _user_of(provider, code)
    access_token = user_access_token(provider, request, code, user, code.scopes)
    refresh_token = _first_refresh_token(provider, request.client, code)
    return _user_response(provider, request.client, user, code, code.scopes, access_token, refresh_token)


def refresh(provider: Provider, request: TokenRequest) -> dict[str, Any]:
    """Return the response to a refresh token. It always has a refresh token: the same one unless it was rotated."""
    token = _redeemed_refresh_token(provider, request)
    user = _user_of(provider, token)
    organization_id = request.organization_id
    if organization_id is not None:
        grant = provider.instances.grants[token.grant_id]
        check_organization_access(provider, request.client, user, organization_id, grant=grant)
        if _ORGANIZATIONS_SCOPE not in token.scopes:
            description = "refresh token missing required scope"
            raise errors.OIDCError("insufficient_scope", description, status=403, scope=_ORGANIZATIONS_SCOPE)
    if _rotates(provider, request.client, token):
        token = _rotated(provider, request.client, token)
    scopes = unique(request.params["scope"].split(" ")) if "scope" in request.params else token.scopes
    if organization_id is not None and not request.resources:
        access_token = organization_access_token(provider, request, token, user, scopes)
    else:
        access_token = user_access_token(provider, request, token, user, scopes)
    return _user_response(provider, request.client, user, token, scopes, access_token, token.value)


def client_credentials(provider: Provider, request: TokenRequest) -> dict[str, Any]:
    """Return the response to a machine-to-machine application. Only permissions named in `scope` are granted."""
    client, organization_id = request.client, request.organization_id
    if organization_id is not None and not _has_roles_in(provider, client, organization_id):
        raise errors.access_denied("app has not associated with the organization")
    token = machine_access_token(provider, request)
    response: dict[str, Any] = {"access_token": token.value, "expires_in": token.ttl, "token_type": "Bearer"}
    return {**response, "scope": token.scope} if token.scope else response


def _has_roles_in(provider: Provider, client: Application, organization_id: str) -> bool:
    """Return whether a machine has a role in an organization. Membership alone is not enough for a token."""
    organization = provider.tenant.organizations.get(organization_id)
    return organization is not None and bool(organization.applications.get(client.id))


# Codes


def _redeemed_code(provider: Provider, request: TokenRequest) -> AuthorizationCode:
    """Return the code and mark it as used, or raise OIDCError. A wrong verifier or redirect URI does not consume it."""
    params = dict(request.params)
    if "redirect_uri" not in params and (only := only_redirect_uri(request.client)):
        params["redirect_uri"] = only
    value, redirect_uri = TokenRequest(request.client, params, []).required("code", "redirect_uri")
    code = provider.instances.codes.get(value)
    if code is None or code.client_id != request.client.id or not provider.instances.is_usable(code):
        raise errors.invalid_grant()
    _check_pkce(params.get("code_verifier"), code.code_challenge)
    if code.redirect_uri != redirect_uri:
        raise errors.invalid_grant()
    if code.consumed_at is not None:
        provider.instances.revoke_grant(code.grant_id)
        raise errors.invalid_grant()
    code.consumed_at = provider.clock.precise()
    return code


def _check_pkce(verifier: str | None, challenge: str | None) -> None:
    """Raise OIDCError unless verifier and challenge match or both are absent."""
    if verifier:
        check_pkce_format("code_verifier", verifier)
    matches = create_s256_code_challenge(verifier) == challenge if verifier else challenge is None
    if not matches:
        raise errors.invalid_grant()


def _first_refresh_token(provider: Provider, client: Application, code: AuthorizationCode) -> str | None:
    always = client.always_issue_refresh_token and client.type != "Native"
    if "offline_access" not in code.scopes and not always:
        return None
    inherited = {each.name: getattr(code, each.name) for each in fields(RenewableToken)}
    now = provider.clock.now()
    inherited |= {"issued_at": now, "expires_at": now + client.refresh_token_ttl_in_days * _DAY, "consumed_at": None}
    del inherited["value"]
    token = RefreshToken(**inherited, first_issued_at=now)
    provider.instances.refresh_tokens[token.value] = token
    return token.value


# Refresh tokens


def _redeemed_refresh_token(provider: Provider, request: TokenRequest) -> RefreshToken:
    """Return the refresh token, or raise OIDCError.

    A rotated token works for 3 more seconds. After that its use revokes the grant.
    """
    (value,) = request.required("refresh_token")
    token = provider.instances.refresh_tokens.get(value)
    if token is None or token.client_id != request.client.id or not provider.instances.is_usable(token):
        raise errors.invalid_grant()
    _check_requested_scopes(request, token)
    if token.consumed_at is not None and provider.clock.precise() - token.consumed_at > REFRESH_REUSE_LEEWAY:
        provider.instances.revoke_grant(token.grant_id)
        raise errors.invalid_grant()
    return token


def _check_requested_scopes(request: TokenRequest, token: RefreshToken) -> None:
    requested = unique(request.params.get("scope", "").split())
    missing = [scope for scope in requested if scope not in token.scopes]
    if missing:
        description = f"refresh token missing requested scope{'' if len(missing) == 1 else 's'}"
        raise errors.OIDCError("invalid_scope", description, scope=" ".join(missing))


def _rotates(provider: Provider, client: Application, token: RefreshToken) -> bool:
    """Return whether the token is replaced when it is used.

    Tokens of public clients always are; others after 70 % of their lifetime.
    """
    now = provider.clock.now()
    if not client.rotate_refresh_token or now - token.first_issued_at >= REFRESH_TOTAL_LIFE:
        return False
    used = (now - token.issued_at) / (token.expires_at - token.issued_at)
    return client.is_public or used >= 0.7


def _rotated(provider: Provider, client: Application, token: RefreshToken) -> RefreshToken:
    now = provider.clock.now()
    if token.consumed_at is None:
        token.consumed_at = provider.clock.precise()
    copied = {each.name: getattr(token, each.name) for each in fields(RefreshToken)}
    # Rotation does not extend the lifetime for a single-page application.
    expires_at = token.expires_at if client.type == "SPA" else now + client.refresh_token_ttl_in_days * _DAY
    copied |= {"issued_at": now, "expires_at": expires_at, "consumed_at": None}
    del copied["value"]
    new = RefreshToken(**copied)
    provider.instances.refresh_tokens[new.value] = new
    return new


def check_organization_access(
    provider: Provider, client: Application, user: User, organization_id: str, *, grant: Grant | None = None
) -> None:
    """Raise OIDCError unless the user is a member and the application may act in the organization.

    A dynamic client may act in the organization of its grant.
    """
    organization = provider.tenant.organizations.get(organization_id)
    if organization is None or user.id not in organization.members:
        raise errors.access_denied("user is not a member of the organization")
    if client.is_dynamic:
        consented = grant is not None and grant.organization_id == organization_id
    else:
        consented = (client.id, user.id, organization_id) in provider.tenant.organization_consents
    if client.is_third_party and not consented:
        raise errors.access_denied("organization access is not granted to the application")
    if organization.is_mfa_required and not user.has_second_factor:
        raise errors.access_denied("organization requires MFA but user has no MFA configured")


# Responses


def _user_of(provider: Provider, source: RenewableToken) -> User:
    return active_user(provider, source.account_id)


def active_user(provider: Provider, sub: str) -> User:
    """Return the user to whom a token may be issued, or raise OIDCError."""
    user = provider.tenant.users.get(sub)
    if user is None or (user.is_suspended and provider.tenant.version.refuses_suspended_users):
        raise errors.invalid_grant()
    return user


def _user_response(
    provider: Provider,
    client: Application,
    user: User,
    source: RenewableToken,
    scopes: Iterable[str],
    access_token: IssuedAccessToken,
    refresh_token: str | None,
) -> dict[str, Any]:
    """Return the response with its keys in Logto's order. `scope` is that of the access token and may be empty."""
    scopes = list(scopes)
    response: dict[str, Any] = {"access_token": access_token.value, "expires_in": access_token.ttl}
    if "openid" in scopes:
        response["id_token"] = issue_id_token(
            provider,
            client,
            user,
            scopes=provider.instances.grants[source.grant_id].granted_oidc_scopes(scopes),
            access_token=access_token.value,
            nonce=source.nonce,
            auth_time=source.auth_time,
            sid=source.sid,
        )
    if refresh_token is not None:
        response["refresh_token"] = refresh_token
    return {**response, "scope": access_token.scope, "token_type": "Bearer"}
