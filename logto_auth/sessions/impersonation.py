"""An impersonation: a staff member acts as a user, in a session of its own (decision 0054).

The browser's cookie moves to a second Django session, and back at the end. The staff member's own session stays in the
store, untouched. The second session has a row of `LogtoSession` with the user and the staff member, and its data says
how to return.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.http import HttpRequest
from django.middleware.csrf import rotate_token

from logto_auth.access.principal import django_request
from logto_auth.conf import conf
from logto_auth.models import LogtoIdentity, LogtoSession, send_rows_ended
from logto_auth.oidc.types import TokenSet
from logto_auth.transactions import atomic, repeat_after_deadlock
from logto_auth.users.current_request import unwrapped

from . import store
from .principal import session_principal
from .store import StoredSession

__all__ = [
    "PERMISSION",
    "Impersonation",
    "Record",
    "as_django_request",
    "begin",
    "end_impersonation",
    "forget_cookie",
    "is_over",
    "own_session_of",
    "record_of",
    "return_to_own_session",
    "set_impersonation",
    "set_user",
]

PERMISSION = "logto_auth.impersonate_users"
# Keys of Django's session: how to return from an impersonation; that it has ended.
RECORD_KEY = "_logto_impersonation"
OVER_KEY = "_logto_impersonation_over"
# How long an ended session is remembered: requests that were sent before its end still come.
OVER_SECONDS = 60
# The key that Django keeps with `set_expiry()`.
EXPIRY_KEY = "_session_expiry"


@dataclass(frozen=True, kw_only=True)
class Impersonation:
    """A staff member acts as a user, as `request.impersonation`. Times are in seconds since the epoch."""

    impersonator: Any
    """The staff member, an instance of the user model."""
    user: Any
    """The user as whom they act. It is the user of the request."""
    reason: str
    started_at: float
    ends_at: float
    is_read_only: bool
    """Whether only requests that change nothing are allowed."""
    own_session: StoredSession = field(repr=False)
    """The row of the staff member's own session, for this package."""

    @property
    def impersonator_sub(self) -> str:
        """The id of the staff member at Logto, "" if it is unknown."""
        return str(self.own_session.tokens.claims.get("sub") or "")

    @property
    def seconds_left(self) -> int:
        """How many seconds are left, at least 0."""
        return max(0, int(self.ends_at - time.time()))


@dataclass(frozen=True)
class Record:
    """What Django's session of an impersonation knows."""

    # Without a representation: an error report shows the variables of each frame.
    session_key: str = field(repr=False)
    """The key of the staff member's own Django session."""
    impersonator_key: str
    """The key of the staff member, as in Django's session."""
    own_id: str
    """The id of the row of the staff member's own session."""
    reason: str
    started_at: float

    def as_json(self) -> dict[str, Any]:
        return vars(self).copy()


def record_of(session: SessionBase) -> Record | None:
    """Return how to return from the impersonation of `session`; None if it is none."""
    value = session.get(RECORD_KEY)
    if not isinstance(value, Mapping) or value.keys() != Record.__dataclass_fields__.keys():
        return None
    started_at = value["started_at"]
    are_texts = all(isinstance(each, str) for name, each in value.items() if name != "started_at")
    return Record(**value) if are_texts and isinstance(started_at, int | float) else None


def is_over(session: SessionBase) -> bool:
    """Return whether `session` was an impersonation, from which another request has returned."""
    return OVER_KEY in session


# The start


def begin(
    request: HttpRequest,
    identity: LogtoIdentity,
    token_set: TokenSet,
    *,
    own_session: StoredSession,
    reason: str,
    seconds: int,
) -> Impersonation:
    """Move the session of `request` to a new one, in which its user acts as that of `identity`."""
    own, user, started_at = request.session, identity.user, time.time()
    impersonator = unwrapped(request.user)
    if own.modified:
        # The session middleware saves the session that `request` has at the end.
        own.save()
    session = _session_with_key(own, None)
    if EXPIRY_KEY in own:
        session[EXPIRY_KEY] = own[EXPIRY_KEY]
    session[SESSION_KEY] = user._meta.pk.value_to_string(user)
    session[BACKEND_SESSION_KEY] = own[BACKEND_SESSION_KEY]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash() if hasattr(user, "get_session_auth_hash") else ""
    record = Record(str(own.session_key), str(own[SESSION_KEY]), own_session.key, reason, started_at)
    session[RECORD_KEY] = record.as_json()

    def store_row() -> tuple[list[LogtoSession], StoredSession]:
        with atomic():
            # This locks the row on each database: of two starts at the same time, the second one ends the first.
            LogtoSession.objects.filter(pk=own_session.id).update(impersonator=None)
            # The browser has lost the cookies of others that began in this session of the staff member.
            former = LogtoSession.objects.filter(impersonator_session=own_session.id).take()
            return former, store.start_impersonation(
                request, session, identity, token_set, own_session=own_session, ends_at=started_at + seconds
            )

    former, stored = repeat_after_deadlock(store_row)
    send_rows_ended(former, reason="session_ended", request=request)
    session.save()
    _move(request, session)
    set_user(request, user)
    session_principal(request).remember(stored)
    impersonation = Impersonation(
        impersonator=impersonator,
        user=user,
        reason=reason,
        started_at=started_at,
        ends_at=started_at + seconds,
        is_read_only=conf.impersonation_read_only,
        own_session=own_session,
    )
    set_impersonation(request, impersonation)
    return impersonation


# The end


def end_impersonation(request: HttpRequest, *, cause: str = "left") -> Any | None:
    """End the impersonation of `request`, and return the staff member, whose own session `request` has again.

    Return None if that session has ended: nobody is signed in then. Also if `request` is no impersonation, in which
    case nothing changes. `impersonation_ended` is sent with `cause`, unless another request has ended it.
    """
    with as_django_request(request) as own:
        record = record_of(own.session)
        if record is None:
            return None
        session_id = store.session_id(own.session)
        if session_id is not None:
            LogtoSession.objects.filter(pk=session_id).impersonations().end(reason=cause, request=own)
        return return_to_own_session(own, record)


@contextmanager
def as_django_request(request: HttpRequest) -> Iterator[HttpRequest]:
    """Yield Django's request, to which the session belongs, and which REST framework's request wraps.

    The wrapper has a user of its own, which is that of Django's request after that.
    """
    inner = django_request(request)
    yield inner
    if inner is not request:
        request.user = inner.user


def return_to_own_session(request: HttpRequest, record: Record) -> Any | None:
    """Let `request` have the staff member's own session, and return that person. Without it, sign out: return None."""
    ended, own = request.session, own_session_of(request.session, record)
    set_impersonation(request, None)
    if own is not None:
        # This also checks the key of the password, and whether the site accepts the account.
        request.session = own
        user = get_user(request)
        if user.is_authenticated:
            _remember_end(ended)
            _move(request, own)
            set_user(request, user)
            return user
    request.session = ended
    ended.flush()
    set_user(request, AnonymousUser())
    _forget_row(request)
    return None


def own_session_of(session: SessionBase, record: Record) -> SessionBase | None:
    """Return the Django session of the staff member, None if it has ended or belongs to another person or row."""
    own = _session_with_key(session, record.session_key)
    if own.get(SESSION_KEY) != record.impersonator_key or store.session_id(own) != record.own_id:
        return None
    row = store.read(record.own_id)
    return own if row is not None and not row.is_impersonation and store.is_user_of(own, row) else None


def _remember_end(session: SessionBase) -> None:
    """Let the Django session of an impersonation say that it is over, and nothing else, for a minute.

    Without it, a request that was sent a moment ago would find no session, and the session middleware would then delete
    the cookie of the staff member's own session in the browser.
    """
    if session.session_key is None:
        return
    session.clear()
    session[OVER_KEY] = True
    session.set_expiry(OVER_SECONDS)
    with suppress(UpdateError):
        session.save()


def forget_cookie(request: HttpRequest) -> None:
    """Let `request` have no session, without a change of the cookie that the browser has by now."""
    request.session = _session_with_key(request.session, None)
    # The session middleware deletes the cookie of a request whose session is empty.
    request.COOKIES.pop(settings.SESSION_COOKIE_NAME, None)
    # With `CSRF_USE_SESSIONS`, a new secret would begin a session.
    request.META.pop("CSRF_COOKIE_NEEDS_UPDATE", None)
    set_user(request, AnonymousUser())
    _forget_row(request)


# The request


def set_impersonation(request: HttpRequest, impersonation: Impersonation | None) -> None:
    """Set `request.impersonation` and `request.impersonator`."""
    if impersonation is not None:
        request.must_not_be_stored = True  # type: ignore[attr-defined]
    request.impersonation = impersonation  # type: ignore[attr-defined]
    request.impersonator = impersonation.impersonator if impersonation else None  # type: ignore[attr-defined]


def set_user(request: HttpRequest, user: Any) -> None:
    """Let the rest of this request have this user. The session does not change."""
    request.user = user
    # Code that ran earlier may have called `request.auser()`, whose result Django keeps.
    request._cached_user = request._acached_user = user  # type: ignore[attr-defined]


def _move(request: HttpRequest, session: SessionBase) -> None:
    """Let the browser have the cookie of `session`, and new forms."""
    session.modified = True
    request.session = session
    rotate_token(request)
    _forget_row(request)


def _forget_row(request: HttpRequest) -> None:
    principal = session_principal(request)
    principal.stored_at_start = None
    principal.forget()


def _session_with_key(session: SessionBase, key: str | None) -> SessionBase:
    # A session class of the site may need more than the key, so that no new object is made.
    other = copy(session)
    vars(other).pop("_session_cache", None)
    other._session_key = key
    other.accessed = other.modified = False
    if key is None:
        other._session_cache = {}  # type: ignore[attr-defined]
    return other
