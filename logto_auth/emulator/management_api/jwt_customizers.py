"""`/api/configs/jwt-customizer`: scripts for custom claims. The emulator stores them, and runs none."""

from __future__ import annotations

from typing import Any

from flask import Response

from logto_auth.emulator.api.bodies import body, fitted
from logto_auth.emulator.api.errors import not_exists_with_id
from logto_auth.emulator.api.schemas import anything, boolean, choice, object_of, optional, record_of, text
from logto_auth.emulator.oidc.http import json_response
from logto_auth.emulator.state.tenant import Tenant

from .routing import route

_KEYS = {"access-token": "jwt.accessToken", "client-credentials": "jwt.clientCredentials"}
_PATH = "/configs/jwt-customizer/:tokenTypePath"

_optional_parts = {
    "environmentVariables": optional(record_of(text())),
    "contextSample": optional(anything),
    "tokenSample": optional(anything),
    "blockIssuanceOnError": optional(boolean),
}
_script = object_of(script=text(), **_optional_parts)
_changes = object_of(script=optional(text()), **_optional_parts)


@route("GET", "/configs/jwt-customizer")
def list_customizers(tenant: Tenant) -> list[dict[str, Any]]:
    return [{"key": key, "value": value} for key, value in tenant.jwt_customizers.items()]


@route("GET", _PATH)
def show_customizer(tenant: Tenant, token_type_path: str) -> dict[str, Any]:
    return _existing(tenant, _key(token_type_path))


@route("PUT", _PATH)
def set_customizer(tenant: Tenant, token_type_path: str) -> Response:
    key, given = _key(token_type_path), body(_script)
    status = 200 if key in tenant.jwt_customizers else 201
    tenant.jwt_customizers[key] = given
    return json_response(given, status=status)


@route("PATCH", _PATH)
def change_customizer(tenant: Tenant, token_type_path: str) -> dict[str, Any]:
    customizer = _existing(tenant, _key(token_type_path))
    customizer |= body(_changes)
    return customizer


@route("DELETE", _PATH, status=204)
def delete_customizer(tenant: Tenant, token_type_path: str) -> None:
    key = _key(token_type_path)
    _existing(tenant, key)
    del tenant.jwt_customizers[key]


def _key(token_type_path: str) -> str:
    """Return the key of a kind of token. Raise 400 for an unknown kind."""
    schema = object_of(tokenTypePath=choice(*_KEYS))
    return _KEYS[fitted({"tokenTypePath": token_type_path}, schema, part="params")["tokenTypePath"]]


def _existing(tenant: Tenant, key: str) -> dict[str, Any]:
    if key not in tenant.jwt_customizers:
        raise not_exists_with_id("logto_config", key)
    return tenant.jwt_customizers[key]
