"""The sessions of users with Logto."""

from __future__ import annotations

from typing import Any

from flask import request

from logto_auth.emulator.api import sessions_and_grants
from logto_auth.emulator.api.bodies import fitted
from logto_auth.emulator.api.schemas import choice, object_of, optional
from logto_auth.emulator.api.sessions_and_grants import existing_session, live_sessions, session_json
from logto_auth.emulator.provider import current
from logto_auth.emulator.state.tenant import Tenant

from .routing import route

_query = object_of(revokeGrantsTarget=optional(choice("all", "firstParty")))


@route("GET", "/users/:userId/sessions")
def list_sessions(tenant: Tenant, user_id: str) -> dict[str, Any]:
    return {"sessions": [session_json(current(), session) for session in live_sessions(current(), user_id)]}


@route("GET", "/users/:userId/sessions/:sessionId")
def show_session(tenant: Tenant, user_id: str, session_id: str) -> dict[str, Any]:
    return session_json(current(), existing_session(current(), user_id, session_id))


@route("DELETE", "/users/:userId/sessions/:sessionId", status=204)
def end_session(tenant: Tenant, user_id: str, session_id: str) -> None:
    """End a session and the tokens that are bound to it. `revokeGrantsTarget` ends grants that would outlive it."""
    target = fitted(request.args.to_dict(), _query, part="query").get("revokeGrantsTarget")
    sessions_and_grants.end_session(current(), existing_session(current(), user_id, session_id), target)
