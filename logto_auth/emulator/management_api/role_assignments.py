"""Global roles of users and of machine-to-machine applications, in both directions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import Response

from logto_auth.emulator.api.bodies import body
from logto_auth.emulator.api.errors import APIError, no_values, not_exists_with_id, not_found
from logto_auth.emulator.api.schemas import list_of, object_of, text
from logto_auth.emulator.state.application_json import application_json
from logto_auth.emulator.state.application_record import Application
from logto_auth.emulator.state.records import Role, RoleType, User
from logto_auth.emulator.state.tenant import Tenant

from . import roles, users
from .lookup import existing, named
from .paging import paged
from .routing import route
from .search import is_searched

_role_ids = object_of(roleIds=list_of(text(at_least=1)))


@dataclass(frozen=True)
class _Kind:
    """A kind of role holder. `find` returns the holder that the path names, `assign` replaces the holder's roles."""

    path: str
    parameter: str
    role_type: RoleType
    wrong_type: str
    find: Callable[[Tenant, str], Any]
    assign: Callable[[Tenant, Any, list[str]], None]


def _machine(tenant: Tenant, application_id: str) -> Application:
    application = existing(tenant.applications, application_id, "applications")
    if application.type != "MachineToMachine":
        raise APIError("application.invalid_type")
    return application


def _assign_to_user(tenant: Tenant, user: User, names: list[str]) -> None:
    tenant.update_user(user.id, roles=names)


def _assign_to_application(tenant: Tenant, application: Application, names: list[str]) -> None:
    application.roles = names


_USERS = _Kind(
    "users",
    "userId",
    "User",
    "user.invalid_role_type",
    lambda tenant, user_id: existing(tenant.users, user_id),
    _assign_to_user,
)
_APPLICATIONS = _Kind(
    "applications",
    "applicationId",
    "MachineToMachine",
    "application.invalid_role_type",
    _machine,
    _assign_to_application,
)


# Roles of a holder


def list_roles(kind: _Kind, tenant: Tenant, **parameters: str) -> Response:
    holder = _holder(kind, tenant, parameters)
    held = [role for role in tenant.roles.values() if role.name in holder.roles]
    return paged(held, len(held), roles.as_json)


def add_roles(kind: _Kind, tenant: Tenant, **parameters: str) -> dict[str, Any]:
    holder, role_ids = _holder(kind, tenant, parameters), body(_role_ids)["roleIds"]
    added = [role for role in _assignable(kind, tenant, role_ids) if role.name not in holder.roles]
    kind.assign(tenant, holder, [*holder.roles, *(role.name for role in added)])
    return {"roleIds": role_ids, "addedRoleIds": [role.id for role in added]}


def replace_user_roles(tenant: Tenant, user_id: str) -> dict[str, Any]:
    role_ids = body(_role_ids)["roleIds"]
    _replace_roles(_USERS, tenant, user_id, role_ids)
    return {"roleIds": role_ids}


def replace_application_roles(tenant: Tenant, application_id: str) -> None:
    """Replace the roles. As in Logto, a list without a new role is refused after the others were removed."""
    if not _replace_roles(_APPLICATIONS, tenant, application_id, body(_role_ids)["roleIds"]):
        raise no_values()


def remove_role(kind: _Kind, tenant: Tenant, role_id: str, **parameters: str) -> None:
    _take_role(kind, tenant, _holder(kind, tenant, parameters), role_id)


for _kind in (_USERS, _APPLICATIONS):
    _all = f"/{_kind.path}/:{_kind.parameter}/roles"
    route("GET", _all)(partial(list_roles, _kind))
    route("POST", _all, status=201)(partial(add_roles, _kind))
    route("DELETE", f"{_all}/:roleId", status=204)(partial(remove_role, _kind))
route("PUT", "/users/:userId/roles")(replace_user_roles)
route("PUT", "/applications/:applicationId/roles")(replace_application_roles)


# Holders of a role


@route("GET", "/roles/:id/users")
def list_users(tenant: Tenant, id: str) -> Response:
    holders = tenant.users_with_role(existing(tenant.roles, id, "roles").name)
    newest, show = users.newest_first(tenant, holders), partial(users.as_json, tenant)
    if not is_searched():
        return paged(newest, len(holders), show)
    found = users.found_users(newest)
    return paged(found, len(found), show)


@route("POST", "/roles/:id/users", status=201)
def add_users(tenant: Tenant, id: str) -> None:
    role, user_ids = existing(tenant.roles, id, "roles"), _given_ids("userIds")
    if role.type != "User":
        raise APIError("user.invalid_role_type")
    _give_role(_USERS, tenant, named(tenant.users, user_ids, lambda user_id: not_found()), role, "role.user_exists")


@route("DELETE", "/roles/:id/users/:userId", status=204)
def remove_user(tenant: Tenant, id: str, user_id: str) -> None:
    _take_role(_USERS, tenant, existing(tenant.users, user_id), id)


@route("GET", "/roles/:id/applications")
def list_applications(tenant: Tenant, id: str) -> Response:
    holders = tenant.applications_with_role(existing(tenant.roles, id, "roles").name)
    return paged(holders, len(holders), partial(application_json, tenant))


@route("POST", "/roles/:id/applications", status=201)
def add_applications(tenant: Tenant, id: str) -> None:
    role = existing(tenant.roles, id, "roles")
    given = named(tenant.applications, _given_ids("applicationIds"), partial(not_exists_with_id, "applications"))
    if role.type != "MachineToMachine":
        raise APIError("application.invalid_role_type")
    holders = [_machine(tenant, application.id) for application in given]
    _give_role(_APPLICATIONS, tenant, holders, role, "application.role_exists")


@route("DELETE", "/roles/:id/applications/:applicationId", status=204)
def remove_application(tenant: Tenant, id: str, application_id: str) -> None:
    _take_role(_APPLICATIONS, tenant, existing(tenant.applications, application_id), id)


def _holder(kind: _Kind, tenant: Tenant, parameters: dict[str, str]) -> Any:
    (holder_id,) = parameters.values()
    return kind.find(tenant, holder_id)


def _replace_roles(kind: _Kind, tenant: Tenant, holder_id: str, role_ids: Sequence[str]) -> list[Role]:
    """Leave the holder only these roles, and return those that are new.

    Raise APIError for a role of the other type, after the roles that are not in the list were removed.
    """
    holder = kind.find(tenant, holder_id)
    wanted = named(tenant.roles, role_ids, partial(not_exists_with_id, "roles"))
    kept = [role.name for role in wanted if role.name in holder.roles]
    added = [role for role in wanted if role.name not in holder.roles]
    kind.assign(tenant, holder, kept)
    if any(role.type != kind.role_type for role in added):
        raise APIError("entity.db_constraint_violated")
    kind.assign(tenant, holder, [*kept, *(role.name for role in added)])
    return added


def _given_ids(key: str) -> list[str]:
    ids: list[str] = body(object_of(**{key: list_of(text(at_least=1), at_least=1)}))[key]
    return ids


def _assignable(kind: _Kind, tenant: Tenant, role_ids: Sequence[str]) -> list[Role]:
    """Return the roles of these ids. Raise APIError for a role of the other type."""
    given = named(tenant.roles, role_ids, partial(not_exists_with_id, "roles"))
    if any(role.type != kind.role_type for role in given):
        raise APIError(kind.wrong_type)
    return given


def _give_role(kind: _Kind, tenant: Tenant, holders: Sequence[Any], role: Role, already_held: str) -> None:
    if any(role.name in holder.roles for holder in holders):
        raise APIError(already_held)
    for holder in holders:
        kind.assign(tenant, holder, [*holder.roles, role.name])


def _take_role(kind: _Kind, tenant: Tenant, holder: Any, role_id: str) -> None:
    role = existing(tenant.roles, role_id, "roles")
    if role.name not in holder.roles:
        raise not_found()
    kind.assign(tenant, holder, [name for name in holder.roles if name != role.name])
