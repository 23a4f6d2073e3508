"""The claims of a user by scope, in Logto's order and with its null values."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from logto_auth.emulator.state import rbac
from logto_auth.emulator.state.records import User
from logto_auth.emulator.state.tenant import Tenant

TRUSTED_DEVICES_SCOPE = "urn:logto:scope:trusted_devices"

# In the order of `claims_supported`, which is also the order in tokens.
CLAIMS_BY_SCOPE: dict[str, tuple[str, ...]] = {
    "openid": ("sub",),
    "profile": (
        "name",
        "family_name",
        "given_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "updated_at",
        "username",
        "created_at",
    ),
    "email": ("email", "email_verified"),
    "phone": ("phone_number", "phone_number_verified"),
    "address": ("address",),
    "custom_data": ("custom_data",),
    "identities": ("identities", "sso_identities"),
    "roles": ("roles",),
    "urn:logto:scope:organizations": ("organizations", "organization_data"),
    "urn:logto:scope:organization_roles": ("organization_roles",),
    "urn:logto:scope:sessions": (),
    TRUSTED_DEVICES_SCOPE: (),
}

_OIDC_SCOPES = ("openid", "offline_access", *(scope for scope in CLAIMS_BY_SCOPE if scope != "openid"))

# Always in userinfo. In the ID token only if the tenant enables them.
EXTENDED_CLAIMS = frozenset(
    {
        "custom_data",
        "identities",
        "sso_identities",
        "roles",
        "organizations",
        "organization_data",
        "organization_roles",
    }
)

# Claims from the `profile` of the user. Absent keys give no claim.
_PROFILE_KEYS = {
    "family_name": "familyName",
    "given_name": "givenName",
    "middle_name": "middleName",
    "nickname": "nickname",
    "preferred_username": "preferredUsername",
    "profile": "profile",
    "website": "website",
    "gender": "gender",
    "birthdate": "birthdate",
    "zoneinfo": "zoneinfo",
    "locale": "locale",
    "address": "address",
}

_ClaimSource = Callable[[Tenant, User], Any]

_SOURCES: dict[str, _ClaimSource] = {
    "sub": lambda tenant, user: user.id,
    "name": lambda tenant, user: user.name,
    "picture": lambda tenant, user: user.avatar,
    "username": lambda tenant, user: user.username,
    "updated_at": lambda tenant, user: user.updated_at,
    "created_at": lambda tenant, user: user.created_at,
    "email": lambda tenant, user: user.primary_email,
    "email_verified": lambda tenant, user: bool(user.primary_email),
    "phone_number": lambda tenant, user: user.primary_phone,
    "phone_number_verified": lambda tenant, user: bool(user.primary_phone),
    "custom_data": lambda tenant, user: user.custom_data,
    "identities": lambda tenant, user: user.identities,
    "sso_identities": lambda tenant, user: user.sso_identities,
    "roles": lambda tenant, user: list(user.roles),
    "organizations": lambda tenant, user: [each.id for each in rbac.memberships(tenant, user.id)],
    "organization_data": lambda tenant, user: [
        {"id": each.id, "name": each.name, "description": each.description}
        for each in rbac.memberships(tenant, user.id)
    ],
    "organization_roles": lambda tenant, user: [
        f"{each.id}:{role}" for each in rbac.memberships(tenant, user.id) for role in each.members[user.id]
    ],
}


def oidc_scopes(tenant: Tenant) -> tuple[str, ...]:
    """Return the OIDC scopes in the order of discovery. All other scopes are permissions of resources."""
    has_all = tenant.version.has_trusted_devices_scope
    return tuple(scope for scope in _OIDC_SCOPES if has_all or scope != TRUSTED_DEVICES_SCOPE)


def userinfo_claims(tenant: Tenant, user: User, scopes: Iterable[str]) -> dict[str, Any]:
    """Return every claim of the scopes, `sub` first."""
    return _claims(tenant, user, scopes, EXTENDED_CLAIMS)


def id_token_claims(tenant: Tenant, user: User, scopes: Iterable[str]) -> dict[str, Any]:
    """Return the claims of the scopes that the tenant enables for ID tokens, with `sub` first."""
    return _claims(tenant, user, scopes, tenant.id_token_extended_claims)


def _claims(tenant: Tenant, user: User, scopes: Iterable[str], extended: Iterable[str]) -> dict[str, Any]:
    extended = set(extended)
    names = [name for scope in ["openid", *scopes] for name in CLAIMS_BY_SCOPE.get(scope, ())]
    wanted = [name for name in dict.fromkeys(names) if name not in EXTENDED_CLAIMS or name in extended]
    claims: dict[str, Any] = {}
    for name in wanted:
        if name not in _PROFILE_KEYS:
            claims[name] = _SOURCES[name](tenant, user)
        elif (value := _profile_value(user, name)) is not None:
            claims[name] = value
    return claims


def _profile_value(user: User, claim: str) -> Any:
    value = user.profile.get(_PROFILE_KEYS[claim])
    # Since Logto 1.41 the username is the fallback.
    return user.username if claim == "preferred_username" and value is None else value
