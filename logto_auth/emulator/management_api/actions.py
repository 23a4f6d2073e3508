"""`/api/configs/actions`: scripts that run in a sign-in. A script is stored without being looked at."""

from __future__ import annotations

from typing import Any

from flask import Response, abort

from logto_auth.emulator.action_scripts import EngineMissing, ScriptFailed, run_action
from logto_auth.emulator.api.bodies import body, fitted
from logto_auth.emulator.api.errors import APIError, not_exists_with_id, not_found
from logto_auth.emulator.api.schemas import (
    anything,
    boolean,
    choice,
    object_of,
    optional,
    record_of,
    strict_object_of,
    text,
)
from logto_auth.emulator.oidc.http import json_response
from logto_auth.emulator.provider import current
from logto_auth.emulator.state.actions import ACTION_TYPES
from logto_auth.emulator.state.tenant import Tenant

from .routing import route

_PATH = "/configs/actions/:actionType"
_settings = {
    "environmentVariables": optional(record_of(text())),
    "contextSample": optional(anything),
    "enabled": optional(boolean),
    "onExecutionError": optional(choice("block", "allow")),
}
_action = strict_object_of(script=text(), **_settings)
_changes = strict_object_of(script=optional(text()), **_settings)
_test = strict_object_of(
    script=text(),
    actionType=choice(*ACTION_TYPES),
    event=anything,
    environmentVariables=optional(record_of(text())),
)


@route("GET", "/configs/actions")
def list_actions(tenant: Tenant) -> list[dict[str, Any]]:
    _check_exists(tenant)
    return [{"key": key, "value": tenant.actions[key]} for key in ACTION_TYPES if key in tenant.actions]


@route("POST", "/configs/actions/test", exclusive=False)
def test_action(tenant: Tenant) -> Response:
    """Return the result of a script that is not stored: 204 if it is undefined. Raise 422 if it fails."""
    _check_exists(tenant)
    given = body(_test)
    try:
        has_result, result = run_action(
            given["script"], event=given["event"], environment_variables=given.get("environmentVariables")
        )
    except EngineMissing as missing:
        return json_response({"message": str(missing)}, status=501)
    except ScriptFailed as failure:
        raise APIError("action.general", 422, data={"message": str(failure)}) from None
    return json_response(result) if has_result else Response(status=204)


@route("GET", _PATH)
def show_action(tenant: Tenant, action_type: str) -> dict[str, Any]:
    return _existing(tenant, _key(tenant, action_type))


@route("PUT", _PATH)
def set_action(tenant: Tenant, action_type: str) -> Response:
    key = _key(tenant, action_type)
    given = body(_action)
    status = 200 if key in tenant.actions else 201
    tenant.actions[key] = given
    return json_response(given, status=status)


@route("PATCH", _PATH)
def change_action(tenant: Tenant, action_type: str) -> dict[str, Any]:
    """Change the given keys."""
    key = _key(tenant, action_type)
    given = body(_changes)
    tenant.actions[key] = {**_existing(tenant, key), **given}
    return tenant.actions[key]


@route("DELETE", _PATH, status=204)
def delete_action(tenant: Tenant, action_type: str) -> None:
    if tenant.actions.pop(_key(tenant, action_type), None) is None:
        raise not_found()


def _key(tenant: Tenant, action_type: str) -> str:
    """Return a kind of action. Raise 400 for an unknown one, and 404 on a Logto without Actions."""
    _check_exists(tenant)
    schema = object_of(actionType=choice(*ACTION_TYPES))
    return str(fitted({"actionType": action_type}, schema, part="params")["actionType"])


def _check_exists(tenant: Tenant) -> None:
    if not current().tenant.version.has_actions:
        abort(404)


def _existing(tenant: Tenant, key: str) -> dict[str, Any]:
    if key not in tenant.actions:
        raise not_exists_with_id("logto_config", key)
    return tenant.actions[key]
