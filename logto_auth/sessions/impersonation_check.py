"""What each request of an impersonation does before its view runs: it continues, or has ended.

A request that finds the end is not carried out, neither as the user nor as the staff member. Its response brings the
staff member's own session back.
"""

from __future__ import annotations

import logging
import time

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import NoReverseMatch, get_script_prefix, reverse

from logto_auth.access.responses import (
    impersonation_ended_response,
    impersonation_json,
    prefetch_response,
    read_only_response,
)
from logto_auth.conf import conf
from logto_auth.exceptions import LogtoError, ProviderError, SignInRefused, SignInRequired
from logto_auth.models import LogtoSession
from logto_auth.navigation import SAFE_METHODS, has_access_token, is_from_script, is_prefetch
from logto_auth.sign_in.next_url import is_path_of, is_sign_in_path, with_query
from logto_auth.users.accepted import accepted_user
from logto_auth.users.current_request import unwrapped

from . import refresh, store
from .impersonation import (
    Impersonation,
    Record,
    forget_cookie,
    is_over,
    record_of,
    return_to_own_session,
    set_impersonation,
)
from .impersonation_rules import has_impersonation_permission, is_protected
from .principal import SessionPrincipal, session_principal
from .store import StoredSession

__all__ = ["forget_ended_impersonation", "impersonation_ended", "is_impersonating", "revalidate_impersonation"]

logger = logging.getLogger("logto_auth")

# These run whatever has become of the impersonation: the staff member signs out, or leaves.
SIGN_OUT = ("logto_auth:sign-out",)
LEAVE = ("logto_impersonation:leave",)
PAGE = "logto_impersonation:start"
ENDED = "ended"
"""The parameter of the URL of the page of support access that names the cause of the end."""


class _Ended(Exception):
    """The impersonation has ended for this `cause`."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


def is_impersonating(request: HttpRequest) -> bool:
    """Return whether the Django session of `request` is that of an impersonation, also of one that has ended."""
    return record_of(request.session) is not None or is_over(request.session)


def revalidate_impersonation(request: HttpRequest) -> HttpResponse | None:
    """Return None if the view may run, else the response to send instead. Set `request.impersonation`."""
    request.must_not_be_stored = True  # type: ignore[attr-defined]
    # Django empties the session of a user whose password has changed.
    record, session_id = record_of(request.session), store.session_id(request.session)
    if record is None:
        # Another request has returned. The browser has the cookie of the staff member's own session by now.
        forget_cookie(request)
        return _over_response(request)
    principal = session_principal(request)
    try:
        impersonation = _confirmed(request, principal, record)
    except _Ended as end:
        return _end(request, record, session_id, end.cause)
    set_impersonation(request, impersonation)
    return _refusal_of_read_only(request, impersonation)


def _confirmed(request: HttpRequest, principal: SessionPrincipal, record: Record) -> Impersonation:
    """Return the impersonation. Raise _Ended."""
    stored = principal.stored_session
    if stored is None or not stored.is_impersonation:
        raise _Ended("session_ended")
    if time.time() >= (stored.impersonation_ends_at or 0):
        raise _Ended("expired")
    own = _confirmed_own_session(stored)
    try:
        impersonator = accepted_user(stored.impersonator_id)
    except SignInRefused as error:
        raise _Ended("impersonator_not_permitted") from error
    if not has_impersonation_permission(impersonator):
        raise _Ended("impersonator_not_permitted")
    if not stored.is_fresh:
        stored = _refreshed(principal, stored, "user_refused")
        principal.remember(stored)
    user = request.user
    if not user.is_authenticated or user.pk != stored.user_id or is_protected(user):
        raise _Ended("user_refused")
    return Impersonation(
        impersonator=impersonator,
        user=unwrapped(user),
        reason=record.reason,
        started_at=record.started_at,
        ends_at=stored.impersonation_ends_at or 0,
        is_read_only=conf.impersonation_read_only,
        own_session=own,
    )


def _confirmed_own_session(stored: StoredSession) -> StoredSession:
    """Return the row of the staff member's own session, which Logto has confirmed. Raise _Ended."""
    own = store.read(stored.impersonator_session) if stored.impersonator_session is not None else None
    if own is None or own.is_impersonation or own.user_id != stored.impersonator_id:
        raise _Ended("impersonator_session_ended")
    return own if own.is_fresh else _refreshed(None, own, "impersonator_session_ended")


def _refreshed(principal: SessionPrincipal | None, row: StoredSession, cause: str) -> StoredSession:
    """Return the row after a refresh, or as it is while Logto cannot be reached. Raise _Ended with `cause`."""
    try:
        return refresh.refresh_claims(row)
    except ProviderError as error:
        if refresh.is_grace_period_over(row):
            raise _Ended(cause) from error
        if not isinstance(error, refresh.RefreshSkipped):
            logger.error("Logto cannot confirm an impersonation, which continues for now: %s", error)
        return row
    except LogtoError as error:
        if principal is not None and isinstance(error, SignInRequired):
            cause = "session_ended"
        logger.warning("An impersonation has ended: %s (%s)", error, error.code)
        raise _Ended(cause) from error


def forget_ended_impersonation(request: HttpRequest) -> None:
    """After the view: do not store the session of an impersonation that another request has ended meanwhile.

    It would be as before the end: the cookie of the browser would move to it, and it would know how to return.
    """
    session_id = store.session_id(request.session)
    if record_of(request.session) is not None and (session_id is None or store.read(session_id) is None):
        forget_cookie(request)


# The end


def _end(request: HttpRequest, record: Record, session_id: str | None, cause: str) -> HttpResponse | None:
    if is_prefetch(request):
        # The next page ends it.
        forget_cookie(request)
        return prefetch_response()
    if session_id is not None:
        LogtoSession.objects.filter(pk=session_id).impersonations().end(reason=cause, request=request)
    # The next page returns to the staff member's own session.
    if getattr(request, "is_socket", False) or has_access_token(request):
        forget_cookie(request)
        return None
    # The page offers to start again for the same user.
    user_key = request.session.get(SESSION_KEY)
    query = {ENDED: cause, **({"user": str(user_key)} if user_key is not None else {})}
    return_to_own_session(request, record)
    if is_path_of(request.path, SIGN_OUT):
        return None
    url = with_query(_page_url(), query)
    if not is_from_script(request) and (request.method in SAFE_METHODS or is_path_of(request.path, LEAVE)):
        return HttpResponseRedirect(url)
    return impersonation_ended(request, url)


def _over_response(request: HttpRequest) -> HttpResponse | None:
    if is_prefetch(request):
        return prefetch_response()
    if has_access_token(request) or getattr(request, "is_socket", False):
        return None
    # The response to the request that has ended it may not have reached the browser. The page of support access says
    # so, and the staff member can sign in again.
    if any(is_path_of(request.path, names) for names in (SIGN_OUT, (PAGE,))) or is_sign_in_path(request.path):
        return None
    if request.method in SAFE_METHODS and not is_from_script(request):
        return HttpResponseRedirect(_page_url())
    return impersonation_ended(request, is_signed_in=True)


def impersonation_ended(request: HttpRequest, url: str = "", *, is_signed_in: bool | None = None) -> HttpResponse:
    """Return the response to a request that is not carried out, because the impersonation has ended: 401 or 403."""
    url = url or _page_url()
    if is_from_script(request):
        return impersonation_json(request, "impersonation_ended", status=401, url=url)
    if is_signed_in is None:
        is_signed_in = request.user.is_authenticated
    return impersonation_ended_response(request, url, is_signed_in=is_signed_in)


def _page_url() -> str:
    """Return the URL of the page of support access; the home page of a site without it."""
    try:
        return reverse(PAGE)
    except NoReverseMatch:
        return get_script_prefix()


# Only looking


def _refusal_of_read_only(request: HttpRequest, impersonation: Impersonation) -> HttpResponse | None:
    if not impersonation.is_read_only or request.method in SAFE_METHODS:
        return None
    if is_path_of(request.path, SIGN_OUT) or is_path_of(request.path, LEAVE):
        return None
    if has_access_token(request):
        # The token decides. It must not let the session pass, in which code of the site may look for the user.
        forget_cookie(request)
        set_impersonation(request, None)
        return None
    if is_from_script(request):
        return impersonation_json(request, "impersonation_read_only", status=403)
    return read_only_response(request)
