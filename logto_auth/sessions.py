"""The only reader and writer of what a signed-in session holds.

Django's session keeps the id of a `LogtoSession` and nothing else: the tokens are in that row, encrypted, where one
tab's save cannot undo another's (decision 0003).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction

from .models import LogtoIdentity, LogtoSession
from .oidc.tokens import REPEATED_CLAIMS
from .oidc.types import Claims, TokenSet

SESSION_ID_KEY = "_logto_session"
# A token this close to its end might not live through the call it is meant for.
EXPIRY_MARGIN_SECONDS = 15


@dataclass(frozen=True, kw_only=True)
class AccessToken:
    """An access token kept for later."""

    token: str = field(repr=False)
    expires_at: int
    scopes: frozenset[str]

    def is_usable(self) -> bool:
        return time.time() < self.expires_at - EXPIRY_MARGIN_SECONDS


class SessionTokens:
    """The tokens of one signed-in session, as a view on the plain data that is stored."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data

    @classmethod
    def of(cls, token_set: TokenSet, userinfo: Claims) -> SessionTokens:
        """The tokens of a sign-in; `userinfo` is empty when it was not asked."""
        tokens = cls({"access_tokens": {}, "userinfo": dict(userinfo)})
        tokens.update(token_set)
        return tokens

    def update(self, token_set: TokenSet, *, resource: str | None = None, organization_id: str | None = None) -> None:
        """Take over what the token endpoint brought. The claims of a new ID token replace those of the old one."""
        self.data["access_tokens"][_slot(resource, organization_id)] = {
            "token": token_set.access_token,
            "expires_at": token_set.expires_at,
            "scopes": sorted(token_set.scopes),
        }
        if token_set.refresh_token is not None:
            self.data["refresh_token"] = token_set.refresh_token
        if token_set.id_token is not None:
            # A refreshed ID token may leave these out; the one after it must fit them all the same.
            former = self.data.get("id_token_claims", {})
            repeated = {name: former[name] for name in REPEATED_CLAIMS if name in former}
            self.data["id_token"] = token_set.id_token
            self.data["id_token_claims"] = {**repeated, **token_set.id_token_claims}

    @property
    def claims(self) -> Mapping[str, Any]:
        """The claims of the ID token, and those that only userinfo had at sign-in."""
        return {**self.data.get("userinfo", {}), **self.data.get("id_token_claims", {})}

    @property
    def id_token(self) -> str | None:
        return self.data.get("id_token")

    @property
    def refresh_token(self) -> str | None:
        return self.data.get("refresh_token")

    def access_token(self, resource: str | None = None, organization_id: str | None = None) -> AccessToken | None:
        """The access token kept for `resource` and `organization_id`, whether still usable or not."""
        stored = self.data.get("access_tokens", {}).get(_slot(resource, organization_id))
        if stored is None:
            return None
        return AccessToken(token=stored["token"], expires_at=stored["expires_at"], scopes=frozenset(stored["scopes"]))


def _slot(resource: str | None, organization_id: str | None) -> str:
    # Neither an absolute URI nor an organization id has a space.
    return f"{resource or ''} {organization_id or ''}"


def begin(session: SessionBase, identity: LogtoIdentity, token_set: TokenSet, userinfo: Claims) -> None:
    """Keep the tokens of a sign-in for `session`, into which the user has just been logged."""
    if session.session_key is None:
        session.create()
    assert session.session_key is not None
    sid = token_set.id_token_claims.get("sid")
    row = LogtoSession(
        identity=identity,
        session_key=session.session_key,
        # Only what every database can hold: no NUL, no half of a surrogate pair.
        sid=sid if isinstance(sid, str) and len(sid) <= 255 and sid.isprintable() else "",
    )
    row.tokens = SessionTokens.of(token_set, userinfo).data
    row.save(force_insert=True)
    session[SESSION_ID_KEY] = str(row.pk)


def is_signed_in(session: SessionBase) -> bool:
    """Whether `session` began with a sign-in at Logto. Reads nothing but the session."""
    return SESSION_ID_KEY in session


def load(session: SessionBase) -> SessionTokens | None:
    """The tokens of `session`; None when it did not begin at Logto or has ended there."""
    row = LogtoSession.objects.filter(pk=session.get(SESSION_ID_KEY)).first() if is_signed_in(session) else None
    return SessionTokens(row.tokens) if row is not None else None


@contextmanager
def locked(session: SessionBase) -> Iterator[SessionTokens | None]:
    """The tokens of `session`, with other requests that want to change them kept waiting; changes are saved on leaving.

    Gives None when they are gone. An exception in the block leaves them as they were.
    """
    with transaction.atomic():
        row = LogtoSession.objects.select_for_update().filter(pk=session.get(SESSION_ID_KEY)).first()
        if row is None:
            yield None
            return
        tokens = SessionTokens(row.tokens)
        yield tokens
        row.tokens = tokens.data
        row.save(update_fields=["encrypted_tokens"])


def end(session: SessionBase) -> SessionTokens | None:
    """Forget the tokens of `session`, and return them for revocation."""
    pk = session.pop(SESSION_ID_KEY, None)
    row = LogtoSession.objects.filter(pk=pk).first() if pk else None
    if row is None:
        return None
    row.delete()
    return SessionTokens(row.tokens)


def forget(sender: object, request: object, **kwargs: Any) -> None:
    """Receiver of Django's `user_logged_out`: however a session ends, its tokens go with it."""
    session = getattr(request, "session", None)
    if session is not None:
        end(session)
