"""Roles, API resources and the organization template of a tenant. Holders refer to them by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from . import ids
from .application_record import Application
from .consent_scopes import ConsentScopes
from .records import OrganizationRole, Resource, Role, RoleType, Scope
from .refusals import Refused
from .tenant_tables import DuplicateError
from .user_store import UserStore

_Names = dict[str, tuple[str, ...]]


class PermissionStore(UserStore):
    """Adding, renaming and deleting roles, resources and permissions. Changes apply to all holders."""

    def add_role(
        self,
        name: str,
        *,
        scopes: Mapping[str, Sequence[str]] | None = None,
        type: RoleType = "User",
        is_default: bool = False,
        description: str = "",
        id: str | None = None,
    ) -> Role:
        """Add a global role and return it. `scopes` maps resource indicators to names of permissions."""
        with self.lock:
            if self.find_role(name):
                raise DuplicateError("role.name_in_use", name=name)
            role = Role(id or ids.standard_id(), name, type, dict(scopes or {}), is_default, description)
            self.roles[role.id] = role
            return role

    def find_role(self, name: str) -> Role | None:
        """Return the global role with this name."""
        return next((role for role in list(self.roles.values()) if role.name == name), None)

    def rename_role(self, role: Role, name: str) -> None:
        """Rename a role. Its holders keep it."""
        self._refuse_name(name, self.find_role(name), role, "role.name_in_use")
        self._for_each_role_list(lambda names: [name if each == role.name else each for each in names])
        role.name = name

    def delete_role(self, role: Role) -> None:
        """Delete a role and remove it from all holders."""
        del self.roles[role.id]
        self._for_each_role_list(lambda names: [each for each in names if each != role.name])

    def add_resource(
        self,
        indicator: str,
        *,
        scopes: Iterable[str] = (),
        name: str | None = None,
        access_token_ttl: int = 3600,
        is_default: bool = False,
        id: str | None = None,
    ) -> Resource:
        """Add an API resource and return it."""
        with self.lock:
            if self.find_resource(indicator):
                raise DuplicateError("resource.resource_identifier_in_use", name=indicator)
            permissions = {scope: Scope(scope, created_at=self.clock.now_ms()) for scope in scopes}
            resource = Resource(
                id or ids.standard_id(), name or indicator, indicator, permissions, access_token_ttl, is_default
            )
            self.resources[resource.id] = resource
            return resource

    def find_resource(self, indicator: str) -> Resource | None:
        """Return the API resource with this indicator."""
        return next((each for each in list(self.resources.values()) if each.indicator == indicator), None)

    @property
    def default_resource(self) -> Resource | None:
        """The resource for requests that name none."""
        return next((each for each in list(self.resources.values()) if each.is_default), None)

    def delete_resource(self, resource: Resource) -> None:
        """Delete a resource and remove its permissions from all roles and clients."""
        del self.resources[resource.id]
        for held in self._resource_scopes():
            held.pop(resource.indicator, None)

    def add_scope(self, resource: Resource, name: str, *, description: str | None = None) -> Scope:
        """Add a permission to a resource and return it."""
        self._refuse_name(name, resource.scopes.get(name), None, "scope.name_exists")
        resource.scopes[name] = Scope(name, description, self.clock.now_ms())
        return resource.scopes[name]

    def rename_scope(self, resource: Resource, scope: Scope, name: str) -> None:
        """Rename a permission of a resource, also in all roles and clients."""
        self._refuse_name(name, resource.scopes.get(name), scope, "scope.name_exists")
        for held in self._resource_scopes():
            held[resource.indicator] = _renamed(held.get(resource.indicator, ()), scope.name, name)
        resource.scopes = {name if each is scope else each.name: each for each in resource.scopes.values()}
        scope.name = name

    def delete_scope(self, resource: Resource, scope: Scope) -> None:
        """Delete a permission of a resource and remove it from all roles and clients."""
        del resource.scopes[scope.name]
        for held in self._resource_scopes():
            held[resource.indicator] = _without(held.get(resource.indicator, ()), scope.name)

    def applications_with_role(self, name: str) -> list[Application]:
        """Return the applications that hold a global role."""
        return [application for application in self.applications.values() if name in application.roles]

    def scopes_held(self, held: Mapping[str, Sequence[str]]) -> list[tuple[Resource, Scope]]:
        """Return the permissions that a role holds, each with its resource."""
        return [
            (resource, resource.scopes[name])
            for resource in self.resources.values()
            for name in held.get(resource.indicator, ())
            if name in resource.scopes
        ]

    # The organization template

    def add_organization_scope(self, name: str, *, description: str | None = None) -> Scope:
        """Return the permission of the organization template with this name, and add it if it does not exist."""
        with self.lock:
            created = Scope(name, description, self.clock.now_ms())
            return self.organization_scopes.setdefault(name, created)

    def rename_organization_scope(self, scope: Scope, name: str) -> None:
        """Rename an organization permission, also in all roles and clients."""
        self._refuse_name(name, self.organization_scopes.get(name), scope, "entity.unique_integrity_violation")
        for role in self.organization_roles.values():
            role.scopes = _renamed(role.scopes, scope.name, name)
        for consent in self._consent_scopes():
            consent.organization_scopes = _renamed(consent.organization_scopes, scope.name, name)
        renamed = {name if each is scope else each.name: each for each in self.organization_scopes.values()}
        self.organization_scopes = renamed
        scope.name = name

    def delete_organization_scope(self, scope: Scope) -> None:
        """Delete an organization permission and remove it from all roles and clients."""
        del self.organization_scopes[scope.name]
        for role in self.organization_roles.values():
            role.scopes = _without(role.scopes, scope.name)
        for consent in self._consent_scopes():
            consent.organization_scopes = _without(consent.organization_scopes, scope.name)

    def add_organization_role(
        self,
        name: str,
        *,
        scopes: Sequence[str] = (),
        resource_scopes: Mapping[str, Sequence[str]] | None = None,
        type: RoleType = "User",
        description: str | None = None,
        id: str | None = None,
    ) -> OrganizationRole:
        """Add a role to the organization template and return it. Its `scopes` are added to the template too."""
        with self.lock:
            if self.find_organization_role(name):
                raise DuplicateError("entity.unique_integrity_violation")
            for scope in scopes:
                self.add_organization_scope(scope)
            role = OrganizationRole(
                id or ids.standard_id(), name, type, tuple(scopes), dict(resource_scopes or {}), description
            )
            self.organization_roles[role.id] = role
            return role

    def find_organization_role(self, name: str) -> OrganizationRole | None:
        """Return the role of the organization template with this name."""
        return next((role for role in list(self.organization_roles.values()) if role.name == name), None)

    def check_user_roles(self, names: Iterable[str]) -> None:
        """Raise 422 `entity.db_constraint_violated` if one of the organization roles is for applications."""
        roles = [role for role in map(self.find_organization_role, names) if role]
        if any(role.type != "User" for role in roles):
            raise Refused("entity.db_constraint_violated", 422)

    def rename_organization_role(self, role: OrganizationRole, name: str) -> None:
        """Rename a role of the organization template. Its holders keep it."""
        self._refuse_name(name, self.find_organization_role(name), role, "entity.unique_integrity_violation")
        self._for_each_organization_role_list(lambda names: [name if each == role.name else each for each in names])
        role.name = name

    def delete_organization_role(self, role: OrganizationRole) -> None:
        """Delete a role of the organization template and remove it from all holders."""
        del self.organization_roles[role.id]
        self._for_each_organization_role_list(lambda names: [each for each in names if each != role.name])

    # References by name

    def _refuse_name(self, name: str, owner: object | None, allowed: object, code: str) -> None:
        if owner is not None and owner is not allowed:
            raise DuplicateError(code, name=name)

    def _for_each_role_list(self, change: Callable[[list[str]], list[str]]) -> None:
        for user in self.users.values():
            self._set_roles(user, change(user.roles))
        for application in self.applications.values():
            application.roles = change(application.roles)

    def _for_each_organization_role_list(self, change: Callable[[list[str]], list[str]]) -> None:
        for organization in self.organizations.values():
            for holders in (organization.members, organization.applications):
                for holder, names in holders.items():
                    holders[holder] = change(names)
            organization.jit_roles = change(organization.jit_roles)
        for invitation in self.invitations.values():
            invitation.roles = change(invitation.roles)

    def _resource_scopes(self) -> Iterator[_Names]:
        """Yield the permissions of each role and client by indicator. The caller changes the dictionary in place."""
        for role in self.roles.values():
            role.scopes = held = _copied(role.scopes)
            yield held
        for organization_role in self.organization_roles.values():
            organization_role.resource_scopes = held = _copied(organization_role.resource_scopes)
            yield held
        for consent in self._consent_scopes():
            consent.resource_scopes = held = _copied(consent.resource_scopes)
            yield held
            consent.organization_resource_scopes = held = _copied(consent.organization_resource_scopes)
            yield held

    def _consent_scopes(self) -> list[ConsentScopes]:
        return [*self.applications.values(), self.cimd_ceiling]


def _copied(scopes: Mapping[str, Sequence[str]]) -> _Names:
    return {indicator: tuple(names) for indicator, names in scopes.items()}


def _renamed(names: Sequence[str], old: str, new: str) -> tuple[str, ...]:
    return tuple(new if name == old else name for name in names)


def _without(names: Sequence[str], unwanted: str) -> tuple[str, ...]:
    return tuple(name for name in names if name != unwanted)
