"""The part of a plan about API resources and their permissions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from logto_auth.exceptions import ConfigurationError
from logto_auth.management_api import ManagementAPI

from .declaration import APIResource, TenantDeclaration
from .steps import Step, change_step, creation_step, value_difference

if TYPE_CHECKING:
    from logto_auth.management_api.types import NewResource, Resource, ResourceChanges, Scope

__all__ = ["DeclaredPermissions", "Permission", "permission_labels"]

# The indicator of an API resource, and the name of one of its permissions.
Permission = tuple[str, str]
TTL = "access token lifetime in seconds"


class DeclaredPermissions:
    """The API resources of a declaration, and the ids of permissions. Steps that create permissions add their ids."""

    def __init__(self, api: ManagementAPI, declaration: TenantDeclaration) -> None:
        self._api = api
        self._declared = {each.indicator: each for each in declaration.resources}
        self._stored = {each["indicator"]: each for each in api.api_resources.all()}
        self._resource_ids = {indicator: each["id"] for indicator, each in self._stored.items()}
        self._indicators = {id: indicator for indicator, id in self._resource_ids.items()}
        self._ids: dict[Permission, str] = {}

    def steps(self) -> Iterator[Step]:
        """Yield a step for each API resource and each permission.

        Raise ConfigurationError if an API resource exists with another indicator.
        """
        for declared in self._declared.values():
            self._check_indicator(declared)
            yield self._resource_step(declared, self._stored.get(declared.indicator))
            stored = self._stored_scopes(declared.indicator)
            for name, description in declared.scopes.items():
                yield self._scope_step((declared.indicator, name), description, stored.get(name))

    # For roles and clients, which hold permissions by their ids

    def required_by(self, holder: str, scopes: Mapping[str, Sequence[str]]) -> list[Permission]:
        """Return the permissions that `holder` has by its declaration. `scopes` maps indicators to names.

        Raise ConfigurationError if a permission is neither declared nor in the tenant.
        """
        required = [(indicator, name) for indicator, names in scopes.items() for name in dict.fromkeys(names)]
        for permission in required:
            if not self._is_declared(permission) and permission not in self._ids:
                self._stored_scopes(permission[0])
                if permission not in self._ids:
                    raise ConfigurationError(
                        f"The {holder} holds the permission {_label(permission)}, which is neither declared nor in the "
                        "tenant. Declare it, or correct its name."
                    )
        return required

    def ids(self, permissions: Iterable[Permission]) -> list[str]:
        """Return the ids of permissions. Call it when all of them exist."""
        return [self._ids[permission] for permission in permissions]

    def permission(self, resource_id: str, name: str) -> Permission:
        """Return the permission that Logto describes by the id of its API resource."""
        return self._indicators.get(resource_id, resource_id), name

    # Steps

    def _resource_step(self, declared: APIResource, stored: Resource | None) -> Step:
        kind, indicator, ttl = "API resource", declared.indicator, declared.access_token_ttl_seconds
        changes: ResourceChanges = {}
        if declared.name:
            changes["name"] = declared.name
        if ttl is not None:
            changes["accessTokenTtl"] = ttl
        if stored is None:
            shown = {"name": declared.name, TTL: ttl}
            new: NewResource = {"name": indicator, "indicator": indicator, **changes}
            return creation_step(kind, indicator, shown, partial(self._create_resource, new))
        differences = [
            value_difference("name", stored["name"], declared.name),
            value_difference(TTL, stored["accessTokenTtl"], ttl),
        ]
        send = partial(self._api.api_resources.update, stored["id"], changes)
        return change_step(kind, indicator, differences, send)

    def _create_resource(self, payload: NewResource) -> None:
        self._resource_ids[payload["indicator"]] = self._api.api_resources.create(payload)["id"]

    def _scope_step(self, permission: Permission, description: str, stored: Scope | None) -> Step:
        kind, name = "permission", _label(permission)
        if stored is None:
            send = partial(self._create_scope, permission, description)
            return creation_step(kind, name, {"description": description}, send)
        send = partial(self._update_scope, permission, description)
        return change_step(kind, name, [value_difference("description", stored["description"], description)], send)

    def _create_scope(self, permission: Permission, description: str) -> None:
        indicator, name = permission
        scope = self._api.api_resources.create_scope(self._resource_ids[indicator], name, description)
        self._ids[permission] = scope["id"]

    def _update_scope(self, permission: Permission, description: str) -> None:
        resource_id = self._resource_ids[permission[0]]
        self._api.api_resources.update_scope(resource_id, self._ids[permission], {"description": description})

    # The tenant

    def _stored_scopes(self, indicator: str) -> dict[str, Scope]:
        """Return the existing permissions of an API resource by name, and remember their ids."""
        if indicator not in self._resource_ids:
            return {}
        scopes = {each["name"]: each for each in self._api.api_resources.scopes(self._resource_ids[indicator])}
        self._ids |= {(indicator, name): scope["id"] for name, scope in scopes.items()}
        return scopes

    def _is_declared(self, permission: Permission) -> bool:
        indicator, name = permission
        return indicator in self._declared and name in self._declared[indicator].scopes

    def _check_indicator(self, declared: APIResource) -> None:
        if not declared.name or declared.indicator in self._stored:
            return
        for stored in self._stored.values():
            if stored["name"] == declared.name and stored["indicator"] not in self._declared:
                raise ConfigurationError(
                    f'The API resource "{declared.name}" has the indicator {stored["indicator"]} in the tenant and '
                    f"{declared.indicator} in the declaration. Logto cannot change an indicator: declare the "
                    "indicator of the tenant, or give the new API resource another name."
                )


def permission_labels(permissions: Iterable[Permission]) -> list[str]:
    """Return permissions in the form in which they are shown: `read:books of https://bookstore.example/api`."""
    return [_label(each) for each in permissions]


def _label(permission: Permission) -> str:
    indicator, name = permission
    return f"{name} of {indicator}"
