"""What a declaration means for API resources and their permissions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from logto_auth.exceptions import ConfigurationError
from logto_auth.management_api.client import ManagementAPI
from logto_auth.management_api.types import Resource, Scope

from .declaration import APIResource, TenantDeclaration
from .steps import Step, change, creation, value_difference

# Of an API resource: its indicator, and the name.
Permission = tuple[str, str]
TTL = "seconds that access tokens live"


class Permissions:
    """The API resources of a declaration, and the ids of permissions by name, which steps add to."""

    def __init__(self, api: ManagementAPI, declaration: TenantDeclaration) -> None:
        self._api = api
        self._declared = {each.indicator: each for each in declaration.resources}
        self._there = {each["indicator"]: each for each in api.api_resources.all()}
        self._resource_ids = {indicator: each["id"] for indicator, each in self._there.items()}
        self._indicators = {id: indicator for indicator, id in self._resource_ids.items()}
        self._ids: dict[Permission, str] = {}

    def steps(self) -> Iterator[Step]:
        """A step for each API resource and each permission. Raises ConfigurationError for another indicator."""
        for declared in self._declared.values():
            self._refuse_another_indicator(declared)
            yield self._resource_step(declared, self._there.get(declared.indicator))
            stored = self._stored_scopes(declared.indicator)
            for name, description in declared.scopes.items():
                yield self._scope_step((declared.indicator, name), description, stored.get(name))

    # For roles, which hold permissions by their ids

    def wanted(self, holder: str, scopes: Mapping[str, Sequence[str]]) -> list[Permission]:
        """What a role is to hold. Raises ConfigurationError for a permission that will not be there."""
        wanted = [(indicator, name) for indicator, names in scopes.items() for name in dict.fromkeys(names)]
        for permission in wanted:
            if not self._is_declared(permission) and permission not in self._ids:
                self._stored_scopes(permission[0])
                if permission not in self._ids:
                    raise ConfigurationError(
                        f"The {holder} is to hold {label(permission)}, which is neither declared nor in the tenant."
                    )
        return wanted

    def ids(self, permissions: Iterable[Permission]) -> list[str]:
        """The ids of permissions that are there by now."""
        return [self._ids[permission] for permission in permissions]

    def named(self, resource_id: str, name: str) -> Permission:
        """A permission as Logto tells of it."""
        return self._indicators.get(resource_id, resource_id), name

    # Steps

    def _resource_step(self, declared: APIResource, stored: Resource | None) -> Step:
        kind, indicator, ttl = "API resource", declared.indicator, declared.access_token_ttl_seconds
        payload: dict[str, Any] = {"name": declared.name or None, "accessTokenTtl": ttl}
        payload = {key: value for key, value in payload.items() if value is not None}
        if stored is None:
            shown = {"name": declared.name, TTL: ttl}
            payload = {"name": indicator, "indicator": indicator, **payload}
            return creation(kind, indicator, shown, partial(self._create_resource, payload))
        differences = [
            value_difference("name", stored["name"], declared.name),
            value_difference(TTL, stored["accessTokenTtl"], ttl),
        ]
        return change(kind, indicator, differences, partial(self._api.api_resources.update, stored["id"], payload))

    def _create_resource(self, payload: dict[str, Any]) -> None:
        self._resource_ids[payload["indicator"]] = self._api.api_resources.create(payload)["id"]

    def _scope_step(self, permission: Permission, description: str, stored: Scope | None) -> Step:
        kind, name = "permission", label(permission)
        if stored is None:
            send = partial(self._create_scope, permission, description)
            return creation(kind, name, {"description": description}, send)
        send = partial(self._update_scope, permission, description)
        return change(kind, name, [value_difference("description", stored["description"], description)], send)

    def _create_scope(self, permission: Permission, description: str) -> None:
        indicator, name = permission
        scope = self._api.api_resources.create_scope(self._resource_ids[indicator], name, description)
        self._ids[permission] = scope["id"]

    def _update_scope(self, permission: Permission, description: str) -> None:
        resource_id = self._resource_ids[permission[0]]
        self._api.api_resources.update_scope(resource_id, self._ids[permission], {"description": description})

    # What is there

    def _stored_scopes(self, indicator: str) -> dict[str, Scope]:
        """The permissions of an API resource that are there, by name; their ids are kept."""
        if indicator not in self._resource_ids:
            return {}
        scopes = {each["name"]: each for each in self._api.api_resources.scopes(self._resource_ids[indicator])}
        self._ids |= {(indicator, name): scope["id"] for name, scope in scopes.items()}
        return scopes

    def _is_declared(self, permission: Permission) -> bool:
        indicator, name = permission
        return indicator in self._declared and name in self._declared[indicator].scopes

    def _refuse_another_indicator(self, declared: APIResource) -> None:
        if not declared.name or declared.indicator in self._there:
            return
        for stored in self._there.values():
            if stored["name"] == declared.name and stored["indicator"] not in self._declared:
                raise ConfigurationError(
                    f'The API resource "{declared.name}" has the indicator {stored["indicator"]} in the tenant, and '
                    f"{declared.indicator} in the declaration. Logto cannot change an indicator: declare the former, "
                    "or give the new API resource a name of its own."
                )


def label(permission: Permission) -> str:
    """A permission as it is shown."""
    indicator, name = permission
    return f"{name} of {indicator}"


def labels(permissions: Iterable[Permission]) -> list[str]:
    """Permissions as they are shown."""
    return [label(each) for each in permissions]
