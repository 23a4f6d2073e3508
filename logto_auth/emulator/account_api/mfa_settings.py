"""`/api/my-account/mfa-settings` and `/api/my-account/logto-configs`: what the user skips."""

from __future__ import annotations

from typing import Any

from logto_auth.emulator.api.bodies import body
from logto_auth.emulator.api.schemas import boolean, object_of
from logto_auth.emulator.api.user_configs import changed_configs, config_changes, configs_json
from logto_auth.emulator.api.user_events import announce_change
from logto_auth.emulator.state.tenant import Tenant

from .caller import Caller
from .routing import route


@route("GET", "/my-account/mfa-settings")
def show_mfa_settings(tenant: Tenant, caller: Caller) -> dict[str, Any]:
    caller.require_scope("identities", status=401)
    caller.require_read("mfa")
    return _mfa_settings(caller)


@route("PATCH", "/my-account/mfa-settings")
def change_mfa_settings(tenant: Tenant, caller: Caller) -> dict[str, Any]:
    given = body(object_of(skipMfaOnSignIn=boolean))
    _require_change(caller)
    caller.require_edit("mfa")
    _change(tenant, caller, {"mfa": given})
    return _mfa_settings(caller)


@route("GET", "/my-account/logto-configs")
def show_configs(tenant: Tenant, caller: Caller) -> dict[str, Any]:
    caller.require_scope("identities", status=401)
    caller.require_read(caller.passkey_field)
    return configs_json(caller.user)


@route("PATCH", "/my-account/logto-configs")
def change_configs(tenant: Tenant, caller: Caller) -> dict[str, Any]:
    given = body(config_changes)
    _require_change(caller)
    caller.require_edit(caller.passkey_field)
    _change(tenant, caller, given)
    return configs_json(caller.user)


def _require_change(caller: Caller) -> None:
    caller.require_verification()
    caller.require_scope("identities", status=401)
    caller.require_first_party()


def _change(tenant: Tenant, caller: Caller, changes: dict[str, dict[str, Any]]) -> None:
    user = tenant.update_user(caller.user.id, logto_configs=changed_configs(caller.user, changes))
    announce_change(user)


def _mfa_settings(caller: Caller) -> dict[str, Any]:
    return {"skipMfaOnSignIn": configs_json(caller.user)["mfa"]["skipMfaOnSignIn"]}
