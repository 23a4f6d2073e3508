"""`/api/one-time-tokens`: tokens for links that sign a user in."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Response, request

from logto_auth.emulator.api.bodies import body
from logto_auth.emulator.api.errors import APIError, not_exists_with_id
from logto_auth.emulator.api.schemas import choice, integer, list_of, object_of, optional, text
from logto_auth.emulator.state.one_time_token_rules import check_one_time_token
from logto_auth.emulator.state.records import OneTimeToken
from logto_auth.emulator.state.sign_in_rules import SignInRefused
from logto_auth.emulator.state.tenant import Tenant

from .lookup import existing, named
from .paging import optionally_paged
from .routing import route

_new = object_of(
    email=text(at_least=1),
    context=optional(object_of(jitOrganizationIds=optional(list_of(text())))),
    expiresIn=optional(integer(at_least=1)),
)


@route("GET", "/one-time-tokens")
def list_tokens(tenant: Tenant) -> Response:
    wanted = {"email": request.args.get("email"), "status": request.args.get("status")}
    found = [
        token
        for token in reversed(tenant.one_time_tokens.values())
        if all(value in {None, getattr(token, name)} for name, value in wanted.items())
    ]
    return optionally_paged(found, _as_json)


@route("POST", "/one-time-tokens", status=201)
def create_token(tenant: Tenant) -> dict[str, Any]:
    given = body(_new)
    organization_ids = given.get("context", {}).get("jitOrganizationIds", [])
    named(tenant.organizations, organization_ids, partial(not_exists_with_id, "organizations"))
    token = tenant.add_one_time_token(
        given["email"], jit_organization_ids=organization_ids, expires_in=given.get("expiresIn", 600)
    )
    return _as_json(token)


@route("POST", "/one-time-tokens/verify")
def verify_token(tenant: Tenant) -> dict[str, Any]:
    """Verify a token, which consumes it."""
    given = body(object_of(token=text(at_least=1), email=text(at_least=1)))
    try:
        token = check_one_time_token(tenant, given["token"], given["email"])
    except SignInRefused as refusal:
        raise APIError(refusal.code, refusal.status, token=given["token"]) from refusal
    token.status = "consumed"
    return _as_json(token)


@route("GET", "/one-time-tokens/:id")
def show_token(tenant: Tenant, id: str) -> dict[str, Any]:
    return _as_json(existing(tenant.one_time_tokens, id, "one_time_tokens"))


@route("PUT", "/one-time-tokens/:id/status")
def change_status(tenant: Tenant, id: str) -> dict[str, Any]:
    token = existing(tenant.one_time_tokens, id, "one_time_tokens")
    status = body(object_of(status=choice("active", "consumed", "revoked", "expired")))["status"]
    if status == "active":
        raise APIError("one_time_token.cannot_reactivate_token", 400)
    token.status = status
    return _as_json(token)


@route("DELETE", "/one-time-tokens/:id", status=204)
def delete_token(tenant: Tenant, id: str) -> None:
    del tenant.one_time_tokens[existing(tenant.one_time_tokens, id).id]


def _as_json(token: OneTimeToken) -> dict[str, Any]:
    organization_ids = token.jit_organization_ids
    return {
        "tenantId": "default",
        "id": token.id,
        "email": token.email,
        "token": token.token,
        "context": {"jitOrganizationIds": organization_ids} if organization_ids else {},
        "status": token.status,
        "createdAt": token.created_at,
        "expiresAt": token.expires_at,
    }
