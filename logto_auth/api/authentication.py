"""Who calls an API with an access token: the header, the token, the person or the machine.

Everything that protects an API asks `authenticate`: the decorators, Django REST framework's class and Ninja's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from logto_auth.clients import access_token_verifier, oidc_client
from logto_auth.conf import api_resource, conf
from logto_auth.exceptions import AuthorizationHeaderError, SignInRefused, TokenError
from logto_auth.models import LogtoIdentity, OrganizationMembership, make_digest
from logto_auth.oidc.access_tokens import is_opaque
from logto_auth.oidc.types import AccessTokenClaims
from logto_auth.organizations import current
from logto_auth.organizations.memberships import Membership, organization_roles_in
from logto_auth.users.claims import role_names
from logto_auth.users.provisioning import provision_api_user

# RFC 6750, section 2.1. Two headers arrive as one, joined by a comma, which no token has.
BEARER = re.compile(r"bearer(?: +(?P<token>[A-Za-z0-9._~+/-]+=*))?", re.IGNORECASE)


class Machine(AnonymousUser):
    """A machine-to-machine application as `request.user`: authenticated, and never somebody's account.

    `pk` and `username` are its app ID. It holds no permission but the scopes of its token, as `logto.<scope>`.
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

    @property
    def is_anonymous(self) -> Any:
        return False

    @property
    def is_authenticated(self) -> Any:
        return True

    def get_all_permissions(self, obj: Any = None) -> set[str]:
        caller: TokenPrincipal | None = getattr(self, "_logto", None)
        return {f"logto.{scope}" for scope in caller.permissions()} if caller and obj is None else set()

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return perm in self.get_all_permissions(obj)

    def has_module_perms(self, module: str) -> bool:
        return module == "logto" and bool(self.get_all_permissions())

    async def ahas_perm(self, perm: str, obj: Any = None) -> bool:
        return self.has_perm(perm, obj)

    async def ahas_module_perms(self, module: str) -> bool:
        return self.has_module_perms(module)


class TokenPrincipal:
    """What a view sees of who calls with an access token, as `request.auth` and `request.logto`.

    It answers the same questions as `SessionPrincipal`. `user` is the account of the user, or a `Machine`.
    """

    is_authenticated = True

    def __init__(self, request: HttpRequest, token: AccessTokenClaims, identity: LogtoIdentity | None) -> None:
        self._request = request
        self._identity = identity
        self.token = token
        user: Any = Machine(token.client_id) if identity is None else identity.user
        self.user = user
        # Where LogtoBackend.has_perm looks for scopes.
        user._logto = self

    def __repr__(self) -> str:
        return f"<TokenPrincipal {self.token.sub}>"

    @property
    def sub(self) -> str:
        """The person's id at Logto; a machine's app ID."""
        return self.token.sub

    @property
    def is_machine(self) -> bool:
        """Whether an application calls in its own name."""
        return self._identity is None

    @property
    def claims(self) -> Mapping[str, Any]:
        """The claims of the access token."""
        return self.token.claims

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes of the access token, whatever it is for; `permissions` says which count where."""
        return self.token.scopes

    @cached_property
    def roles(self) -> tuple[str, ...]:
        """Names of the person's roles, in order: those in the token, should a custom claims script put a list `roles`
        there, else what this site knows from the last sign-in here. A machine has none that this site knows."""
        names = role_names(self.token.claims)
        if names is None:
            names = frozenset(self._identity.roles) if self._identity else frozenset()
        return tuple(sorted(names))

    @property
    def organization_id(self) -> str | None:
        """The id of the current organization: the token's, unless the address names another one."""
        token_s = self.token.organization_id
        return token_s if self._named in (None, token_s) else None

    @property
    def _named(self) -> str | None:
        """The organization that the address names. Before the view is known, it has not been read."""
        by_view = self._request.resolver_match is not None
        return self._named_for_the_view if by_view else current.requested_organization_id(self._request)

    @cached_property
    def _named_for_the_view(self) -> str | None:
        return current.requested_organization_id(self._request)

    @property
    def organization(self) -> Membership | None:
        """The current organization, with the name and the roles that this site knows of. One query."""
        return self._organization_of_token if self.organization_id is not None else None

    @cached_property
    def _organization_of_token(self) -> Membership | None:
        organization_id = self.token.organization_id
        if organization_id is None:
            return None
        digest = make_digest(self.token.issuer, organization_id)
        rows = OrganizationMembership.objects.filter(identity=self._identity, organization__digest=digest)
        row = rows.select_related("organization").first() if self._identity else None
        held = organization_roles_in(self.token.claims, organization_id)
        known = tuple(row.roles) if row else ()
        name = row.organization.name if row else ""
        return Membership(id=organization_id, name=name or None, roles=known if held is None else held)

    @property
    def organizations(self) -> tuple[Membership, ...]:
        """The one organization that the token speaks for, if it does."""
        return (self.organization,) if self.organization else ()

    def permissions(self, resource: str | None = None, *, organization_id: str | None = None) -> frozenset[str]:
        """The permissions on `resource`, by default the API that the token was taken for; none for another.

        Where the address names an organization, only a token in its name has any: in one of nobody's name Logto adds up
        what the person's roles give in all their organizations. With `organization_id`, the same for that one.
        """
        token = self.token
        if token.is_organization_token or token.audience != (resource or token.audience):
            return frozenset()
        demanded = {self._named, organization_id} - {None}
        return self.scopes if demanded <= {token.organization_id} else frozenset()

    def organization_permissions(self, organization_id: str | None = None) -> frozenset[str]:
        """The permissions in an organization, by default the current one; none in another than the token's."""
        wanted = organization_id or self.organization_id
        return self.scopes if wanted is not None and wanted == self.token.organization_id else frozenset()

    async def auser(self) -> Any:
        """See `user`; as `request.auser`, so that no session's user is found there."""
        return self.user

    async def aload(self) -> TokenPrincipal:
        """This object, with all read from the database that its properties need: for use in async views."""
        await sync_to_async(lambda: self.organization)()
        return self


def authenticate(
    request: HttpRequest, *, resource: str | None = None, of_organization: bool = False, accepts_machines: bool = True
) -> TokenPrincipal | None:
    """Who calls with an access token for `resource`, by default `LOGTO_API_RESOURCE`, or with an organization token.

    None when there is no bearer token in the header; nowhere else is one looked for (RFC 9700, section 4.3.2). The
    request has the caller as `logto` and `auth` from then on, and their account as `user`, whoever its session is of.
    Raises AuthorizationHeaderError, TokenError, SignInRefused, ProviderError: `ErrorResponse.of` says what to answer.
    """
    if _token(request) is None:
        return None
    # No frame from here on up holds the token: a page for an error of the site's own would show it.
    claims = _verified(request, None if of_organization else _expected_audience(resource))
    if claims.is_machine and not accepts_machines:
        raise SignInRefused("This API takes access tokens of people only.", code="machine_refused")
    identity = None if claims.is_machine else provision_api_user(claims.issuer, claims.sub)
    caller = TokenPrincipal(request, claims, identity)
    request.logto = request.auth = caller  # type: ignore[attr-defined]
    request.user, request.auser = caller.user, caller.auser
    return caller


async def aauthenticate(request: HttpRequest, **options: Any) -> TokenPrincipal | None:
    """See `authenticate`."""
    return await sync_to_async(authenticate)(request, **options)


def token_in(header: str) -> str | None:
    """The access token in an `Authorization` header, None without one. Raises AuthorizationHeaderError.

    Source: RFC 6750, section 2.1; RFC 9110, section 11.1: the scheme's case does not matter.
    """
    # White space there is of these two kinds (RFC 9110, section 5.5).
    header = header.strip(" \t")
    if header.partition(" ")[0].lower() != "bearer":
        return None
    match = BEARER.fullmatch(header)
    if match is None or match["token"] is None:
        raise AuthorizationHeaderError(
            "The Authorization header holds no bearer token, expected `Bearer <token>`, once."
        )
    return match["token"]


def _token(request: HttpRequest) -> str | None:
    return token_in(request.META.get("HTTP_AUTHORIZATION", ""))


def _expected_audience(resource: str | None) -> str:
    # A site that takes opaque tokens alone, which are for nothing, needs no resource.
    return resource or (conf.api_resource if conf.api_introspected_apps else api_resource())


@sensitive_variables()
def _verified(request: HttpRequest, resource: str | None) -> AccessTokenClaims:
    """The claims of the token in `request`, which is to be for `resource`; None: for an organization."""
    verifier, token = access_token_verifier(), _token(request) or ""
    if resource is None:
        return verifier.verify_for_organization(token)
    if is_opaque(token) and conf.api_introspected_apps:
        return _introspected(token)
    return verifier.verify_for_resource(token, resource)


def _introspected(token: str) -> AccessTokenClaims:
    """An opaque token has no audience: who else could have passed it on here is bounded by naming the applications."""
    claims = oidc_client().introspect(token)
    if claims.client_id not in conf.api_introspected_apps:
        raise TokenError(
            f"The opaque access token is of the application {claims.client_id!r:.60}, which is not among "
            "LOGTO_API_INTROSPECTED_APPS.",
            claim="client_id",
        )
    return claims
