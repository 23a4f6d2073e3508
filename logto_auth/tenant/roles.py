"""The part of a plan about global roles, organization permissions and organization roles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar, cast

from logto_auth.exceptions import ConfigurationError
from logto_auth.management_api import ManagementAPI
from logto_auth.management_api.transport import Payload

from .declaration import OrganizationRole, Role, RoleType, TenantDeclaration
from .permissions import DeclaredPermissions, Permission, permission_labels
from .steps import Step, change_step, creation_step, list_difference, value_difference

if TYPE_CHECKING:
    from logto_auth.management_api.types import (
        NewOrganizationRole,
        NewOrganizationScope,
        NewRole,
        OrganizationScope,
        OrganizationScopeChanges,
    )
    from logto_auth.management_api.types import OrganizationRole as StoredOrganizationRole
    from logto_auth.management_api.types import Role as StoredRole

__all__ = ["DeclaredOrganizationTemplate", "DeclaredRoles"]

T = TypeVar("T")
P = TypeVar("P", bound=Payload)

PERMISSIONS = "permissions"
ORGANIZATION_PERMISSIONS = "organization permissions"


class DeclaredRoles:
    """The global roles of a declaration, which hold permissions of API resources."""

    def __init__(self, api: ManagementAPI, declaration: TenantDeclaration, permissions: DeclaredPermissions) -> None:
        self._api = api
        self._declaration = declaration
        self._permissions = permissions

    def steps(self) -> Iterator[Step]:
        """Yield a step for each role.

        Raise ConfigurationError if a role exists with another type, or holds a permission that does not exist.
        """
        stored = {each["name"]: each for each in self._api.roles.all()} if self._declaration.roles else {}
        for declared in self._declaration.roles:
            yield self._step(declared, stored.get(declared.name))

    def _step(self, declared: Role, stored: StoredRole | None) -> Step:
        label = f'role "{declared.name}"'
        required = self._permissions.required_by(label, declared.scopes)
        if stored is None:
            shown = {
                "type": declared.type,
                "description": declared.description,
                PERMISSIONS: permission_labels(required),
            }
            return creation_step("role", declared.name, shown, partial(self._create, declared, required))
        _check_type(label, declared.type, stored["type"])
        scopes = self._api.roles.scopes(stored["id"])
        held = [self._permissions.permission(each["resourceId"], each["name"]) for each in scopes]
        missing = _missing(required, held)
        description = value_difference("description", stored["description"], declared.description)

        def send() -> None:
            if description:
                self._api.roles.update(stored["id"], {"description": declared.description})
            if missing:
                self._api.roles.add_scopes(stored["id"], self._permissions.ids(missing))

        added = list_difference(PERMISSIONS, permission_labels(held), permission_labels(missing))
        return change_step("role", declared.name, [description, added], send)

    def _create(self, declared: Role, required: Sequence[Permission]) -> None:
        payload: NewRole = {
            "name": declared.name,
            "description": declared.description,
            "type": declared.type,
            "scopeIds": self._permissions.ids(required),
        }
        self._api.roles.create(_without_empty(payload))


class DeclaredOrganizationTemplate:
    """The permissions and roles that all organizations share. Logto calls them the organization template."""

    def __init__(self, api: ManagementAPI, declaration: TenantDeclaration, permissions: DeclaredPermissions) -> None:
        self._api = api
        self._declaration = declaration
        self._permissions = permissions
        self._scope_ids: dict[str, str] = {}
        self._role_ids: dict[str, str] = {}
        self._role_types: dict[str, RoleType] = {role.name: role.type for role in declaration.organization_roles}

    def steps(self) -> Iterator[Step]:
        """Yield a step for each organization permission and each organization role.

        Raise ConfigurationError if a role exists with another type, or holds a permission that does not exist.
        """
        declared = self._declaration
        if declared.organization_scopes or declared.organization_roles or _clients_have_scopes(declared):
            stored_scopes = {each["name"]: each for each in self._api.organization_scopes.all()}
            self._scope_ids = {name: each["id"] for name, each in stored_scopes.items()}
            for name, description in declared.organization_scopes.items():
                yield self._scope_step(name, description, stored_scopes.get(name))
        if declared.organization_roles or declared.organizations:
            stored_roles = {each["name"]: each for each in self._api.organization_roles.all()}
            self._role_ids = {name: each["id"] for name, each in stored_roles.items()}
            self._role_types = {name: each["type"] for name, each in stored_roles.items()} | self._role_types
            for role in declared.organization_roles:
                yield self._role_step(role, stored_roles.get(role.name))

    # For organizations, which have roles by their ids

    def check_roles(self, holder: str, names: Iterable[str], type: RoleType) -> None:
        """Raise ConfigurationError if a role is neither declared nor in the tenant, or has another type.

        `holder` is the organization that has them. Call it after `steps`.
        """
        for name in names:
            if name not in self._role_types:
                raise ConfigurationError(
                    f"The {holder} has the organization role {name}, which is neither declared nor in the tenant. "
                    "Declare it in organization_roles, or correct its name."
                )
            if self._role_types[name] != type:
                raise ConfigurationError(
                    f"The {holder} has the organization role {name}, which has the type {self._role_types[name]} in "
                    f"the tenant. Expected a role of the type {type}."
                )

    def role_ids(self, names: Iterable[str]) -> list[str]:
        """Return the ids of roles. Call it when all of them exist."""
        return [self._role_ids[name] for name in names]

    # For roles and clients, which hold permissions by their ids

    def check_scopes(self, holder: str, names: Iterable[str]) -> None:
        """Raise ConfigurationError if a permission is neither declared nor in the tenant. Call it after `steps`."""
        for name in names:
            if name not in self._declaration.organization_scopes and name not in self._scope_ids:
                raise ConfigurationError(
                    f"The {holder} holds the organization permission {name}, which is neither declared nor in the "
                    "tenant. Declare it in organization_scopes, or correct its name."
                )

    def scope_ids(self, names: Iterable[str]) -> list[str]:
        """Return the ids of permissions. Call it when all of them exist."""
        return [self._scope_ids[name] for name in names]

    # Steps

    def _scope_step(self, name: str, description: str, stored: OrganizationScope | None) -> Step:
        kind = "organization permission"
        changes: OrganizationScopeChanges = {"description": description}
        if stored is None:
            new: NewOrganizationScope = {"name": name, "description": description}
            return creation_step(kind, name, changes, partial(self._create_scope, _without_empty(new)))
        send = partial(self._api.organization_scopes.update, stored["id"], changes)
        return change_step(kind, name, [value_difference("description", stored["description"], description)], send)

    def _create_scope(self, payload: NewOrganizationScope) -> None:
        self._scope_ids[payload["name"]] = self._api.organization_scopes.create(payload)["id"]

    def _role_step(self, declared: OrganizationRole, stored: StoredOrganizationRole | None) -> Step:
        kind, label = "organization role", f'organization role "{declared.name}"'
        self.check_scopes(label, declared.scopes)
        required = self._permissions.required_by(label, declared.resource_scopes)
        if stored is None:
            shown = {
                "type": declared.type,
                "description": declared.description,
                ORGANIZATION_PERMISSIONS: list(declared.scopes),
                PERMISSIONS: permission_labels(required),
            }
            return creation_step(kind, declared.name, shown, partial(self._create_role, declared, required))
        _check_type(label, declared.type, stored["type"])
        held = [each["name"] for each in stored["scopes"]]
        held_of_apis = [
            self._permissions.permission(each["resource"]["id"], each["name"]) for each in stored["resourceScopes"]
        ]
        missing = _missing(declared.scopes, held)
        missing_of_apis = _missing(required, held_of_apis)
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
            list_difference(PERMISSIONS, permission_labels(held_of_apis), permission_labels(missing_of_apis)),
        ]
        return change_step(kind, declared.name, differences, send)

    def _create_role(self, declared: OrganizationRole, required: Sequence[Permission]) -> None:
        payload: NewOrganizationRole = {
            "name": declared.name,
            "type": declared.type,
            "description": declared.description,
            "organizationScopeIds": [self._scope_ids[name] for name in declared.scopes],
            "resourceScopeIds": self._permissions.ids(required),
        }
        self._role_ids[declared.name] = self._api.organization_roles.create(_without_empty(payload))["id"]


def _clients_have_scopes(declared: TenantDeclaration) -> bool:
    clients = [*declared.third_party_applications, *([declared.dynamic_clients] if declared.dynamic_clients else [])]
    return any(each.organization_scopes for each in clients)


def _without_empty(payload: P) -> P:
    return cast(P, {key: value for key, value in payload.items() if value})


def _missing(required: Sequence[T], held: Sequence[T]) -> list[T]:
    return [each for each in dict.fromkeys(required) if each not in held]


def _check_type(role: str, declared: str, stored: str) -> None:
    if declared != stored:
        raise ConfigurationError(
            f"The {role} has the type {stored} in the tenant and the type {declared} in the declaration. Logto cannot "
            "change the type of a role: declare another name, or delete the role in the tenant."
        )
