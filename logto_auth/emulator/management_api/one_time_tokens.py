"""`/api/one-time-tokens`: tokens for links that sign a user in."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from logto_auth.emulator.api.bodies import body, fitted
from logto_auth.emulator.api.errors import APIError
from logto_auth.emulator.api.schemas import choice, list_of, number_of, object_of, optional, text
from logto_auth.emulator.provider import current
from logto_auth.emulator.state.one_time_token_rules import check_one_time_token
from logto_auth.emulator.state.records import OneTimeToken
from logto_auth.emulator.state.sign_in_rules import SignInRefused
from logto_auth.emulator.state.tenant import Tenant

from .lookup import existing
from .paging import optionally_paged
from .routing import route

_EMAIL = r"^\S+@\S+\.\S+$"

_status = choice("active", "consumed", "revoked", "expired")
_context = object_of(
    jitOrganizationIds=optional(list_of(text())),
    interactionEvent=optional(choice("SignIn", "Register", "ForgotPassword")),
)
_new = object_of(
    email=text(at_least=1, at_most=128), context=optional(_context), expiresIn=optional(number_of(at_least=1))
)
_query = object_of(email=optional(text(pattern=_EMAIL)), status=optional(_status))


@route("GET", "/one-time-tokens")
def list_tokens(tenant: Tenant) -> Response:
    """List the tokens. The status in the query is the stored one: Logto does not store at once that a token expired."""
    wanted = fitted(request.args.to_dict(), _query, part="query")
    found = [
        token
        for token in reversed(tenant.one_time_tokens.values())
        if all(value == getattr(token, name) for name, value in wanted.items())
    ]
    # Logto counts all tokens, also those that the query leaves out.
    return optionally_paged(found, _as_json, total=len(tenant.one_time_tokens))


@route("POST", "/one-time-tokens", status=201)
def create_token(tenant: Tenant) -> dict[str, Any]:
    """Add a token. Organizations that do not exist are stored, and ignored when a user signs in."""
    given, now = body(_new), tenant.clock.now_ms()
    for each in tenant.one_time_tokens.values():
        if each.email == given["email"] and each.status == "active" and each.expires_at <= now:
            each.status = "expired"
    token = tenant.add_one_time_token(given["email"], expires_in=given.get("expiresIn", 600))
    token.context = given.get("context", {})
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
    status = body(object_of(status=_status))["status"]
    if status == "active":
        raise APIError("one_time_token.cannot_reactivate_token", 400)
    token.status = status
    return _as_json(token)


@route("DELETE", "/one-time-tokens/:id", status=204)
def delete_token(tenant: Tenant, id: str) -> None:
    del tenant.one_time_tokens[existing(tenant.one_time_tokens, id).id]


def _as_json(token: OneTimeToken) -> dict[str, Any]:
    is_over = token.status == "active" and token.expires_at < current().clock.now_ms()
    return {
        "tenantId": "default",
        "id": token.id,
        "email": token.email,
        "token": token.token,
        "context": token.context,
        "status": "expired" if is_over else token.status,
        "createdAt": token.created_at,
        "expiresAt": token.expires_at,
    }
