"""Revalidation: before a view runs, a session that is no longer fresh is confirmed by Logto.

A session is fresh until its ID token expires, or for `LOGTO_FRESHNESS_SECONDS`. Until then there is no query and no
call to Logto. With a refresh token, a refresh confirms the session. Without one, a page is redirected to Logto with
`prompt=none`.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta, timezone
from functools import partial

from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.http import HttpRequest, HttpResponse

from logto_auth.access.responses import prefetch_response, session_ended_response, sign_in_page
from logto_auth.exceptions import LogtoError, ProviderError, SignInRequired
from logto_auth.navigation import is_from_page_library, is_from_script, is_prefetch
from logto_auth.oidc.authorization import SignInOptions
from logto_auth.sign_in.start import is_sign_in_path, redirect_to_logto

from . import refresh, store
from .ending import end_session
from .principal import session_principal

__all__ = ["revalidate_session"]

logger = logging.getLogger("logto_auth")


def revalidate_session(request: HttpRequest) -> HttpResponse | None:
    """Return None if the view may run, else the response to send instead.

    If the session has ended at Logto, it ends here as well. A request with a safe method then runs without a user, and
    any other one is answered with 401.
    """
    session = request.session
    if not store.is_signed_in(session) or store.is_fresh(session) or is_sign_in_path(request.path):
        return None
    if not refresh.can_refresh(session):
        return _start_silent_sign_in(request)
    try:
        _refresh_session(request)
    except LogtoError as error:
        return end_session(request, error)
    return None


def _refresh_session(request: HttpRequest) -> None:
    """Refresh the session of `request`, or keep it for now if Logto cannot be reached.

    Raise LogtoError if the session must end.
    """
    session = request.session
    try:
        refresh.refresh_claims(session, partial(_save_fresh_until, request))
    except ProviderError as error:
        if refresh.is_grace_period_over(session):
            raise
        if not isinstance(error, refresh.RefreshSkipped):
            logger.error("Logto cannot confirm a session, which continues for now: %s", error)
            cool_down = timedelta(seconds=refresh.COOL_DOWN_SECONDS)
            _save_fresh_until(request, datetime.fromtimestamp(time.time(), tz=timezone.utc) + cool_down)
    if request.session is session:
        _reload_session(request)
    # The refresh may have brought other claims.
    session_principal(request).forget()


def _reload_session(request: HttpRequest) -> None:
    """Replace `request.session` by what is stored now. Raise SignInRequired if the session has ended.

    Django saves a session whole. The session was read before this request waited for Logto, so saving it would undo
    what parallel requests have stored since.
    """
    if not request.session.modified:
        request.session = store.reload_session(request.session)
        if not store.is_signed_in(request.session):
            raise SignInRequired("The session has ended.")


def _save_fresh_until(request: HttpRequest, until: datetime) -> None:
    """Set the end of freshness of the session of `request` and save it. Raise SignInRequired if it has ended."""
    _reload_session(request)
    if store.is_fresh(request.session):
        return
    is_to_be_saved = not request.session.modified
    store.set_fresh_until(request.session, until)
    if is_to_be_saved:
        _save(request.session)


def _save(session: SessionBase) -> None:
    try:
        session.save()
    except UpdateError as error:
        raise SignInRequired("The session has ended.") from error
    # It must not be saved again at the end of the request: that would undo what parallel requests store meanwhile.
    session.modified = False


def _start_silent_sign_in(request: HttpRequest) -> HttpResponse | None:
    """Redirect a page to Logto with `prompt=none`. A script or a form cannot be redirected and is answered with 401."""
    if is_prefetch(request):
        return prefetch_response()
    if request.method != "GET" or is_from_script(request):
        return session_ended_response(request)
    if is_from_page_library(request):
        return sign_in_page(request, request.get_full_path())
    try:
        options = SignInOptions(prompt="none")
        return redirect_to_logto(request, next_url=request.get_full_path(), options=options, is_silent=True)
    except ProviderError as error:
        return end_session(request, error)
