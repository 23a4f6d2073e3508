"""The sessions of users with Logto."""

from __future__ import annotations

from typing import Any

from flask import request

from logto_auth.emulator.provider import current
from logto_auth.emulator.state.sessions import Session
from logto_auth.emulator.state.tenant import Tenant

from .api_errors import APIError
from .routing import fitted, route
from .schemas import choice, object_of, optional

_query = object_of(revokeGrantsTarget=optional(choice("all", "firstParty")))


@route("GET", "/users/:userId/sessions")
def list_sessions(tenant: Tenant, user_id: str) -> dict[str, Any]:
    instances = current().instances
    now = current().clock.now()
    # An unknown user has no sessions.
    live = [each for each in instances.sessions.values() if each.account_id == user_id and each.expires_at > now]
    return {"sessions": [_as_json(session) for session in live]}


@route("GET", "/users/:userId/sessions/:sessionId")
def show_session(tenant: Tenant, user_id: str, session_id: str) -> dict[str, Any]:
    return _as_json(_existing_session(user_id, session_id))


@route("DELETE", "/users/:userId/sessions/:sessionId", status=204)
def end_session(tenant: Tenant, user_id: str, session_id: str) -> None:
    """End a session and the tokens that are bound to it. `revokeGrantsTarget` ends grants that would outlive it."""
    target = fitted(request.args.to_dict(), _query, part="query").get("revokeGrantsTarget")
    session, instances = _existing_session(user_id, session_id), current().instances
    del instances.sessions[session.id]
    for client_id, authorization in session.authorizations.items():
        client = tenant.applications.get(client_id)
        is_third_party = client is not None and client.is_third_party
        if authorization.grant_id and (target == "all" or (target == "firstParty" and not is_third_party)):
            instances.revoke_grant(authorization.grant_id)


def _existing_session(user_id: str, session_uid: str) -> Session:
    provider = current()
    for session in provider.instances.sessions.values():
        if session.uid == session_uid and session.expires_at > provider.clock.now():
            if session.account_id != user_id:
                raise APIError("oidc.invalid_session_account_id", 404)
            return session
    raise APIError("oidc.session_not_found", 404)


def _as_json(session: Session) -> dict[str, Any]:
    authorizations = {
        client_id: {
            "sid": authorization.sid,
            "grantId": authorization.grant_id,
            "persistsLogout": authorization.persists_logout,
        }
        for client_id, authorization in session.authorizations.items()
    }
    return {
        "payload": {
            "uid": session.uid,
            "jti": session.id,
            "loginTs": session.login_at,
            "accountId": session.account_id,
            "authorizations": authorizations,
            "exp": session.expires_at,
            "iat": session.login_at,
            "kind": "Session",
        },
        "lastSubmission": None,
        "clientId": next(iter(authorizations), None),
        "accountId": session.account_id,
        "expiresAt": session.expires_at * 1000,
    }
