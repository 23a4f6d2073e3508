"""What a declaration means for roles, and for the permissions and roles of organizations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

from logto_auth.exceptions import ConfigurationError
from logto_auth.management_api.client import ManagementAPI
from logto_auth.management_api.types import OrganizationRole as StoredOrganizationRole
from logto_auth.management_api.types import OrganizationScope
from logto_auth.management_api.types import Role as StoredRole

from .declaration import OrganizationRole, Role, TenantDeclaration
from .permissions import Permission, Permissions, labels
from .steps import Step, change, creation, list_difference, value_difference

T = TypeVar("T")

PERMISSIONS = "permissions"
ORGANIZATION_PERMISSIONS = "organization permissions"


class Roles:
    """The roles of a declaration, which hold permissions of API resources."""

    def __init__(self, api: ManagementAPI, declaration: TenantDeclaration, permissions: Permissions) -> None:
        self._api = api
        self._declaration = declaration
        self._permissions = permissions

    def steps(self) -> Iterator[Step]:
        """A step for each role. Raises ConfigurationError for what cannot be had."""
        there = {each["name"]: each for each in self._api.roles.all()} if self._declaration.roles else {}
        for declared in self._declaration.roles:
            yield self._step(declared, there.get(declared.name))

    def _step(self, declared: Role, stored: StoredRole | None) -> Step:
        holder = f'role "{declared.name}"'
        wanted = self._permissions.wanted(holder, declared.scopes)
        if stored is None:
            shown = {"type": declared.type, "description": declared.description, PERMISSIONS: labels(wanted)}
            return creation("role", declared.name, shown, partial(self._create, declared, wanted))
        _refuse_another_type(holder, declared.type, stored["type"])
        scopes = self._api.roles.scopes(stored["id"])
        held = [self._permissions.named(each["resourceId"], each["name"]) for each in scopes]
        missing = _missing(wanted, held)
        description = value_difference("description", stored["description"], declared.description)

        def send() -> None:
            if description:
                self._api.roles.update(stored["id"], {"description": declared.description})
            if missing:
                self._api.roles.add_scopes(stored["id"], self._permissions.ids(missing))

        more = list_difference(PERMISSIONS, labels(held), labels(missing))
        return change("role", declared.name, [description, more], send)

    def _create(self, declared: Role, wanted: Sequence[Permission]) -> None:
        payload = {
            "name": declared.name,
            "description": declared.description,
            "type": declared.type,
            "scopeIds": self._permissions.ids(wanted),
        }
        self._api.roles.create(_filled(payload))


class OrganizationTemplate:
    """What all organizations have in common: permissions of their own, and roles that hold them."""

    def __init__(self, api: ManagementAPI, declaration: TenantDeclaration, permissions: Permissions) -> None:
        self._api = api
        self._declaration = declaration
        self._permissions = permissions
        self._scope_ids: dict[str, str] = {}

    def steps(self) -> Iterator[Step]:
        """A step for each permission and each role. Raises ConfigurationError for what cannot be had."""
        declared = self._declaration
        if declared.organization_scopes or declared.organization_roles:
            stored_scopes = {each["name"]: each for each in self._api.organization_scopes.all()}
            self._scope_ids = {name: each["id"] for name, each in stored_scopes.items()}
            for name, description in declared.organization_scopes.items():
                yield self._scope_step(name, description, stored_scopes.get(name))
        if declared.organization_roles:
            stored_roles = {each["name"]: each for each in self._api.organization_roles.all()}
            for role in declared.organization_roles:
                yield self._role_step(role, stored_roles.get(role.name))

    def _scope_step(self, name: str, description: str, stored: OrganizationScope | None) -> Step:
        kind, shown = "organization permission", {"description": description}
        if stored is None:
            return creation(kind, name, shown, partial(self._create_scope, _filled({"name": name, **shown})))
        send = partial(self._api.organization_scopes.update, stored["id"], shown)
        return change(kind, name, [value_difference("description", stored["description"], description)], send)

    def _create_scope(self, payload: dict[str, str]) -> None:
        self._scope_ids[payload["name"]] = self._api.organization_scopes.create(payload)["id"]

    def _role_step(self, declared: OrganizationRole, stored: StoredOrganizationRole | None) -> Step:
        kind, holder = "organization role", f'organization role "{declared.name}"'
        self._refuse_unknown_scopes(holder, declared.scopes)
        wanted = self._permissions.wanted(holder, declared.resource_scopes)
        if stored is None:
            shown = {
                "type": declared.type,
                "description": declared.description,
                ORGANIZATION_PERMISSIONS: list(declared.scopes),
                PERMISSIONS: labels(wanted),
            }
            return creation(kind, declared.name, shown, partial(self._create_role, declared, wanted))
        _refuse_another_type(holder, declared.type, stored["type"])
        held = [each["name"] for each in stored["scopes"]]
        held_of_apis = [
            self._permissions.named(each["resource"]["id"], each["name"]) for each in stored["resourceScopes"]
        ]
        missing = _missing(declared.scopes, held)
        missing_of_apis = _missing(wanted, held_of_apis)
        description = value_difference("description", stored["description"], declared.description)

        def send() -> None:
            roles = self._api.organization_roles
            if description:
                roles.update(stored["id"], {"description": declared.description})
            if missing:
                roles.add_scopes(stored["id"], [self._scope_ids[name] for name in missing])
            if missing_of_apis:
                roles.add_resource_scopes(stored["id"], self._permissions.ids(missing_of_apis))

        differences = [
            description,
            list_difference(ORGANIZATION_PERMISSIONS, held, missing),
            list_difference(PERMISSIONS, labels(held_of_apis), labels(missing_of_apis)),
        ]
        return change(kind, declared.name, differences, send)

    def _create_role(self, declared: OrganizationRole, wanted: Sequence[Permission]) -> None:
        payload = {
            "name": declared.name,
            "type": declared.type,
            "description": declared.description,
            "organizationScopeIds": [self._scope_ids[name] for name in declared.scopes],
            "resourceScopeIds": self._permissions.ids(wanted),
        }
        self._api.organization_roles.create(_filled(payload))

    def _refuse_unknown_scopes(self, holder: str, names: Sequence[str]) -> None:
        for name in names:
            if name not in self._declaration.organization_scopes and name not in self._scope_ids:
                raise ConfigurationError(
                    f"The {holder} is to hold the organization permission {name}, which is neither declared nor in the "
                    "tenant."
                )


def _filled(payload: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in payload.items() if value}


def _missing(wanted: Sequence[T], held: Sequence[T]) -> list[T]:
    return [each for each in dict.fromkeys(wanted) if each not in held]


def _refuse_another_type(holder: str, declared: str, stored: str) -> None:
    if declared != stored:
        raise ConfigurationError(
            f"The {holder} is of the type {stored} in the tenant, and of the type {declared} in the declaration. Logto "
            "cannot change that: declare another name, or delete it there."
        )
