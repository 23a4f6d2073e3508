"""Which access token answers a request: opaque, or a JWT for a resource or an organization (logto.md, 3.3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from logto_auth.emulator.provider import Provider
from logto_auth.emulator.state import rbac
from logto_auth.emulator.state.application import Application
from logto_auth.emulator.state.records import ORGANIZATIONS_RESOURCE, User, unique
from logto_auth.emulator.state.sessions import GRANT_TTL, Grant
from logto_auth.emulator.state.stored_tokens import OPAQUE_TOKEN_TTL, AccessToken, Renewable

from . import errors
from .authorization_checks import check_resource
from .claims import OIDC_SCOPES
from .signed_tokens import issue_jwt_access_token

_ORGANIZATION_TOKEN_TTL = 3600


@dataclass(frozen=True)
class TokenRequest:
    """A token request of an authenticated client. Only parameters of the body count."""

    client: Application
    params: Mapping[str, str]
    resources: list[str]

    def required(self, *names: str) -> list[str]:
        missing = [name for name in names if name not in self.params]
        if missing:
            raise errors.missing_parameters(*missing)
        return [self.params[name] for name in names]


@dataclass(frozen=True)
class IssuedAccessToken:
    """An access token with what the answer says of it; `ttl` is in seconds."""

    value: str
    scope: str
    ttl: int


def user_access_token(
    provider: Provider, request: TokenRequest, source: Renewable, user: User, scopes: Iterable[str]
) -> IssuedAccessToken:
    """Return an opaque access token, or a JWT where a resource is meant."""
    scopes = list(scopes)
    indicator = _resolved_resource(request, source, scopes)
    if indicator is None:
        return _opaque_access_token(provider, source, scopes)
    return _resource_access_token(provider, request, source, user, indicator, scopes)


def _resolved_resource(request: TokenRequest, source: Renewable, scopes: Iterable[str]) -> str | None:
    """Return the one resource the token is for, or None. Only those of the authorization request are eligible."""
    candidates = request.resources
    if not candidates and "openid" not in scopes:
        candidates = source.resources
    if len(candidates) > 1:
        description = "only a single resource indicator value must be requested/resolved during Access Token Request"
        raise errors.invalid_target(description)
    if candidates and candidates[0] not in source.resources:
        raise errors.invalid_target()
    return candidates[0] if candidates else None


def _opaque_access_token(provider: Provider, source: Renewable, scopes: Iterable[str]) -> IssuedAccessToken:
    grant = provider.instances.grants[source.grant_id]
    now = provider.clock.now()
    granted = grant.granted_oidc_scopes(scopes)
    token = AccessToken(
        client_id=source.client_id,
        account_id=source.account_id,
        grant_id=source.grant_id,
        session_uid=source.session_uid,
        expires_with_session=source.expires_with_session,
        scopes=granted,
        sid=source.sid,
        issued_at=now,
        expires_at=now + OPAQUE_TOKEN_TTL,
    )
    provider.instances.access_tokens[token.value] = token
    return IssuedAccessToken(token.value, " ".join(granted), OPAQUE_TOKEN_TTL)


def _resource_access_token(
    provider: Provider, request: TokenRequest, source: Renewable, user: User, indicator: str, scopes: Iterable[str]
) -> IssuedAccessToken:
    """Return a JWT with what the user holds now, was granted then, and is asked for."""
    client, organization_id = request.client, request.params.get("organization_id")
    held = rbac.resource_scopes_of_user(
        provider.tenant, user.id, indicator, client=client, organization_id=organization_id
    )
    grant = provider.instances.grants[source.grant_id]
    granted = grant.granted_resource_scopes(indicator, [scope for scope in scopes if scope in held])
    ttl, scope = _resource_ttl(provider, indicator), " ".join(granted)
    token = issue_jwt_access_token(
        provider,
        client,
        sub=user.id,
        audience=indicator,
        scope=scope,
        ttl=ttl,
        organization_id=organization_id,
    )
    return IssuedAccessToken(token, scope, ttl)


def organization_access_token(
    provider: Provider, client: Application, user: User, organization_id: str, scopes: Iterable[str]
) -> IssuedAccessToken:
    """Return a JWT for an organization, with what the user's roles in it hold now."""
    asked = set(scopes)
    held = rbac.organization_scopes_of_user(provider.tenant, user.id, organization_id)
    scope = " ".join(name for name in held if name in asked)
    audience = f"urn:logto:organization:{organization_id}"
    token = issue_jwt_access_token(
        provider, client, sub=user.id, audience=audience, scope=scope, ttl=_ORGANIZATION_TOKEN_TTL
    )
    return IssuedAccessToken(token, scope, _ORGANIZATION_TOKEN_TTL)


def machine_access_token(provider: Provider, request: TokenRequest, organization_id: str | None) -> IssuedAccessToken:
    """Return a JWT for an application itself. Without a permission it has no `scope`."""
    client = request.client
    indicator = _machine_resource(provider, request, organization_id)
    if indicator is not None:
        held = rbac.resource_scopes_of_application(provider.tenant, client, indicator, organization_id=organization_id)
        audience, ttl = indicator, _resource_ttl(provider, indicator)
    else:
        assert organization_id is not None  # one of the two is given
        held = rbac.organization_scopes_of_application(provider.tenant, client, organization_id)
        audience, ttl = f"urn:logto:organization:{organization_id}", _ORGANIZATION_TOKEN_TTL
        organization_id = None
    scope = " ".join(name for name in unique(request.params.get("scope", "").split()) if name in held)
    token = issue_jwt_access_token(
        provider,
        client,
        sub=client.id,
        audience=audience,
        scope=scope or None,
        ttl=ttl,
        organization_id=organization_id,
    )
    return IssuedAccessToken(token, scope, ttl)


def exchanged_access_token(provider: Provider, request: TokenRequest, user: User) -> IssuedAccessToken:
    """Return a token for a user who is not there: a JWT where a resource or an organization is named, or else opaque.

    Only what `scope` names is granted; no default resource stands in.
    """
    client, organization_id = request.client, request.params.get("organization_id")
    scopes = unique(request.params.get("scope", "").split())
    if organization_id is not None and not request.resources:
        return organization_access_token(provider, client, user, organization_id, scopes)
    for indicator in request.resources:
        check_resource(provider, indicator)
    if len(request.resources) > 1:
        raise errors.invalid_target("only a single resource indicator value is supported for this grant type")
    if not request.resources:
        return _opaque_token_without_session(provider, client, user, [name for name in scopes if name in OIDC_SCOPES])
    (indicator,) = request.resources
    held = rbac.resource_scopes_of_user(
        provider.tenant, user.id, indicator, client=client, organization_id=organization_id
    )
    ttl, scope = _resource_ttl(provider, indicator), " ".join(name for name in scopes if name in held)
    token = issue_jwt_access_token(
        provider,
        client,
        sub=user.id,
        audience=indicator,
        scope=scope,
        ttl=ttl,
        organization_id=organization_id,
    )
    return IssuedAccessToken(token, scope, ttl)


def _opaque_token_without_session(
    provider: Provider, client: Application, user: User, scopes: list[str]
) -> IssuedAccessToken:
    now, instances = provider.clock.now(), provider.instances
    grant = Grant(user.id, client.id, now + GRANT_TTL, now, oidc_scopes=scopes)
    instances.grants[grant.id] = grant
    token = AccessToken(
        client_id=client.id,
        account_id=user.id,
        grant_id=grant.id,
        session_uid="",
        expires_with_session=False,
        scopes=scopes,
        sid=None,
        issued_at=now,
        expires_at=now + OPAQUE_TOKEN_TTL,
    )
    instances.access_tokens[token.value] = token
    return IssuedAccessToken(token.value, " ".join(scopes), OPAQUE_TOKEN_TTL)


def _machine_resource(provider: Provider, request: TokenRequest, organization_id: str | None) -> str | None:
    resources = request.resources
    default = provider.tenant.default_resource
    if not resources and organization_id is None and default is not None:
        resources = [default.indicator]
    for indicator in resources:
        check_resource(provider, indicator)
    if len(resources) > 1:
        raise errors.invalid_target("only a single resource indicator value is supported for this grant type")
    if not resources and organization_id is None:
        raise errors.invalid_target("both `resource` and `organization_id` are not provided")
    return resources[0] if resources else None


def _resource_ttl(provider: Provider, indicator: str) -> int:
    if indicator == ORGANIZATIONS_RESOURCE:
        return _ORGANIZATION_TOKEN_TTL
    resource = provider.tenant.find_resource(indicator)
    if resource is None:
        raise errors.invalid_target()
    return resource.access_token_ttl
