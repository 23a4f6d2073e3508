"""`/api/configs/jwt-customizer`: scripts for custom claims. A script is stored without being looked at."""

from __future__ import annotations

from typing import Any

from flask import Response

from logto_auth.emulator.api.bodies import body, fitted
from logto_auth.emulator.api.errors import APIError, not_exists_with_id, not_found
from logto_auth.emulator.api.schemas import (
    Schema,
    boolean,
    choice,
    discriminated,
    object_of,
    optional,
    record_of,
    strict_object_of,
    text,
)
from logto_auth.emulator.claims_scripts import AccessDenied, EngineMissing, ScriptFailed, run_script
from logto_auth.emulator.oidc.http import json_response
from logto_auth.emulator.state.tenant import Tenant

from .claims_samples import ACCESS_TOKEN, ACCESS_TOKEN_CONTEXT, CLIENT_CREDENTIALS, CLIENT_CREDENTIALS_CONTEXT
from .routing import route

_KEYS = {"access-token": "jwt.accessToken", "client-credentials": "jwt.clientCredentials"}
_PATH = "/configs/jwt-customizer/:tokenTypePath"


def _customizer(token: Schema, context: Schema) -> Schema:
    return strict_object_of(
        script=text(),
        environmentVariables=optional(record_of(text())),
        contextSample=optional(context),
        blockIssuanceOnError=optional(boolean),
        tokenSample=optional(token),
    )


def _test(token: Schema, context: Schema) -> Schema:
    return object_of(script=text(), environmentVariables=optional(record_of(text())), token=token, context=context)


_CUSTOMIZERS = {
    "jwt.accessToken": _customizer(ACCESS_TOKEN, ACCESS_TOKEN_CONTEXT),
    "jwt.clientCredentials": _customizer(CLIENT_CREDENTIALS, CLIENT_CREDENTIALS_CONTEXT),
}
_tests = discriminated(
    "tokenType",
    **{
        "access-token": _test(ACCESS_TOKEN, ACCESS_TOKEN_CONTEXT),
        "client-credentials": _test(CLIENT_CREDENTIALS, CLIENT_CREDENTIALS_CONTEXT),
    },
)


@route("GET", "/configs/jwt-customizer")
def list_customizers(tenant: Tenant) -> list[dict[str, Any]]:
    return [{"key": key, "value": tenant.jwt_customizers[key]} for key in _CUSTOMIZERS if key in tenant.jwt_customizers]


@route("POST", "/configs/jwt-customizer/test")
def test_customizer(tenant: Tenant) -> dict[str, Any] | Response:
    """Return the claims of a script that is not stored. Raise 403 if it denies access and 422 if it fails."""
    given = body(_tests)
    try:
        return run_script(
            given["script"],
            token=given["token"],
            context=given["context"],
            environment_variables=given.get("environmentVariables"),
        )
    except EngineMissing as missing:
        return json_response({"message": str(missing)}, status=501)
    except AccessDenied as denial:
        data = {"message": str(denial), "error": {"code": "AccessDenied", "message": str(denial)}}
        raise APIError("jwt_customizer.general", 403, data=data) from None
    except ScriptFailed as failure:
        raise APIError("jwt_customizer.general", 422, data={"message": str(failure)}) from None


@route("GET", _PATH)
def show_customizer(tenant: Tenant, token_type_path: str) -> dict[str, Any]:
    return _existing(tenant, _key(token_type_path))


@route("PUT", _PATH)
def set_customizer(tenant: Tenant, token_type_path: str) -> Response:
    key = _key(token_type_path)
    given = body(_CUSTOMIZERS[key])
    status = 200 if key in tenant.jwt_customizers else 201
    tenant.jwt_customizers[key] = given
    return json_response(given, status=status)


@route("PATCH", _PATH)
def change_customizer(tenant: Tenant, token_type_path: str) -> dict[str, Any]:
    """Change the given keys. `script` must be given, unlike in other changes."""
    key = _key(token_type_path)
    given = body(_CUSTOMIZERS[key])
    changed = {**_existing(tenant, key), **given}
    tenant.jwt_customizers[key] = fitted(changed, _CUSTOMIZERS[key])
    return tenant.jwt_customizers[key]


@route("DELETE", _PATH, status=204)
def delete_customizer(tenant: Tenant, token_type_path: str) -> None:
    if tenant.jwt_customizers.pop(_key(token_type_path), None) is None:
        raise not_found()


def _key(token_type_path: str) -> str:
    """Return the key of a kind of token. Raise 400 for an unknown kind."""
    schema = object_of(tokenTypePath=choice(*_KEYS))
    return _KEYS[fitted({"tokenTypePath": token_type_path}, schema, part="params")["tokenTypePath"]]


def _existing(tenant: Tenant, key: str) -> dict[str, Any]:
    if key not in tenant.jwt_customizers:
        raise not_exists_with_id("logto_config", key)
    return tenant.jwt_customizers[key]
