"""The permissions that users may give to clients of others: third-party applications, and dynamic clients.

Logto calls them user consent scopes. A client that asks for more does not get it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .uris import MANAGEMENT_API

__all__ = [
    "ALWAYS_ALLOWED",
    "ORGANIZATIONS",
    "USER_SCOPES",
    "ConsentScopes",
    "consent_scope_errors",
    "is_list_of_texts",
]

ORGANIZATIONS = "urn:logto:scope:organizations"
# Source: Logto's enum `UserScope`.
USER_SCOPES = (
    "profile",
    "email",
    "phone",
    "address",
    "custom_data",
    "identities",
    "roles",
    ORGANIZATIONS,
    "urn:logto:scope:organization_roles",
    "urn:logto:scope:sessions",
    "urn:logto:scope:trusted_devices",
)
# Logto lets each client ask for these.
ALWAYS_ALLOWED = frozenset({"openid", "offline_access"})


@dataclass(frozen=True, kw_only=True)
class ConsentScopes:
    """What a client of others may ask users for. Nothing else reaches it, whatever the user may do."""

    scopes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Permissions of API resources, by indicator. A user gives those that the roles of the user hold."""
    user_scopes: Sequence[str] = ()
    """Data about the user, such as `profile` and `email`. `openid` and `offline_access` are always allowed."""
    organization_scopes: Sequence[str] = ()
    """Organization permissions. They need the user scope `urn:logto:scope:organizations`."""
    organization_resource_scopes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Permissions of API resources that users have by organization roles. They need the same user scope."""


def consent_scope_errors(label: str, declared: ConsentScopes) -> Iterator[str]:
    """Yield a sentence for each permission that Logto would reject, or would accept and never use."""
    yield from _list_errors("user_scopes", declared.user_scopes, label)
    yield from _list_errors("organization_scopes", declared.organization_scopes, label)
    yield from _resource_errors("scopes", declared.scopes, label)
    yield from _resource_errors("organization_resource_scopes", declared.organization_resource_scopes, label)
    if is_list_of_texts(declared.user_scopes):
        yield from _user_scope_errors(label, declared)


def _user_scope_errors(label: str, declared: ConsentScopes) -> Iterator[str]:
    for scope in declared.user_scopes:
        if scope in ALWAYS_ALLOWED:
            yield f"user_scopes of the {label} contains {scope}, which Logto always allows. Remove it."
        elif scope not in USER_SCOPES:
            yield (
                f"user_scopes of the {label} contains {scope!r:.80}, which is no user scope of Logto. Expected some of "
                f"{', '.join(USER_SCOPES)}. Permissions of API resources belong in `scopes`."
            )
    if (declared.organization_scopes or declared.organization_resource_scopes) and (
        ORGANIZATIONS not in declared.user_scopes
    ):
        yield (
            f"The {label} has organization permissions, but not the user scope {ORGANIZATIONS}, without which Logto "
            "issues no token for an organization. Add it to user_scopes."
        )


def _resource_errors(name: str, scopes: Mapping[str, Sequence[str]], label: str) -> Iterator[str]:
    if not isinstance(scopes, Mapping):
        yield (
            f"{name} of the {label} is {scopes!r:.80}, expected a dictionary such as "
            '{"https://shop.example/api": ["read:books"]}.'
        )
        return
    for indicator, names in scopes.items():
        if not isinstance(indicator, str):
            yield f"{name} of the {label} has the key {indicator!r:.80}, expected the indicator of an API resource."
            continue
        yield from _list_errors(f"{name}[{indicator!r:.200}]", names, label)
        if MANAGEMENT_API.fullmatch(indicator):
            yield (
                f"{name} of the {label} has a permission of the Management API. Logto gives it to no client of others: "
                "remove it."
            )


def _list_errors(name: str, values: Sequence[str], label: str) -> Iterator[str]:
    if not is_list_of_texts(values):
        yield f"{name} of the {label} is {values!r:.80}, expected a list of strings."


def is_list_of_texts(values: object) -> bool:
    """Return whether the value is a list, or another sequence, of strings."""
    return (
        isinstance(values, Sequence)
        and not isinstance(values, (str, bytes))
        and all(isinstance(each, str) for each in values)
    )
