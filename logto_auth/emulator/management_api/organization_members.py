"""Members of organizations and their roles there. A member is a user or a machine-to-machine application."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import Response, request

from logto_auth.emulator.api.bodies import body
from logto_auth.emulator.api.errors import APIError, no_values, not_found, unknown_reference
from logto_auth.emulator.api.schemas import list_of, object_of, optional, text
from logto_auth.emulator.state.application_json import application_json
from logto_auth.emulator.state.application_record import Application
from logto_auth.emulator.state.records import Organization, OrganizationRole
from logto_auth.emulator.state.tenant import Tenant
from logto_auth.emulator.state.user_json import user_json

from . import organization_template
from .lookup import referenced
from .organizations import matches, named_roles_as_json, organization_of_path, roles_by_id
from .paging import optionally_paged, paged
from .routing import announce, route

_ids = list_of(text(at_least=1))
_some_ids = list_of(text(at_least=1), at_least=1)
_roles_of_user = object_of(organizationRoleIds=optional(_ids), organizationRoleNames=optional(_ids))
_roles_of_application = object_of(organizationRoleIds=_some_ids)


@dataclass(frozen=True)
class _Kind:
    """A kind of member. `holders` maps the member ids of an organization to role names; `known` is all such records."""

    path: str
    parameter: str
    role_type: str
    holders: Callable[[Organization], dict[str, list[str]]]
    known: Callable[[Tenant], dict[str, Any]]
    show: Callable[[Tenant, Any], dict[str, Any]]
    searched: Callable[[Any], tuple[str | None, ...]]

    @property
    def ids_key(self) -> str:
        return f"{self.parameter}s"

    def answer(self, body: dict[str, Any]) -> dict[str, Any] | None:
        """Return the answer to an addition. That for applications has no JSON."""
        return body if self.path == "users" else None

    def changed(self, *, added: Iterable[str] = (), removed: Iterable[str] = ()) -> dict[str, list[str]]:
        """Return the fields of a membership event: the ids that were added and removed."""
        word = f"{self.ids_key[0].upper()}{self.ids_key[1:]}"
        lists = {f"added{word}": list(added), f"removed{word}": list(removed)}
        return {name: ids for name, ids in lists.items() if ids}


_KINDS = (
    _Kind(
        "users",
        "userId",
        "User",
        lambda organization: organization.members,
        lambda tenant: tenant.users,
        user_json,
        lambda user: (user.id, user.name, user.username, user.primary_email, user.primary_phone),
    ),
    _Kind(
        "applications",
        "applicationId",
        "MachineToMachine",
        lambda organization: organization.applications,
        lambda tenant: tenant.applications,
        application_json,
        lambda application: (application.id, application.name, application.description),
    ),
)


def list_members(kind: _Kind, tenant: Tenant, id: str) -> Response:
    if id not in tenant.organizations:
        # An unknown organization has no members.
        return paged([], 0, str)
    holders, known = kind.holders(tenant.organizations[id]), kind.known(tenant)
    query, role_id = request.args.get("q"), request.args.get("organizationRoleId")
    # Logto sorts users by id. It does not sort applications.
    member_ids = sorted(holders) if kind.path == "users" else list(holders)
    if role_id:
        role = tenant.organization_roles.get(role_id)
        member_ids = [each for each in member_ids if role is not None and role.name in holders[each]]
    if query:
        member_ids = [each for each in member_ids if matches(query, *kind.searched(known[each]))]
    return paged(
        member_ids,
        len(member_ids),
        lambda member_id: {
            **kind.show(tenant, known[member_id]),
            "organizationRoles": named_roles_as_json(tenant, holders[member_id]),
        },
    )


def add_members(kind: _Kind, tenant: Tenant, id: str) -> dict[str, Any] | None:
    organization, member_ids = (
        organization_of_path(tenant, id),
        body(object_of(**{kind.ids_key: _some_ids}))[kind.ids_key],
    )
    _check_known(kind, tenant, member_ids)
    holders = kind.holders(organization)
    added = [member_id for member_id in dict.fromkeys(member_ids) if member_id not in holders]
    holders.update({member_id: [] for member_id in added})
    _announce(organization, 201, kind.changed(added=added))
    return kind.answer({kind.ids_key: member_ids})


def replace_members(kind: _Kind, tenant: Tenant, id: str) -> None:
    organization, member_ids = (
        organization_of_path(tenant, id),
        body(object_of(**{kind.ids_key: _ids}))[kind.ids_key],
    )
    _check_known(kind, tenant, member_ids)
    holders = kind.holders(organization)
    wanted = dict.fromkeys(member_ids)
    added = [member_id for member_id in wanted if member_id not in holders]
    removed = [member_id for member_id in holders if member_id not in wanted]
    for member_id in removed:
        del holders[member_id]
    holders.update({member_id: [] for member_id in added})
    _announce(organization, 204, kind.changed(added=added, removed=removed))


def remove_member(kind: _Kind, tenant: Tenant, id: str, **parameters: str) -> None:
    organization, (member_id,) = organization_of_path(tenant, id), parameters.values()
    if kind.holders(organization).pop(member_id, None) is None:
        raise not_found()
    _announce(organization, 204, kind.changed(removed=[member_id]))


def add_roles_to_members(kind: _Kind, tenant: Tenant, id: str) -> None:
    holders = kind.holders(organization_of_path(tenant, id))
    given = body(object_of(**{kind.ids_key: _some_ids, "organizationRoleIds": _some_ids}))
    roles = roles_by_id(tenant, given["organizationRoleIds"], kind.role_type)
    if any(member_id not in holders for member_id in given[kind.ids_key]):
        raise unknown_reference()
    for member_id in given[kind.ids_key]:
        _add_roles(holders, member_id, roles)


def list_member_roles(kind: _Kind, tenant: Tenant, id: str, **parameters: str) -> Response:
    holders, (member_id,) = _holders(kind, tenant, id), parameters.values()
    _check_membership(holders, member_id)
    held = [role for role in map(tenant.find_organization_role, holders[member_id]) if role]
    return optionally_paged(held, organization_template.role_as_json)


def add_member_roles(kind: _Kind, tenant: Tenant, id: str, **parameters: str) -> dict[str, Any] | None:
    holders, (member_id,) = _holders(kind, tenant, id), parameters.values()
    _check_membership(holders, member_id)
    roles = _given_roles(kind, tenant)
    if not roles and not tenant.version.members_take_empty_role_lists:
        raise no_values()
    _add_roles(holders, member_id, roles)
    return kind.answer({"organizationRoleIds": [role.id for role in roles]})


def replace_member_roles(kind: _Kind, tenant: Tenant, id: str, **parameters: str) -> None:
    holders, (member_id,) = _holders(kind, tenant, id), parameters.values()
    _check_membership(holders, member_id)
    roles = _given_roles(kind, tenant)
    holders[member_id] = [role.name for role in roles]


def remove_member_role(kind: _Kind, tenant: Tenant, id: str, organization_role_id: str, **parameters: str) -> None:
    holders, (member_id,) = _holders(kind, tenant, id), parameters.values()
    _check_membership(holders, member_id)
    role = tenant.organization_roles.get(organization_role_id)
    if role is None or role.name not in holders[member_id]:
        raise not_found()
    holders[member_id] = [name for name in holders[member_id] if name != role.name]


def list_member_scopes(kind: _Kind, tenant: Tenant, id: str, **parameters: str) -> list[dict[str, Any]]:
    holders, (member_id,) = _holders(kind, tenant, id), parameters.values()
    roles = [role for role in map(tenant.find_organization_role, holders.get(member_id, [])) if role]
    names = dict.fromkeys(name for role in roles for name in role.scopes)
    return [organization_template.scope_as_json(tenant.organization_scopes[name]) for name in names]


for _kind in _KINDS:
    _all = f"/organizations/:id/{_kind.path}"
    _one = f"{_all}/:{_kind.parameter}"
    route("GET", _all)(partial(list_members, _kind))
    route("POST", _all, status=201)(partial(add_members, _kind))
    route("PUT", _all, status=204)(partial(replace_members, _kind))
    route("DELETE", _one, status=204)(partial(remove_member, _kind))
    route("POST", f"{_all}/roles", status=201)(partial(add_roles_to_members, _kind))
    route("GET", f"{_one}/roles")(partial(list_member_roles, _kind))
    route("POST", f"{_one}/roles", status=201)(partial(add_member_roles, _kind))
    route("PUT", f"{_one}/roles", status=204)(partial(replace_member_roles, _kind))
    route("DELETE", f"{_one}/roles/:organizationRoleId", status=204)(partial(remove_member_role, _kind))
    if _kind.path == "users":
        route("GET", f"{_one}/scopes")(partial(list_member_scopes, _kind))


def _holders(kind: _Kind, tenant: Tenant, organization_id: str) -> dict[str, list[str]]:
    """Return the members with their roles. An unknown organization has none."""
    organization = tenant.organizations.get(organization_id)
    return kind.holders(organization) if organization is not None else {}


def _check_known(kind: _Kind, tenant: Tenant, member_ids: Iterable[str]) -> None:
    members = referenced(kind.known(tenant), member_ids)
    if any(isinstance(member, Application) and member.type != "MachineToMachine" for member in members):
        raise APIError("entity.db_constraint_violated")


def _check_membership(holders: dict[str, list[str]], member_id: str) -> None:
    if member_id not in holders:
        raise APIError("organization.require_membership")


def _given_roles(kind: _Kind, tenant: Tenant) -> list[OrganizationRole]:
    """Return the organization roles that the body names: by id, and those of a user by name, too."""
    given = body(_roles_of_user if kind.path == "users" else _roles_of_application)
    by_name = {name: tenant.find_organization_role(name) for name in given.get("organizationRoleNames", [])}
    unknown = [name for name, role in by_name.items() if role is None]
    if unknown:
        raise APIError("organization.role_names_not_found", names=", ".join(unknown))
    named_ids = [role.id for role in by_name.values() if role]
    return roles_by_id(tenant, [*given.get("organizationRoleIds", []), *named_ids], kind.role_type)


def _add_roles(holders: dict[str, list[str]], member_id: str, roles: Iterable[OrganizationRole]) -> None:
    holders[member_id] = list(dict.fromkeys([*holders[member_id], *(role.name for role in roles)]))


def _announce(organization: Organization, status: int, changed: dict[str, list[str]]) -> None:
    after = {"organizationId": organization.id, **changed}
    announce("Organization.Membership.Updated", status=status, after=after)
