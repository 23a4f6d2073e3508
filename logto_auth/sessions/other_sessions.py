"""The end of a user's other sessions: on this site, and at Logto, which would sign the other browsers in again.

Logto sends no back-channel logout for sessions that end in this way, and leaves their tokens valid unless it is asked
to revoke them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from logto_auth.account_api.client import SESSIONS_SCOPE
from logto_auth.clients import management_api
from logto_auth.conf import conf
from logto_auth.exceptions import ConfigurationError, InvalidValue, LogtoError, ManagementAPIError
from logto_auth.models import LogtoSession

from .account import SessionAccount
from .public_settings import account_center
from .store import StoredSession

__all__ = ["EndedSessions", "end_each", "end_other_sessions", "sid_at_logto", "value_in"]

logger = logging.getLogger("logto_auth")

# Ends the session with this `uid` at Logto, and returns whether it existed.
End: TypeAlias = Callable[[str], bool]
NOT_FOUND = 404
# One call for each session. Servers stop a request after 30 seconds, and a transaction of it is then rolled back: the
# sessions on this site would live on.
MAX_SECONDS = 15


@dataclass(frozen=True, kw_only=True)
class EndedSessions:
    """How many sessions were ended."""

    here: int
    """On this site."""
    at_logto: int | None
    """At Logto; None if some may have remained there, so that another browser can sign in without a password."""
    needs_verification: bool = False
    """Whether they can be ended at Logto after the security verification."""


def end_other_sessions(current: StoredSession, account: SessionAccount) -> EndedSessions:
    """End the sessions of the user of `current` except this one, here and at Logto, with their tokens.

    At Logto, this takes the Account API if the user is verified and the session has the scope for it, else the
    Management API if it is configured. What Logto answers is logged, and raises nothing.
    """
    here = _end_here(current)
    at_logto = _end_at_logto(current, account)
    if at_logto is None:
        needs_verification = not account.is_verified and _is_possible_when_verified(account)
        return EndedSessions(here=here, at_logto=None, needs_verification=needs_verification)
    # A browser may have signed in again by its session at Logto, a moment before that has ended.
    return EndedSessions(here=here + _end_here(current), at_logto=at_logto)


def sid_at_logto(session: Mapping[str, Any]) -> str:
    """Return the `sid` that ID tokens for this site have in a session of the Account API or the Management API.

    Return "" if the session has not been used on this site. Source: recorded from Logto 1.42.
    """
    sid = value_in(session, "payload", "authorizations", conf.app_id, "sid")
    return sid if isinstance(sid, str) else ""


def _end_here(current: StoredSession) -> int:
    others = LogtoSession.objects.of_user(current.user_id).exclude(pk=current.id)
    ended: int = others.end(reason="ended_by_user")
    return ended


def _end_at_logto(current: StoredSession, account: SessionAccount) -> int | None:
    """Return how many sessions were ended at Logto, None if some may have remained."""
    if account.is_verified and account.has_scopes(SESSIONS_SCOPE):
        try:
            return _end_by_account_api(current, account)
        except LogtoError as error:
            logger.warning("The Account API does not end the other sessions at Logto: %s (%s)", error, error.code)
    if conf.m2m_app_id:
        try:
            return _end_by_management_api(current)
        except (LogtoError, ConfigurationError) as error:
            logger.error("The Management API does not end the other sessions at Logto: %s", error)
    return None


def _end_by_account_api(current: StoredSession, account: SessionAccount) -> int | None:
    """End the sessions that are not the current one, which Logto marks; None if it does not. Raise LogtoError."""
    sid = _sid_of(current)

    def end(uid: str) -> bool:
        try:
            account.end_session(uid, revoke_grants="all")
        except InvalidValue:
            return False  # It has ended meanwhile.
        return True

    sessions = account.sessions()
    if not sid and any(value_in(session, "isCurrent") is None for session in sessions):
        logger.warning("Logto does not say which session is the current one, so that none is ended there.")
        return None
    return end_each([each for each in sessions if not (value_in(each, "isCurrent") or _has_sid(each, sid))], end)


def _end_by_management_api(current: StoredSession) -> int | None:
    """End the sessions with another `sid` than the current one; None if that is unknown. Raise LogtoError."""
    sid, sub = _sid_of(current), current.tokens.claims.get("sub")
    if not sid or not isinstance(sub, str):
        logger.warning(
            "The session has no sid, so that its session at Logto is unknown among the others. Back-channel logout "
            "brings one: manage.py logto_setup registers it."
        )
        return None
    users = management_api().users

    def end(uid: str) -> bool:
        try:
            users.end_session(sub, uid)
        except ManagementAPIError as error:
            if error.status != NOT_FOUND:
                raise
            return False  # It has ended meanwhile.
        return True

    return end_each([each for each in users.sessions(sub) if not _has_sid(each, sid)], end)


def end_each(sessions: Iterable[Mapping[str, Any]], end: End) -> int | None:
    """End the sessions, and return how many there were; None if there is no time for all of them."""
    until, ended = time.monotonic() + MAX_SECONDS, 0
    for session in sessions:
        uid = value_in(session, "payload", "uid")
        if time.monotonic() >= until:
            logger.warning("Logto is slow: only %s of the other sessions were ended there.", ended)
            return None
        if isinstance(uid, str) and uid:
            ended += end(uid)
    return ended


def _is_possible_when_verified(account: SessionAccount) -> bool:
    if not account.has_scopes(SESSIONS_SCOPE):
        return False
    try:
        center = account_center()
    except LogtoError:
        return False
    return center["enabled"] and center["fields"].get("session") == "Edit"


def _sid_of(current: StoredSession) -> str:
    """Return the session's id at Logto, as its ID token names it; "" if it is unknown."""
    return LogtoSession.objects.filter(pk=current.id).values_list("sid", flat=True).first() or ""


def _has_sid(session: Mapping[str, Any], sid: str) -> bool:
    return bool(sid) and sid_at_logto(session) == sid


def value_in(value: Any, *keys: str) -> Any:
    """Return a value inside of JSON, None if there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
