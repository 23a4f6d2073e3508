"""The only reader and writer of what a signed-in session holds.

Django's session keeps the id of a `LogtoSession`, until when it is fresh, and the organization chosen, nothing else:
the tokens are in that row, encrypted, where one tab's save cannot undo another's (decision 0003).
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils.timezone import now

from logto_auth.conf import conf
from logto_auth.models import LogtoIdentity, LogtoSession
from logto_auth.oidc.id_tokens import REPEATED_CLAIMS
from logto_auth.oidc.types import Claims, TokenSet

SESSION_ID_KEY = "_logto_session"
FRESH_UNTIL_KEY = "_logto_fresh_until"
ORGANIZATION_KEY = "_logto_organization"
MAX_SID_LENGTH = 255
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


def begin(request: HttpRequest, identity: LogtoIdentity, token_set: TokenSet, userinfo: Claims) -> None:
    """Keep the tokens of a sign-in for the session of `request`, into which the user has just been logged."""
    session = request.session
    if session.session_key is None:
        session.create()
    assert session.session_key is not None
    sid = token_set.id_token_claims.get("sid")
    row = LogtoSession(
        identity=identity,
        session_key=session.session_key,
        # Only what every database can hold: no NUL, no half of a surrogate pair.
        sid=sid if isinstance(sid, str) and len(sid) <= MAX_SID_LENGTH and sid.isprintable() else "",
        fresh_until=fresh_until(token_set),
        user_agent=request.headers.get("User-Agent", "").replace("\x00", "")[:255],
        ip_address=_ip_address(request),
    )
    row.tokens = SessionTokens.of(token_set, userinfo).data
    row.save(force_insert=True)
    session[SESSION_ID_KEY] = str(row.pk)
    keep_fresh(session, row.fresh_until)


def _ip_address(request: HttpRequest) -> str | None:
    """The address that the request came from. What a proxy says about it counts once the site has put it there."""
    try:
        return str(ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")))
    except ValueError:
        return None


def fresh_until(token_set: TokenSet) -> datetime:
    """Until when `token_set` is Logto's last word on who is signed in: as long as its ID token lives, or shorter."""
    ends, seconds = token_set.id_token_claims.get("exp", token_set.expires_at), conf.freshness_seconds
    return datetime.fromtimestamp(ends if seconds is None else min(ends, time.time() + seconds), tz=timezone.utc)


# Django's session


def session_id(session: SessionBase) -> str | None:
    """The id of the `LogtoSession` that `session` belongs to; None when it did not begin with a sign-in at Logto."""
    return session.get(SESSION_ID_KEY)


def is_signed_in(session: SessionBase) -> bool:
    """Whether `session` began with a sign-in at Logto. Reads nothing but the session."""
    return session_id(session) is not None


def is_fresh(session: SessionBase) -> bool:
    """Whether Logto's last word on `session` still counts. Reads nothing but the session."""
    return bool(time.time() < session.get(FRESH_UNTIL_KEY, 0))


def distrust(session: SessionBase) -> None:
    """Have the next request ask whether Logto still stands behind `session`."""
    session[FRESH_UNTIL_KEY] = 0


def keep_fresh(session: SessionBase, until: datetime) -> None:
    """Let `session` count as fresh until then."""
    session[FRESH_UNTIL_KEY] = until.timestamp()


def chosen_organization_id(session: SessionBase) -> str | None:
    """The organization that the person chose; whether they belong to it is for the caller to check."""
    return session.get(ORGANIZATION_KEY)


def choose_organization(session: SessionBase, organization_id: str) -> None:
    """Remember the organization that the person works in."""
    session[ORGANIZATION_KEY] = organization_id


def reread(session: SessionBase) -> SessionBase:
    """`session` as it is stored now."""
    return type(session)(session.session_key)


# The row


def load(session: SessionBase) -> SessionTokens | None:
    """The tokens of `session`; None when it did not begin at Logto or has ended there."""
    row = LogtoSession.objects.filter(pk=session_id(session)).first() if is_signed_in(session) else None
    return SessionTokens(row.tokens) if row is not None else None


def end(session: SessionBase) -> SessionTokens | None:
    """Forget the tokens of `session`, and return them for revocation."""
    session.pop(FRESH_UNTIL_KEY, None)
    session.pop(ORGANIZATION_KEY, None)
    pk = session.pop(SESSION_ID_KEY, None)
    row = LogtoSession.objects.filter(pk=pk).first() if pk else None
    if row is None:
        return None
    row.delete()
    return SessionTokens(row.tokens)


def clear_expired() -> int:
    """Delete the rows whose Django session must have expired; returns how many there were.

    A session is saved whenever it is fresh anew, so it outlives that moment by `SESSION_COOKIE_AGE` at most.
    """
    expired_before = now() - timedelta(seconds=settings.SESSION_COOKIE_AGE + conf.outage_grace_seconds)
    deleted, _ = LogtoSession.objects.filter(fresh_until__lt=expired_before).delete()
    return int(deleted)


def forget(sender: object, request: HttpRequest | None, **kwargs: Any) -> None:
    """Receiver of Django's `user_logged_out`: however a session ends, its tokens go with it."""
    session = getattr(request, "session", None)
    if session is not None:
        end(session)


def end_sessions_of_disabled(sender: object, instance: Any, raw: bool = False, **kwargs: Any) -> None:
    """Receiver of `post_save` of the user model: a disabled account has no sessions, nor tokens."""
    if not instance.is_active and not raw:
        LogtoSession.objects.of_user(instance).end()


def end_sessions_of_deleted(sender: object, instance: Any, **kwargs: Any) -> None:
    """Receiver of `pre_delete` of the user model."""
    LogtoSession.objects.of_user(instance).end()
