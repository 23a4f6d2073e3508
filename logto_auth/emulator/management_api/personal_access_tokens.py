"""Personal access tokens of users, with which scripts act as the user by token exchange."""

from __future__ import annotations

from typing import Any

from logto_auth.emulator.api.bodies import body
from logto_auth.emulator.api.errors import APIError, not_exists, not_found, refused_input
from logto_auth.emulator.api.schemas import nullable, number, object_of, optional, text
from logto_auth.emulator.state.columns import check_text, stored_text
from logto_auth.emulator.state.records import PersonalAccessToken
from logto_auth.emulator.state.refusals import Failed
from logto_auth.emulator.state.tenant import Tenant

from .lookup import existing
from .routing import route

# The longest date of JavaScript. Logto answers a later one with 500.
MAX_TIME_MS = 8_640_000_000_000_000

_name = text(at_least=1, at_most=256)
_new = object_of(name=_name, expiresAt=optional(nullable(number)))


@route("GET", "/users/:userId/personal-access-tokens")
def list_tokens(tenant: Tenant, user_id: str) -> list[dict[str, Any]]:
    existing(tenant.users, user_id)
    return [_as_json(token) for token in tenant.personal_access_tokens.values() if token.user_id == user_id]


@route("POST", "/users/:userId/personal-access-tokens", status=201)
def create_token(tenant: Tenant, user_id: str) -> dict[str, Any]:
    given = body(_new)
    expires_at = given.get("expiresAt")
    # 0 is a time in the past that Logto accepts.
    if expires_at and expires_at <= tenant.clock.now_ms():
        raise refused_input("The value of `expiresAt` must be in the future.")
    if user_id not in tenant.users:
        raise APIError("entity.relation_foreign_key_not_found", 404)
    name = stored_text(given["name"]) or ""
    if expires_at is not None and expires_at > MAX_TIME_MS:
        raise Failed
    expires_at = None if expires_at is None else int(expires_at)
    return _as_json(tenant.add_personal_access_token(user_id, name, expires_at=expires_at))


@route("PATCH", "/users/:userId/personal-access-tokens")
def rename_token(tenant: Tenant, user_id: str) -> dict[str, Any]:
    given = body(object_of(name=_name, currentName=optional(text())))
    return _renamed(tenant, user_id, given.get("currentName", given["name"]), given["name"])


@route("PATCH", "/users/:userId/personal-access-tokens/:name")
def rename_token_by_path(tenant: Tenant, user_id: str, name: str) -> dict[str, Any]:
    return _renamed(tenant, user_id, name, body(object_of(name=_name))["name"])


@route("POST", "/users/:userId/personal-access-tokens/delete", status=204)
def delete_token(tenant: Tenant, user_id: str) -> None:
    _delete(tenant, user_id, body(object_of(name=text()))["name"])


@route("DELETE", "/users/:userId/personal-access-tokens/:name", status=204)
def delete_token_by_path(tenant: Tenant, user_id: str, name: str) -> None:
    _delete(tenant, user_id, name)


def _renamed(tenant: Tenant, user_id: str, name: str, new_name: str) -> dict[str, Any]:
    check_text(name)
    stored = stored_text(new_name) or ""
    token = tenant.find_personal_access_token(user_id, name)
    if token is None:
        raise not_exists("personal_access_token")
    tenant.rename_personal_access_token(token, stored)
    return _as_json(token)


def _delete(tenant: Tenant, user_id: str, name: str) -> None:
    check_text(name)
    token = tenant.find_personal_access_token(user_id, name)
    if token is None:
        raise not_found()
    del tenant.personal_access_tokens[token.value]


def _as_json(token: PersonalAccessToken) -> dict[str, Any]:
    return {
        "tenantId": "default",
        "userId": token.user_id,
        "name": token.name,
        "value": token.value,
        "createdAt": token.created_at,
        "expiresAt": token.expires_at,
    }
