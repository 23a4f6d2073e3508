"""`/api/subject-tokens`: to act as a user (logto.md, 7.15)."""

from __future__ import annotations

from typing import Any

from logto_auth.emulator.provider import current
from logto_auth.emulator.state.stored_tokens import SUBJECT_TOKEN_TTL, SubjectToken
from logto_auth.emulator.state.tenant import Tenant

from . import users
from .routing import body, route
from .schemas import anything, object_of, optional, text


@route("POST", "/subject-tokens", status=201)
def create_token(tenant: Tenant) -> dict[str, Any]:
    """Make a token for one exchange. Its context is for scripts of custom claims, which the emulator has not."""
    given, provider = body(object_of(userId=text(), context=optional(anything))), current()
    user = users.existing(tenant, given["userId"])
    token = SubjectToken(user.id, provider.clock.now() + SUBJECT_TOKEN_TTL)
    provider.instances.subject_tokens[token.value] = token
    return {"subjectToken": token.value, "expiresIn": SUBJECT_TOKEN_TTL}
