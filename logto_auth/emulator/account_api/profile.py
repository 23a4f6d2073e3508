"""`/api/my-account`: the profile of the user, and the username."""

from __future__ import annotations

from typing import Any

from logto_auth.emulator.api.bodies import body
from logto_auth.emulator.api.errors import no_values
from logto_auth.emulator.api.schemas import anything, nullable, object_of, optional, text
from logto_auth.emulator.api.user_events import announce_change
from logto_auth.emulator.api.user_schemas import check_lengths, profile, profile_members, username
from logto_auth.emulator.state.account_rules import check_remaining_identifier, check_username, has_verification_method
from logto_auth.emulator.state.tenant import Tenant
from logto_auth.emulator.state.user_json import user_json

from .caller import Caller, Field
from .routing import route

_ATTRIBUTES = {"name": "name", "avatar": "avatar", "username": "username", "customData": "custom_data"}
_EDITED: tuple[Field, ...] = ("name", "avatar", "username", "customData")
# The scope and the field permission that each key needs. Keys without an entry need the scope `profile` alone.
_SCOPES = {"customData": "custom_data", "identities": "identities", "primaryEmail": "email", "primaryPhone": "phone"}
_READ: dict[str, Field] = {
    "name": "name",
    "avatar": "avatar",
    "username": "username",
    "primaryEmail": "email",
    "primaryPhone": "phone",
    "profile": "profile",
    "customData": "customData",
    "identities": "social",
    "hasPassword": "password",
}
_changes = object_of(
    name=optional(nullable(text())),
    avatar=optional(nullable(text(url=True))),
    username=optional(nullable(username)),
    customData=optional(anything),
)


@route("GET", "/my-account")
def show_account(tenant: Tenant, caller: Caller) -> dict[str, Any]:
    return account_json(tenant, caller)


@route("PATCH", "/my-account")
def change_account(tenant: Tenant, caller: Caller) -> dict[str, Any]:
    """Change the given values. `customData` is replaced as a whole. The username needs verification."""
    given = body(_changes)
    for field in _EDITED:
        if field in given:
            caller.require_edit(field)
    caller.require_scope("profile")
    if "customData" in given:
        caller.require_scope("custom_data")
    caller.require_first_party()
    if "username" in given:
        caller.require_verification()
        _check_new_username(tenant, caller, given["username"])
    if not given:
        raise no_values()
    check_lengths(given)
    user = tenant.update_user(caller.user.id, **{_ATTRIBUTES[name]: value for name, value in given.items()})
    announce_change(user)
    return account_json(tenant, caller)


@route("PATCH", "/my-account/profile")
def merge_profile(tenant: Tenant, caller: Caller) -> dict[str, Any]:
    """Change the given fields of OpenID Connect. The address is replaced as a whole."""
    given = body(profile)
    caller.require_edit("profile")
    caller.require_scope("profile")
    if "address" in given:
        caller.require_scope("address")
    caller.require_first_party()
    user = tenant.update_user(caller.user.id, profile={**caller.user.profile, **given})
    announce_change(user)
    return _profile_json(caller)


def account_json(tenant: Tenant, caller: Caller) -> dict[str, Any]:
    """Return what the scopes and the field permissions let the caller read."""
    values = {**user_json(tenant, caller.user), "hasPassword": caller.user.has_password}
    shown = {name: value for name, value in values.items() if name == "id" or _may_read(caller, name)}
    if "profile" in shown:
        shown["profile"] = _profile_json(caller)
    return {**shown, "hasSecurityVerificationMethod": has_verification_method(caller.user)}


def _may_read(caller: Caller, name: str) -> bool:
    has_scope = _SCOPES.get(name, "profile") in caller.scopes
    return has_scope and (name not in _READ or caller.may_read(_READ[name]))


def _profile_json(caller: Caller) -> dict[str, Any]:
    """Return the fields of OpenID Connect in Logto's order. The address needs its own scope."""
    names = [name for name in profile_members if name != "address" or "address" in caller.scopes]
    return {name: caller.user.profile[name] for name in names if name in caller.user.profile}


def _check_new_username(tenant: Tenant, caller: Caller, wanted: str | None) -> None:
    if wanted is None:
        check_remaining_identifier(caller.user, username=None)
    else:
        check_username(tenant.sign_in_experience.settings["usernamePolicy"], wanted)
