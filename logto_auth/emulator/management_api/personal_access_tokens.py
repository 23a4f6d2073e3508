"""Personal access tokens of users, with which scripts act as the user by token exchange."""

from __future__ import annotations

from typing import Any

from logto_auth.emulator.api.bodies import body
from logto_auth.emulator.api.errors import not_found, refused_input
from logto_auth.emulator.api.schemas import integer, nullable, object_of, optional, text
from logto_auth.emulator.state.records import PersonalAccessToken
from logto_auth.emulator.state.tenant import Tenant

from .lookup import existing
from .routing import route

_new = object_of(name=text(at_least=1), expiresAt=optional(nullable(integer())))


@route("GET", "/users/:userId/personal-access-tokens")
def list_tokens(tenant: Tenant, user_id: str) -> list[dict[str, Any]]:
    existing(tenant.users, user_id)
    return [_as_json(token) for token in tenant.personal_access_tokens.values() if token.user_id == user_id]


@route("POST", "/users/:userId/personal-access-tokens", status=201)
def create_token(tenant: Tenant, user_id: str) -> dict[str, Any]:
    existing(tenant.users, user_id)
    given = body(_new)
    expires_at = given.get("expiresAt")
    if expires_at is not None and expires_at <= tenant.clock.now_ms():
        raise refused_input("The value of `expiresAt` must be in the future.")
    return _as_json(tenant.add_personal_access_token(user_id, given["name"], expires_at=expires_at))


@route("DELETE", "/users/:userId/personal-access-tokens/:name", status=204)
def delete_token(tenant: Tenant, user_id: str, name: str) -> None:
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
