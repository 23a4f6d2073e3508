"""`/api/users`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from flask import Response, request

from logto_auth.emulator.api.bodies import body, changes
from logto_auth.emulator.api.errors import APIError, refused_input
from logto_auth.emulator.api.schemas import anything, boolean, choice, nullable, object_of, optional, or_empty, text
from logto_auth.emulator.api.user_schemas import check_lengths, email, phone, profile, username
from logto_auth.emulator.oidc.http import json_response
from logto_auth.emulator.state.json_columns import jsonb
from logto_auth.emulator.state.password_digests import (
    ALGORITHMS,
    InvalidLegacyDigest,
    MalformedDigest,
    PasswordDigest,
    check_legacy_digest,
)
from logto_auth.emulator.state.records import User
from logto_auth.emulator.state.sign_in_rules import accepts_password
from logto_auth.emulator.state.tenant import Tenant
from logto_auth.emulator.state.user_json import user_json

from .lookup import existing
from .paging import paged
from .routing import announce, route
from .search import is_searched, searched

_SEARCHED = {
    "id": "id",
    "primaryEmail": "primary_email",
    "primaryPhone": "primary_phone",
    "username": "username",
    "name": "name",
}
_ATTRIBUTES = {**_SEARCHED, "avatar": "avatar", "customData": "custom_data", "profile": "profile"}

_new = object_of(
    primaryPhone=optional(phone),
    primaryEmail=optional(email),
    username=optional(username),
    password=optional(text(at_least=1)),
    passwordDigest=optional(text(at_most=256)),
    passwordAlgorithm=optional(choice(*ALGORITHMS)),
    name=optional(text()),
    avatar=optional(text(url=True)),
    customData=optional(anything),
    profile=optional(profile),
)
_changes = object_of(
    username=optional(nullable(or_empty(username))),
    primaryEmail=optional(nullable(or_empty(email))),
    primaryPhone=optional(nullable(or_empty(phone))),
    name=optional(nullable(or_empty(text()))),
    avatar=optional(nullable(or_empty(text(url=True)))),
    customData=optional(anything),
    profile=optional(profile),
)


def as_json(tenant: Tenant, user: User) -> dict[str, Any]:
    """Return a user as the API shows it."""
    return {**user_json(tenant, user), "hasPassword": user.has_password}


def found_users(users: Iterable[User]) -> list[User]:
    """Return the users that match the search parameters of the request."""
    return searched(users, _SEARCHED)


def newest_first(tenant: Tenant, subs: dict[str, Any]) -> Iterable[User]:
    """Return the users with these ids in the order of a list, which may be another one for each page."""
    return tenant.newest_first(subs, query=request.query_string.decode())


@route("GET", "/users")
def list_users(tenant: Tenant) -> Response:
    users = newest_first(tenant, tenant.users)
    if not is_searched() and not {"excludeRoleId", "excludeOrganizationId"} & request.args.keys():
        return paged(users, len(tenant.users), partial(as_json, tenant))
    found = [user for user in found_users(users) if not _is_excluded(tenant, user)]
    return paged(found, len(found), partial(as_json, tenant))


@route("POST", "/users", event="User.Created")
def create_user(tenant: Tenant) -> dict[str, Any]:
    given = body(_new)
    digest = _digest(given)
    user = tenant.add_user(**_attributes(given), password=given.get("password"), password_digest=digest)
    return as_json(tenant, user)


@route("GET", "/users/:userId")
def show_user(tenant: Tenant, user_id: str) -> dict[str, Any]:
    user = existing(tenant.users, user_id)
    with_sso = request.args.get("includeSsoIdentities") == "true"
    return {**as_json(tenant, user), **({"ssoIdentities": user.sso_identities} if with_sso else {})}


@route("PATCH", "/users/:userId", event="User.Data.Updated")
def change_user(tenant: Tenant, user_id: str) -> dict[str, Any]:
    user, given = existing(tenant.users, user_id), changes(_changes)
    return as_json(tenant, tenant.update_user(user.id, **_attributes(given)))


@route("DELETE", "/users/:userId", status=204)
def delete_user(tenant: Tenant, user_id: str) -> None:
    user = existing(tenant.users, user_id)
    tenant.delete_user(user.id)
    announce("User.Deleted", status=204, before={"data": user_json(tenant, user)})


@route("GET", "/users/:userId/custom-data")
def show_custom_data(tenant: Tenant, user_id: str) -> dict[str, Any]:
    return dict(jsonb(existing(tenant.users, user_id).custom_data))


@route("PATCH", "/users/:userId/custom-data", event="User.Data.Updated")
def merge_custom_data(tenant: Tenant, user_id: str) -> dict[str, Any]:
    user, given = existing(tenant.users, user_id), body(object_of(customData=anything))
    tenant.update_user(user.id, custom_data={**user.custom_data, **given["customData"]})
    return dict(jsonb(user.custom_data))


@route("PATCH", "/users/:userId/profile", event="User.Data.Updated")
def merge_profile(tenant: Tenant, user_id: str) -> dict[str, Any]:
    user, given = existing(tenant.users, user_id), body(object_of(profile=profile))
    return tenant.update_user(user.id, profile={**user.profile, **given["profile"]}).profile


@route("PATCH", "/users/:userId/is-suspended", event="User.SuspensionStatus.Updated")
def change_suspension(tenant: Tenant, user_id: str) -> dict[str, Any]:
    user, given = existing(tenant.users, user_id), body(object_of(isSuspended=boolean))
    return as_json(tenant, tenant.update_user(user.id, is_suspended=given["isSuspended"]))


@route("PATCH", "/users/:userId/password", event="User.Data.Updated")
def change_password(tenant: Tenant, user_id: str) -> dict[str, Any]:
    user, given = existing(tenant.users, user_id), body(object_of(password=text(at_least=1)))
    return as_json(tenant, tenant.update_user(user.id, password=given["password"], password_digest=None))


@route("POST", "/users/:userId/password/verify", status=204)
def verify_password(tenant: Tenant, user_id: str) -> Response | None:
    user, given = existing(tenant.users, user_id), body(object_of(password=text(at_least=1)))
    try:
        if not accepts_password(user, given["password"]):
            raise APIError("session.invalid_credentials")
    except MalformedDigest:
        return json_response({"message": "Internal server error."}, status=500)
    return None


@route("GET", "/users/:userId/has-password")
def show_has_password(tenant: Tenant, user_id: str) -> dict[str, Any]:
    return {"hasPassword": existing(tenant.users, user_id).has_password}


def _is_excluded(tenant: Tenant, user: User) -> bool:
    role_id, organization_id = request.args.get("excludeRoleId"), request.args.get("excludeOrganizationId")
    if role_id and organization_id:
        raise refused_input("`excludeRoleId` and `excludeOrganizationId` exclude each other.")
    role, organization = tenant.roles.get(role_id or ""), tenant.organizations.get(organization_id or "")
    has_role = role is not None and role.name in user.roles
    return has_role or (organization is not None and user.id in organization.members)


def _attributes(given: dict[str, Any]) -> dict[str, Any]:
    """Return the given fields by attribute. Raise 422 for a text that is too long for Logto's database."""
    check_lengths(given)
    return {attribute: given[name] for name, attribute in _ATTRIBUTES.items() if name in given}


def _check_legacy(digest: str) -> None:
    try:
        check_legacy_digest(digest)
    except InvalidLegacyDigest as error:
        if error.unsupported is None:
            raise APIError("password.invalid_legacy_password_format", 400) from None
        raise APIError("password.unsupported_legacy_hash_algorithm", 400, algorithm=error.unsupported) from None


def _digest(given: dict[str, Any]) -> PasswordDigest | None:
    if "passwordDigest" not in given:
        return None
    if "password" in given:
        raise APIError("user.password_and_digest", 400)
    if "passwordAlgorithm" not in given:
        raise APIError("user.password_algorithm_required", 400)
    if given["passwordAlgorithm"] == "Legacy":
        _check_legacy(given["passwordDigest"])
    return PasswordDigest(given["passwordAlgorithm"], given["passwordDigest"])
