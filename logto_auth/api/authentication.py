"""Authentication of API calls by the access token in the `Authorization` header.

Everything that protects an API calls `authenticate`: the decorators, the mixins, and the classes for Django REST
framework and Django Ninja.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest
from django.utils.module_loading import import_string
from django.views.decorators.debug import sensitive_variables

from logto_auth.access.principal import RequestPrincipal
from logto_auth.clients import access_token_verifier
from logto_auth.conf import api_resource, conf
from logto_auth.exceptions import (
    AuthorizationHeaderError,
    ConfigurationError,
    OrganizationRequired,
    SignInRefused,
    TokenError,
)
from logto_auth.memberships.claims import Membership, organization_roles_in
from logto_auth.memberships.current import requested_organization_id
from logto_auth.models import LogtoIdentity, Organization, OrganizationMembership
from logto_auth.oidc.access_tokens import is_opaque
from logto_auth.oidc.authentication_methods import methods_in
from logto_auth.oidc.claims import frozen, is_name
from logto_auth.oidc.secrets import Secret, hide_frames
from logto_auth.oidc.types import AccessTokenClaims
from logto_auth.users.accepted import accepted_user
from logto_auth.users.claims import role_names
from logto_auth.users.current_request import principal_of_user, remember_without_middleware
from logto_auth.users.provisioning import provision_api_user

from .api_keys import KeyPurpose, claims_of_key, is_api_key
from .introspection import introspect

__all__ = ["ApiKeyPrincipal", "Machine", "TokenHttpRequest", "TokenPrincipal", "aauthenticate", "authenticate"]

# RFC 6750, section 2.1. Two headers arrive as one, joined by a comma, which is not allowed in a token.
BEARER = re.compile(r"bearer(?: +(?P<token>[A-Za-z0-9._~+/-]+=*))?", re.IGNORECASE)


class Machine(AnonymousUser):
    """A machine-to-machine application as `request.user`: authenticated, and not a row of the user table.

    `pk` and `username` are its app ID. Its only permissions are the scopes of its token, as `logto.<scope>`.
    """

    is_active = True  # type: ignore[assignment]

    def __init__(self, client_id: str) -> None:
        self.client_id = client_id
        self.id = self.pk = self.username = client_id  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.client_id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Machine) and other.client_id == self.client_id

    def __hash__(self) -> int:
        return hash(self.client_id)

    def __repr__(self) -> str:
        return f"<Machine {self.client_id}>"

    @property
    def is_anonymous(self) -> Any:
        return False

    @property
    def is_authenticated(self) -> Any:
        return True

    def get_all_permissions(self, obj: Any = None) -> set[str]:
        principal = principal_of_user(self)
        return {f"logto.{scope}" for scope in principal.permissions()} if principal and obj is None else set()

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return perm in self.get_all_permissions(obj)

    def has_module_perms(self, module: str) -> bool:
        return module == "logto" and bool(self.get_all_permissions())

    async def ahas_perm(self, perm: str, obj: Any = None) -> bool:
        return await sync_to_async(self.has_perm)(perm, obj)

    async def ahas_module_perms(self, module: str) -> bool:
        return await sync_to_async(self.has_module_perms)(module)


class TokenPrincipal(RequestPrincipal):
    """The user or the application that an access token identifies, as `request.logto` and `request.auth`.

    It has the same properties as `SessionPrincipal`. `user` is the account of the user or of the application, or a
    `Machine`.
    """

    is_authenticated = True

    def __init__(
        self, request: HttpRequest, token: AccessTokenClaims, identity: LogtoIdentity | None, user: Any
    ) -> None:
        super().__init__(request)
        self._identity = identity
        self._token = token
        self.user = user

    def __repr__(self) -> str:
        return f"<TokenPrincipal {self.token.sub}>"

    @property
    def token(self) -> AccessTokenClaims:
        """The claims of the access token that have a meaning of their own."""
        return self._token

    @property
    def identity(self) -> LogtoIdentity | None:
        """The row of the user at Logto, for this package; None for a machine."""
        return self._identity

    def is_for(self, user: Any) -> bool:
        """Return whether `user` is the same object as `self.user`. A copy has no permissions."""
        return user is self.user

    @property
    def sub(self) -> str:
        """The user's id at Logto; the app ID of a machine."""
        return self.token.sub

    @property
    def is_machine(self) -> bool:
        """True for a machine-to-machine application, False for a user."""
        return self._identity is None

    @property
    def client_id(self) -> str:
        """The application that requested the token: an App ID, or a URL of up to 2,048 characters (CIMD)."""
        return self.token.client_id

    @property
    def claims(self) -> Mapping[str, Any]:
        """The claims of the access token."""
        return self.token.claims

    @property
    def scopes(self) -> frozenset[str]:
        """All scopes of the access token; `permissions` returns those that count for an API."""
        return self.token.scopes

    @cached_property
    def authentication_methods(self) -> tuple[str, ...]:
        """The methods by which the user has authenticated at Logto, sorted; empty if the token does not name them.

        They are in a JWT if the custom claims script of this package is installed. Empty for a machine.
        """
        return () if self.is_machine else (methods_in(self.token.claims) or ())

    @property
    def authentication_methods_at(self) -> None:
        """None: an access token does not contain the time."""
        return None

    @cached_property
    def roles(self) -> tuple[str, ...]:
        """Names of the user's global roles, sorted; empty for a machine.

        They come from the claim `roles` of the token if a custom claims script adds it, else from the latest sign-in of
        the user on this site, so they may be stale.
        """
        names = role_names(self.token.claims)
        if names is None:
            names = frozenset(self._identity.roles) if self._identity else frozenset()
        return tuple(sorted(names))

    @property
    def organization_id(self) -> str | None:
        """The id of the current organization: that of the token, unless the URL selects another one."""
        of_token = self.token.organization_id
        return of_token if self._requested_organization_id() in (None, of_token) else None

    @property
    def organization(self) -> Membership | None:
        """The current organization, with the name and the roles that this site knows. One query."""
        return self._organization_of_token if self.organization_id is not None else None

    @property
    def organization_roles(self) -> tuple[str, ...]:
        """Names of the roles in the current organization; empty without one. One query."""
        return self.organization.roles if self.organization else ()

    @cached_property
    def _organization_of_token(self) -> Membership | None:
        organization_id = self.token.organization_id
        if organization_id is None:
            return None
        organizations = Organization.objects.for_logto_id(organization_id)
        rows = OrganizationMembership.objects.filter(identity=self._identity, organization__in=organizations)
        row = rows.select_related("organization").first() if self._identity else None
        roles = organization_roles_in(self.token.claims, organization_id)
        stored_roles = tuple(row.roles) if row else ()
        name = row.organization.name if row else ""
        return Membership(id=organization_id, name=name or None, roles=stored_roles if roles is None else roles)

    @property
    def organizations(self) -> tuple[Membership, ...]:
        """The organization of the token, if it has one."""
        return (self.organization,) if self.organization else ()

    def permissions(self, resource: str | None = None, *, organization_id: str | None = None) -> frozenset[str]:
        """Return the permissions on `resource`, by default the audience of the token; none on another resource.

        If the URL selects an organization, or with `organization_id`, only a token for that organization has
        permissions: in a token without an organization, Logto adds up the permissions of all organizations.
        """
        token = self.token
        # An opaque token has no audience, and its scopes are those of OpenID Connect.
        if not token.audience or token.is_organization_token or token.audience != (resource or token.audience):
            return frozenset()
        required = {self._requested_organization_id(), organization_id} - {None}
        return self.scopes if required <= {token.organization_id} else frozenset()

    def organization_permissions(self, organization_id: str | None = None) -> frozenset[str]:
        """Return the permissions in an organization, by default the current one; none in one other than the token's."""
        wanted = organization_id or self.organization_id
        return self.scopes if wanted is not None and wanted == self.token.organization_id else frozenset()

    async def auser(self) -> Any:
        """Return `user`. It replaces `request.auser`, which would return the user of the session."""
        return self.user

    async def aload(self) -> TokenPrincipal:
        """Return this object after reading all that its properties need from the database: for async views."""
        await sync_to_async(lambda: self.organization)()
        return self


class ApiKeyPrincipal(TokenPrincipal):
    """The user of an API key, as `request.logto` and `request.auth`.

    `token` is the access token for which Logto has exchanged the key, with only those of its scopes that the view
    names. A key proves no second factor.
    """

    is_api_key = True
    authentication_methods = ()

    def __init__(
        self,
        request: HttpRequest,
        token: AccessTokenClaims,
        identity: LogtoIdentity,
        user: Any,
        scopes: Iterable[str],
    ) -> None:
        super().__init__(request, _with_scopes(token, scopes), identity, user)
        self._later_scopes: Callable[[], Iterable[str]] | None = None

    def narrow_scopes(self, names: Callable[[], Iterable[str]]) -> None:
        """Keep only the scopes that `names` returns. It is called at the first look at them."""
        self._later_scopes = names

    @property
    def token(self) -> AccessTokenClaims:
        """The claims of the access token, with the scopes that the view names."""
        if self._later_scopes is not None:
            names, self._later_scopes = self._later_scopes, None
            # A view that looks at the scopes in order to select its permissions sees none.
            token, self._token = self._token, _with_scopes(self._token, ())
            self._token = _with_scopes(token, names())
        return self._token


def _with_scopes(token: AccessTokenClaims, names: Iterable[str]) -> AccessTokenClaims:
    """Return `token` with those of its scopes that are in `names`."""
    scopes = token.scopes.intersection(names)
    if scopes == token.scopes:
        return token
    return replace(token, scopes=scopes, claims=frozen({**token.claims, "scope": " ".join(sorted(scopes))}))


class TokenHttpRequest(HttpRequest):
    """For annotations of views: a request that an access token authenticates."""

    logto: TokenPrincipal
    auth: TokenPrincipal


def authenticate(
    request: HttpRequest,
    *,
    resource: str | None = None,
    of_organization: bool | None = False,
    accepts_machines: bool = True,
    accepts_api_keys: bool = False,
    key_scopes: Iterable[str] = (),
) -> TokenPrincipal | None:
    """Authenticate `request` by its access token, for `resource` or else for `LOGTO_API_RESOURCE`.

    `of_organization` requires an organization token instead; None accepts both kinds. Return None if the header
    contains no bearer token; no other place is searched (RFC 9700, section 4.3.2). Otherwise set `request.logto` and
    `request.auth` to the principal that is returned, and `request.user` to its account, even if a session has another
    user.

    With `accepts_api_keys`, the token may be an API key of a user (`pat_...`), which Logto exchanges for an access
    token: for `resource`, in the organization that the URL selects, if it selects one. With `of_organization` it is an
    organization token, and the URL must select one; with None, if the URL selects one. The principal is then an
    `ApiKeyPrincipal`, with those scopes of the user that are in `key_scopes`. Pass the names of all permissions that
    the view looks at: an organization token has no others.

    Raise AuthorizationHeaderError, TokenError, SignInRefused, OrganizationRequired, TooManyRequests, ProviderError:
    `ErrorResponse.of` makes the response.
    """
    token = _token(request)
    if token is None:
        return None
    if is_api_key(token):
        if not accepts_api_keys:
            raise TokenError(
                "This API does not accept API keys here. Send an access token of Logto in place of the key.",
                claim="token",
            )
        return _authenticated_by_key(request, token, resource, of_organization, key_scopes)
    claims = _verified(token, resource, of_organization)
    if claims.is_machine and not accepts_machines:
        raise SignInRefused("This API accepts only access tokens of users.", code="machine_refused")
    identity = None if claims.is_machine else provision_api_user(claims.issuer, claims.sub)
    user = _machine_user(claims.client_id) if identity is None else identity.user
    return _authenticated(request, TokenPrincipal(request, claims, identity, user))


@sensitive_variables("key")
def _authenticated_by_key(
    request: HttpRequest,
    key: Secret,
    resource: str | None,
    of_organization: bool | None,
    scopes: Iterable[str],
) -> TokenPrincipal:
    scopes = frozenset(scopes)
    purpose = _purpose_of_key(request, resource, of_organization, scopes)
    claims = claims_of_key(request, key, purpose)
    # At each request: the account may have been deactivated since the exchange.
    identity = provision_api_user(claims.issuer, claims.sub)
    return _authenticated(request, ApiKeyPrincipal(request, claims, identity, identity.user, scopes))


def _purpose_of_key(
    request: HttpRequest, resource: str | None, of_organization: bool | None, scopes: frozenset[str]
) -> KeyPurpose:
    """Return what an API key is exchanged for. Raise OrganizationRequired if the URL must select an organization."""
    organization_id = requested_organization_id(request) or None
    if organization_id is not None and not is_name(organization_id):
        raise OrganizationRequired("The URL selects an organization by a text that cannot be the ID of one.")
    if of_organization and organization_id is None:
        raise OrganizationRequired("An API key needs a URL that selects an organization, because it belongs to none.")
    if of_organization is not False and organization_id is not None:
        return KeyPurpose(None, organization_id, tuple(sorted(scopes)))
    resource = resource or api_resource()
    # All declared ones, so that the views of a resource share one exchange.
    names = {*conf.declared_api_resources.get(resource, ()), *scopes}
    return KeyPurpose(resource, organization_id, tuple(sorted(names)))


def _authenticated(request: HttpRequest, principal: TokenPrincipal) -> TokenPrincipal:
    request.logto = request.auth = principal  # type: ignore[attr-defined]
    request.user, request.auser = principal.user, principal.auser
    # The session of the browser does not authenticate this request.
    request.impersonation = request.impersonator = None  # type: ignore[attr-defined]
    remember_without_middleware(request)
    return principal


def _machine_user(client_id: str) -> Any:
    """Return the account that `LOGTO_API_MACHINE_USER` gives the application, else a `Machine`. Raise SignInRefused."""
    if not conf.api_machine_user:
        return Machine(client_id)
    machine_user: Callable[[str], Any] = import_string(conf.api_machine_user)
    try:
        user = machine_user(client_id)
    except ObjectDoesNotExist as error:
        raise SignInRefused(f"The application {client_id} has no account here.", code="account_unknown") from error
    if user is None:
        return Machine(client_id)
    if not isinstance(user, get_user_model()) or user.pk is None:
        raise ConfigurationError(
            f"The function of LOGTO_API_MACHINE_USER returned {type(user).__name__}, expected a stored account or None."
        )
    return accepted_user(user.pk)


async def aauthenticate(request: HttpRequest, **options: Any) -> TokenPrincipal | None:
    """See `authenticate`."""
    return await sync_to_async(authenticate)(request, **options)


@hide_frames
def _token(request: HttpRequest) -> Secret | None:
    """Return the access token in the `Authorization` header, or None. Raise AuthorizationHeaderError.

    Source: RFC 6750, section 2.1; RFC 9110, section 11.1: the scheme is case-insensitive.
    """
    # Not from META, where the test client of Django Ninja has other names. RFC 9110, section 5.5, allows white space
    # around a field value.
    header = request.headers.get("Authorization", "").strip(" \t")
    if header.partition(" ")[0].lower() != "bearer":
        return None
    match = BEARER.fullmatch(header)
    if match is None or match["token"] is None:
        raise AuthorizationHeaderError(
            "The Authorization header contains no valid bearer token; expected `Bearer <token>`, once."
        )
    return Secret(match["token"])


def _expected_audience(resource: str | None) -> str:
    # A site that accepts only opaque tokens, which have no audience, needs no resource.
    return resource or (conf.api_resource if conf.api_introspected_apps else api_resource())


@sensitive_variables()
def _verified(token: Secret, resource: str | None, of_organization: bool | None) -> AccessTokenClaims:
    """Return the claims of `token`, whose audience must be an organization, or the API, as `authenticate` says."""
    verifier = access_token_verifier()
    if of_organization is not False:
        try:
            return verifier.verify_for_organization(token)
        except TokenError as error:
            # An API without a resource has organization tokens only.
            is_for_other = error.claim == "aud" and (resource or conf.api_resource)
            if of_organization or not is_for_other:
                raise
    resource = _expected_audience(resource)
    # An opaque token is for no resource, so a view that names its own resource refuses it.
    if is_opaque(token) and conf.api_introspected_apps and resource == conf.api_resource:
        return _introspected(token)
    return verifier.verify_for_resource(token, resource)


def _introspected(token: Secret) -> AccessTokenClaims:
    """Return the claims of an opaque token. It has no audience, so the setting lists the accepted applications."""
    claims = introspect(token)
    if claims.client_id not in conf.api_introspected_apps:
        raise TokenError(
            f"The opaque access token belongs to the application {claims.client_id!r:.60}, which is not in "
            "LOGTO_API_INTROSPECTED_APPS.",
            claim="client_id",
        )
    return claims
