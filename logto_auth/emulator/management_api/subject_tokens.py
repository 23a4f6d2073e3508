"""`/api/subject-tokens`: tokens with which an application acts as a user (impersonation)."""

from __future__ import annotations

from typing import Any

from logto_auth.emulator.api.bodies import body
from logto_auth.emulator.api.errors import APIError
from logto_auth.emulator.api.schemas import anything, object_of, optional, text
from logto_auth.emulator.provider import current
from logto_auth.emulator.state.stored_tokens import SUBJECT_TOKEN_TTL, SubjectToken
from logto_auth.emulator.state.tenant import Tenant

from .routing import route


@route("POST", "/subject-tokens", status=201)
def create_token(tenant: Tenant) -> dict[str, Any]:
    """Create a token for one exchange. Scripts for custom claims see its `context`."""
    given, provider = body(object_of(userId=text(), context=optional(anything))), current()
    user = tenant.users.get(given["userId"])
    if user is None:
        raise APIError("entity.relation_foreign_key_not_found", 404)
    token = SubjectToken(user.id, provider.clock.now() + SUBJECT_TOKEN_TTL, given.get("context", {}))
    provider.instances.subject_tokens[token.value] = token
    return {"subjectToken": token.value, "expiresIn": SUBJECT_TOKEN_TTL}
