"""Where a signed-in session is stored: a row of `LogtoSession`, and a few keys in Django's session.

The row holds the tokens, encrypted. Django's session holds the id of the row, the time until which the session is
fresh, and the chosen organization. Tokens are not in Django's session, because Django saves a session whole: a request
could overwrite the tokens that a parallel request has just stored (decision 0003).

No other module reads or writes these keys or the contents of the row's tokens.
"""

from __future__ import annotations

import ipaddress
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpRequest

from logto_auth.conf import conf
from logto_auth.models import LogtoIdentity, LogtoSession, decrypt_tokens
from logto_auth.oidc.id_tokens import REPEATED_CLAIMS
from logto_auth.oidc.secrets import Secret
from logto_auth.oidc.types import EXPIRY_MARGIN_SECONDS, Claims, TokenSet

__all__ = [
    "AccessToken",
    "SessionTokens",
    "choose_organization",
    "chosen_organization_id",
    "delete",
    "fresh_until",
    "is_fresh",
    "is_signed_in",
    "load",
    "reload_session",
    "require_revalidation",
    "session_id",
    "set_fresh_until",
    "start_session",
]

SESSION_ID_KEY = "_logto_session"
FRESH_UNTIL_KEY = "_logto_fresh_until"
ORGANIZATION_KEY = "_logto_organization"
MAX_SID_LENGTH = 255
MAX_USER_AGENT_LENGTH = 255


@dataclass(frozen=True, kw_only=True)
class AccessToken:
    """A stored access token."""

    token: Secret
    expires_at: int
    """In seconds since the epoch."""
    scopes: frozenset[str]

    def is_usable(self) -> bool:
        """Return whether the token is valid for at least `EXPIRY_MARGIN_SECONDS` more."""
        return time.time() < self.expires_at - EXPIRY_MARGIN_SECONDS


class SessionTokens:
    """The tokens of one signed-in session. `data` is the JSON object that is stored."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data

    @classmethod
    def from_sign_in(cls, token_set: TokenSet, userinfo: Claims) -> SessionTokens:
        """Return the tokens of a new sign-in. `userinfo` is empty if userinfo was not requested."""
        tokens = cls({"access_tokens": {}, "userinfo": dict(userinfo)})
        tokens.update(token_set)
        return tokens

    def update(self, token_set: TokenSet, *, resource: str | None = None, organization_id: str | None = None) -> None:
        """Store the tokens of a response of the token endpoint. Claims of a new ID token replace the former ones."""
        self.data["access_tokens"][_access_token_key(resource, organization_id)] = {
            "token": token_set.access_token.reveal(),
            "expires_at": token_set.expires_at,
            "scopes": sorted(token_set.scopes),
        }
        if token_set.refresh_token is not None:
            self.data["refresh_token"] = token_set.refresh_token.reveal()
        if token_set.id_token is not None:
            # A refreshed ID token may omit these claims, but a later one that contains them must repeat their values.
            former = self.data.get("id_token_claims", {})
            repeated = {name: former[name] for name in REPEATED_CLAIMS if name in former}
            self.data["id_token"] = token_set.id_token.reveal()
            self.data["id_token_claims"] = {**repeated, **token_set.id_token_claims}

    @property
    def claims(self) -> dict[str, Any]:
        """The claims of the latest ID token, and those that were only in userinfo at the sign-in, in a new dict."""
        return {**self.data.get("userinfo", {}), **self.data.get("id_token_claims", {})}

    @property
    def id_token(self) -> Secret | None:
        """The latest ID token, None if `SECRET_KEY` has changed since."""
        return self._secret("id_token")

    @property
    def refresh_token(self) -> Secret | None:
        """The latest refresh token, None if Logto did not issue one."""
        return self._secret("refresh_token")

    def access_token(self, resource: str | None = None, organization_id: str | None = None) -> AccessToken | None:
        """Return the stored access token for `resource` and `organization_id`, usable or expired; None if none."""
        stored = self.data.get("access_tokens", {}).get(_access_token_key(resource, organization_id))
        if stored is None:
            return None
        return AccessToken(
            token=Secret(stored["token"]), expires_at=stored["expires_at"], scopes=frozenset(stored["scopes"])
        )

    def _secret(self, name: str) -> Secret | None:
        return Secret(self.data[name]) if self.data.get(name) else None


def _access_token_key(resource: str | None, organization_id: str | None) -> str:
    # Neither an absolute URI nor an organization id contains a space.
    return f"{resource or ''} {organization_id or ''}"


# Start and end


def start_session(request: HttpRequest, identity: LogtoIdentity, token_set: TokenSet, userinfo: Claims) -> None:
    """Store the tokens of a sign-in for the session of `request`, after Django's `login()`."""
    session = request.session
    if session.session_key is None:
        session.create()
    assert session.session_key is not None
    row = LogtoSession(
        identity=identity,
        session_key=session.session_key,
        sid=_storable_sid(token_set.id_token_claims.get("sid")),
        fresh_until=fresh_until(token_set),
        user_agent=request.headers.get("User-Agent", "").replace("\x00", "")[:MAX_USER_AGENT_LENGTH],
        ip_address=_ip_address(request),
    )
    row.tokens = SessionTokens.from_sign_in(token_set, userinfo).data
    row.save(force_insert=True)
    session[SESSION_ID_KEY] = str(row.pk)
    set_fresh_until(session, row.fresh_until)


def _storable_sid(sid: object) -> str:
    """Return `sid`, or "" if a database could not store it: a NUL, half of a surrogate pair, or too long."""
    return sid if isinstance(sid, str) and len(sid) <= MAX_SID_LENGTH and sid.isprintable() else ""


def _ip_address(request: HttpRequest) -> str | None:
    """Return the IP address of the client, None if `REMOTE_ADDR` is not one.

    Headers such as X-Forwarded-For are ignored: a client can send them. A site behind a proxy sets `REMOTE_ADDR`.
    """
    try:
        return str(ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")))
    except ValueError:
        return None


def load(session: SessionBase) -> SessionTokens | None:
    """Return the tokens of `session`; None if it is no Logto session, or has ended. One query."""
    pk = session_id(session)
    encrypted_tokens = _read_encrypted_tokens(pk) if pk is not None else None
    return None if encrypted_tokens is None else SessionTokens(decrypt_tokens(encrypted_tokens))


def _read_encrypted_tokens(pk: str) -> str | None:
    """Return one column of one row; None if there is no such row.

    The ORM builds and compiles a query in ten times the time that SQLite needs to answer it, and each page that uses
    `request.logto` makes this one. So the SQL is compiled once. The router and Django's cursor are used as ever.
    """
    connection = connections[router.db_for_read(LogtoSession)]
    with connection.cursor() as cursor:
        cursor.execute(_select_sql(connection), [LogtoSession._meta.pk.get_db_prep_value(pk, connection)])
        row = cursor.fetchone()
    return row[0] if row is not None else None


_select_sql_by_connection: dict[tuple[str, type[BaseDatabaseWrapper]], str] = {}


def _select_sql(connection: BaseDatabaseWrapper) -> str:
    """Return the SQL of `_read_encrypted_tokens`, with one parameter, as the ORM compiles it for this database."""
    key = (connection.alias, type(connection))
    if key not in _select_sql_by_connection:
        rows = LogtoSession.objects.filter(pk=uuid.UUID(int=0)).order_by().values_list("encrypted_tokens")
        _select_sql_by_connection[key], _ = rows.query.get_compiler(connection=connection).as_sql()
    return _select_sql_by_connection[key]


def delete(session: SessionBase) -> SessionTokens | None:
    """Delete the row and the keys of `session`, and return its tokens, so that they can be revoked; None if none."""
    session.pop(FRESH_UNTIL_KEY, None)
    session.pop(ORGANIZATION_KEY, None)
    pk = session.pop(SESSION_ID_KEY, None)
    row = LogtoSession.objects.filter(pk=pk).first() if pk else None
    if row is None:
        return None
    row.delete()
    return SessionTokens(row.tokens)


# Django's session


def session_id(session: SessionBase) -> str | None:
    """Return the id of the `LogtoSession` of `session`; None if it did not start with a sign-in at Logto."""
    return session.get(SESSION_ID_KEY)


def is_signed_in(session: SessionBase) -> bool:
    """Return whether `session` started with a sign-in at Logto. No query beside Django's for the session."""
    return session_id(session) is not None


def reload_session(session: SessionBase) -> SessionBase:
    """Return `session` as it is stored now."""
    return type(session)(session.session_key)


def chosen_organization_id(session: SessionBase) -> str | None:
    """Return the organization that the user chose. The caller must check that the user belongs to it."""
    return session.get(ORGANIZATION_KEY)


def choose_organization(session: SessionBase, organization_id: str) -> None:
    """Store the organization that the user chose. The caller must have checked that the user belongs to it."""
    session[ORGANIZATION_KEY] = organization_id


# Freshness: the time until which the latest claims count, and Logto is not asked again (decision 0009)


def fresh_until(token_set: TokenSet) -> datetime:
    """Return when the claims of `token_set` stop being fresh.

    That is when its ID token expires, or after `LOGTO_FRESHNESS_SECONDS`, if that is earlier.
    """
    expires_at, seconds = token_set.id_token_claims.get("exp", token_set.expires_at), conf.freshness_seconds
    timestamp = expires_at if seconds is None else min(expires_at, time.time() + seconds)
    return datetime.fromtimestamp(timestamp, tz=timezone.utc)


def is_fresh(session: SessionBase) -> bool:
    """Return whether `session` need not be revalidated yet. No query beside Django's for the session."""
    return bool(time.time() < session.get(FRESH_UNTIL_KEY, 0))


def set_fresh_until(session: SessionBase, until: datetime) -> None:
    """Set the time until which `session` need not be revalidated."""
    session[FRESH_UNTIL_KEY] = until.timestamp()


def require_revalidation(session: SessionBase) -> None:
    """Let the next request revalidate `session`."""
    session[FRESH_UNTIL_KEY] = 0
