"""`/api/my-account/sessions` and `/grants`: where the user is signed in, and which applications have access."""

from __future__ import annotations

from typing import Any

from flask import request

from logto_auth.emulator.api import sessions_and_grants
from logto_auth.emulator.api.bodies import fitted
from logto_auth.emulator.api.errors import APIError
from logto_auth.emulator.api.schemas import choice, object_of, optional
from logto_auth.emulator.api.sessions_and_grants import (
    existing_session,
    forget_grant,
    grants_json,
    live_grants,
    live_sessions,
    session_json,
)
from logto_auth.emulator.provider import current
from logto_auth.emulator.state.refusals import Refused
from logto_auth.emulator.state.tenant import Tenant

from .caller import Caller
from .routing import route

_SCOPE = "urn:logto:scope:sessions"

_ending = object_of(revokeGrantsTarget=optional(choice("all", "firstParty")))
_listing = object_of(appType=optional(choice("firstParty", "thirdParty")))


@route("GET", "/my-account/sessions")
def list_sessions(tenant: Tenant, caller: Caller) -> dict[str, Any]:
    _check_reading(caller)
    return {
        "sessions": [
            {**session_json(current(), session), "isCurrent": session.uid == caller.token.session_uid}
            for session in live_sessions(current(), caller.user.id)
        ]
    }


@route("DELETE", "/my-account/sessions/:sessionId", status=204)
def end_session(tenant: Tenant, caller: Caller, session_id: str) -> None:
    """End a session. Its grants and their tokens outlive it, unless `revokeGrantsTarget` names them."""
    target = fitted(request.args.to_dict(), _ending, part="query").get("revokeGrantsTarget")
    _check_changing(caller)
    try:
        session = existing_session(current(), caller.user.id, session_id)
    except APIError as error:
        # Logto answers 400 here, and names the intended status.
        raise Refused(error.code, data={"status": error.status}) from None
    sessions_and_grants.end_session(current(), session, target)


@route("GET", "/my-account/grants")
def list_grants(tenant: Tenant, caller: Caller) -> dict[str, Any]:
    """Return the grants to all applications, or to those of a type."""
    wanted = fitted(request.args.to_dict(), _listing, part="query").get("appType", "all")
    _check_reading(caller)
    return grants_json(current(), caller.user.id, wanted)


@route("DELETE", "/my-account/grants/:grantId", status=204)
def revoke_grant(tenant: Tenant, caller: Caller, grant_id: str) -> None:
    """End a grant with its tokens, and the part of its application in the sessions of the user."""
    _check_changing(caller)
    if grant_id not in {grant.id for grant in live_grants(current(), caller.user.id)}:
        raise Refused("oidc.invalid_grant", 404)
    current().instances.revoke_grant(grant_id)
    forget_grant(current(), caller.user.id, grant_id)


def _check_reading(caller: Caller) -> None:
    caller.require_verification()
    caller.require_read("session")
    caller.require_scope(_SCOPE, status=401)


def _check_changing(caller: Caller) -> None:
    caller.require_verification()
    caller.require_edit("session")
    caller.require_scope(_SCOPE, status=401)
    caller.require_first_party()
