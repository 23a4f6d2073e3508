"""The access token for a token request: opaque, or a JWT for a resource or an organization."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from logto_auth.emulator.provider import Provider
from logto_auth.emulator.state import rbac
from logto_auth.emulator.state.application_record import Application
from logto_auth.emulator.state.records import ORGANIZATIONS_RESOURCE, User, unique
from logto_auth.emulator.state.sessions import GRANT_TTL, Grant
from logto_auth.emulator.state.stored_tokens import OPAQUE_TOKEN_TTL, AccessToken, RenewableToken, SubjectToken

from . import errors
from .authorization_checks import check_resource
from .claims import oidc_scopes
from .custom_claims import Issue, custom_claims
from .signed_tokens import issue_jwt_access_token

_ORGANIZATION_TOKEN_TTL = 3600


@dataclass(frozen=True)
class TokenRequest:
    """A token request of an authenticated client, with the parameters of its body."""

    client: Application
    params: Mapping[str, str]
    resources: list[str]

    @property
    def organization_id(self) -> str | None:
        return self.params.get("organization_id")

    @property
    def scopes(self) -> list[str]:
        """The scopes that the body names, without repetitions."""
        return unique(self.params.get("scope", "").split())

    def required(self, *names: str) -> list[str]:
        """Return the values of these parameters, or raise OIDCError."""
        missing = [name for name in names if name not in self.params]
        if missing:
            raise errors.missing_parameters(*missing)
        return [self.params[name] for name in names]


@dataclass(frozen=True)
class IssuedAccessToken:
    """An access token with the `scope` and the `expires_in` of the response. `ttl` is in seconds."""

    value: str
    scope: str
    ttl: int


def user_access_token(
    provider: Provider, request: TokenRequest, source: RenewableToken, user: User, scopes: Iterable[str]
) -> IssuedAccessToken:
    """Return an opaque access token, or a JWT if the request is for a resource."""
    scopes = list(scopes)
    indicator = _resolved_resource(request, source, scopes)
    grant = provider.instances.grants[source.grant_id]
    issue = _renewable_issue(request, source, user)
    if indicator is None:
        return _store_opaque_token(
            provider,
            issue,
            session_uid=source.session_uid,
            expires_with_session=source.expires_with_session,
            scopes=grant.granted_oidc_scopes(scopes),
            sid=source.sid,
        )
    held = _scopes_of_user(provider, request, user, indicator)
    granted = grant.granted_resource_scopes(indicator, [scope for scope in scopes if scope in held])
    return _issue_for_resource(provider, issue, indicator, granted)


def organization_access_token(
    provider: Provider, request: TokenRequest, source: RenewableToken, user: User, scopes: Iterable[str]
) -> IssuedAccessToken:
    """Return a JWT for the organization of the request, with the current permissions of the user's roles in it."""
    wanted = list(scopes)
    if request.client.is_dynamic:
        # Names are not unique, so a permission of an API does not count.
        grant = provider.instances.grants[source.grant_id]
        wanted = grant.granted_resource_scopes(ORGANIZATIONS_RESOURCE, wanted)
        wanted = [name for name in wanted if name in request.client.organization_scopes]
    return _organization_token_of_user(provider, _renewable_issue(request, source, user), user, wanted)


def machine_access_token(provider: Provider, request: TokenRequest) -> IssuedAccessToken:
    """Return a JWT for an application itself. Without a permission it has no `scope`."""
    client, organization_id = request.client, request.organization_id
    issue = Issue(client=client, organization_id=organization_id)
    indicator = _machine_resource(provider, request)
    if indicator is not None:
        held = rbac.resource_scopes_of_application(provider.tenant, client, indicator, organization_id=organization_id)
        granted = [name for name in request.scopes if name in held]
        return _issue_for_resource(provider, issue, indicator, granted)
    assert organization_id is not None  # the request names a resource or an organization
    held = rbac.organization_scopes_of_application(provider.tenant, client, organization_id)
    scope = " ".join(name for name in request.scopes if name in held)
    return _issue_for_organization(provider, issue, organization_id, scope)


def exchanged_access_token(
    provider: Provider,
    request: TokenRequest,
    user: User,
    *,
    find_actor: Callable[[], str | None],
    subject_token: SubjectToken | None,
) -> IssuedAccessToken:
    """Return a token of an exchange: a JWT for a resource or an organization, or an opaque token without both.

    Only scopes that the request names are granted. The default resource does not apply. A JWT names the actor, whom
    Logto looks up after the resource.
    """
    indicator = _single_resource(provider, request.resources)
    issue = Issue(
        client=request.client,
        user=user,
        organization_id=request.organization_id,
        grant_id=provider.new_uid(),
        subject_token=subject_token,
        actor_id=find_actor(),
    )
    if request.organization_id is not None and not request.resources:
        return _organization_token_of_user(provider, issue, user, request.scopes)
    if indicator is None:
        return _opaque_token_without_session(provider, request, issue)
    held = _scopes_of_user(provider, request, user, indicator)
    granted = [name for name in request.scopes if name in held]
    return _issue_for_resource(provider, issue, indicator, granted)


# Resources


def _resolved_resource(request: TokenRequest, source: RenewableToken, scopes: Iterable[str]) -> str | None:
    """Return the resource of the token, or None. It must be one of the authorization request."""
    candidates = request.resources
    if not candidates and "openid" not in scopes:
        candidates = source.resources
    if len(candidates) > 1:
        description = "only a single resource indicator value must be requested/resolved during Access Token Request"
        raise errors.invalid_target(description)
    if candidates and candidates[0] not in source.resources:
        raise errors.invalid_target()
    return candidates[0] if candidates else None


def _machine_resource(provider: Provider, request: TokenRequest) -> str | None:
    resources = request.resources
    default = provider.tenant.default_resource
    if not resources and request.organization_id is None and default is not None:
        resources = [default.indicator]
    indicator = _single_resource(provider, resources)
    if indicator is None and request.organization_id is None:
        raise errors.invalid_target("both `resource` and `organization_id` are not provided")
    return indicator


def _single_resource(provider: Provider, indicators: list[str]) -> str | None:
    """Return the only resource indicator after checking it, or None if there is none."""
    for indicator in indicators:
        check_resource(provider, indicator)
    if len(indicators) > 1:
        raise errors.invalid_target("only a single resource indicator value is supported for this grant type")
    return indicators[0] if indicators else None


def _scopes_of_user(provider: Provider, request: TokenRequest, user: User, indicator: str) -> list[str]:
    return rbac.resource_scopes_of_user(
        provider.tenant, user.id, indicator, client=request.client, organization_id=request.organization_id
    )


def _resource_ttl(provider: Provider, indicator: str) -> int:
    if indicator == ORGANIZATIONS_RESOURCE:
        return _ORGANIZATION_TOKEN_TTL
    resource = provider.tenant.find_resource(indicator)
    if resource is None:
        raise errors.invalid_target()
    return resource.access_token_ttl


# Issuing


def _renewable_issue(request: TokenRequest, source: RenewableToken, user: User) -> Issue:
    return Issue(
        client=request.client,
        user=user,
        organization_id=request.organization_id,
        source=source,
        grant_id=source.grant_id,
    )


def _organization_token_of_user(
    provider: Provider, issue: Issue, user: User, scopes: Iterable[str]
) -> IssuedAccessToken:
    assert issue.organization_id is not None  # checked by the caller
    wanted = set(scopes)
    held = rbac.organization_scopes_of_user(provider.tenant, user.id, issue.organization_id)
    scope = " ".join(name for name in held if name in wanted)
    return _issue_for_organization(provider, issue, issue.organization_id, scope)


def _issue_for_resource(provider: Provider, issue: Issue, indicator: str, granted: Iterable[str]) -> IssuedAccessToken:
    ttl, organization_id = _resource_ttl(provider, indicator), issue.organization_id
    organization = {"organization_id": organization_id} if organization_id else {}
    return _issue_jwt(provider, issue, indicator, " ".join(granted), ttl, organization)


def _issue_for_organization(provider: Provider, issue: Issue, organization_id: str, scope: str) -> IssuedAccessToken:
    audience = f"urn:logto:organization:{organization_id}"
    return _issue_jwt(provider, issue, audience, scope, _ORGANIZATION_TOKEN_TTL, {})


def _issue_jwt(
    provider: Provider, issue: Issue, audience: str, scope: str, ttl: int, organization: dict[str, str]
) -> IssuedAccessToken:
    """Return a signed token. That of a machine has no empty `scope`. The script of the tenant adds claims."""
    jti = provider.new_uid()
    claimed_scope = None if issue.user is None and not scope else scope
    extra = {
        **({"act": {"sub": issue.actor_id}} if issue.actor_id else {}),
        **organization,
        **custom_claims(provider, issue, jti=jti, audience=audience, scope=claimed_scope),
    }
    token = issue_jwt_access_token(
        provider, issue.client, jti=jti, sub=issue.sub, audience=audience, scope=claimed_scope, ttl=ttl, extra=extra
    )
    return IssuedAccessToken(token, scope, ttl)


def _opaque_token_without_session(provider: Provider, request: TokenRequest, issue: Issue) -> IssuedAccessToken:
    now, client = provider.clock.now(), request.client
    scopes = [name for name in request.scopes if name in oidc_scopes(provider.tenant)]
    grant = Grant(issue.grant_id, issue.sub, client.id, now + GRANT_TTL, now, oidc_scopes=scopes)
    token = _store_opaque_token(provider, issue, session_uid="", expires_with_session=False, scopes=scopes, sid=None)
    provider.instances.grants[grant.id] = grant
    return token


def _store_opaque_token(
    provider: Provider,
    issue: Issue,
    *,
    session_uid: str,
    expires_with_session: bool,
    scopes: list[str],
    sid: str | None,
) -> IssuedAccessToken:
    """Return an opaque token. Its custom claims show only in its introspection, but a script can refuse it, too."""
    now = provider.clock.now()
    token = AccessToken(
        client_id=issue.client.id,
        account_id=issue.sub,
        grant_id=issue.grant_id,
        session_uid=session_uid,
        expires_with_session=expires_with_session,
        scopes=scopes,
        sid=sid,
        issued_at=now,
        expires_at=now + OPAQUE_TOKEN_TTL,
    )
    token.custom_claims = custom_claims(provider, issue, jti=token.value, audience=None, scope=" ".join(scopes))
    provider.instances.access_tokens[token.value] = token
    return IssuedAccessToken(token.value, " ".join(scopes), OPAQUE_TOKEN_TTL)
