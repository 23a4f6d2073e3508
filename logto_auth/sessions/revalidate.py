"""Before a view runs: does Logto still stand behind this session?

Asked once the ID token has aged, or `LOGTO_FRESHNESS_SECONDS` are over; until then it costs nothing. With a refresh
token the answer comes from a refresh; without, a page goes on a silent round trip through Logto.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta, timezone
from functools import partial

from django.contrib.auth import logout
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.http import HttpRequest, HttpResponse

from logto_auth.access.responses import is_from_script, session_ended_response
from logto_auth.exceptions import LogtoError, ProviderError, SignInRequired
from logto_auth.oidc.authorization import SignInOptions
from logto_auth.sign_in.start import redirect_to_logto, sign_in_paths
from logto_auth.signals import session_ended

from . import refresh, store

logger = logging.getLogger("logto_auth")

SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}


def revalidate_session(request: HttpRequest) -> HttpResponse | None:
    """None when the view may run; else the answer to give in its place.

    A session that has ended is ended here too: a page then goes on signed out, and a request that would change
    something is not carried out.
    """
    session = request.session
    if not store.is_signed_in(session) or store.is_fresh(session) or request.path in sign_in_paths():
        return None
    if not refresh.can_refresh(session):
        return _ask_in_silence(request)
    try:
        _have_confirmed(request)
    except LogtoError as error:
        return end_session(request, error)
    return None


def _have_confirmed(request: HttpRequest) -> None:
    """Ask Logto about the session of `request`, or let it go on while Logto is out of reach.

    Raises LogtoError when the session is to end.
    """
    session = request.session
    try:
        refresh.refresh_claims(session, partial(_keep_fresh, request))
    except ProviderError as error:
        if refresh.grace_is_over(session):
            raise
        if not isinstance(error, refresh.NotAsked):
            logger.error("Logto cannot confirm a session, which goes on for now: %s", error)
            cool_down = timedelta(seconds=refresh.COOL_DOWN_SECONDS)
            _keep_fresh(request, datetime.fromtimestamp(time.time(), tz=timezone.utc) + cool_down)
    if request.session is session:
        _reread_session(request)


def _reread_session(request: HttpRequest) -> None:
    """Have `request` go on with its session as it is now. Raises SignInRequired when that is gone.

    Django saves a session whole: as it was before this request waited for Logto, it would undo what requests beside
    this one have put there since.
    """
    if not request.session.modified:
        request.session = store.reread(request.session)
        if not store.is_signed_in(request.session):
            raise SignInRequired("The session has ended.")


def _keep_fresh(request: HttpRequest, until: datetime) -> None:
    """Let the session of `request` count as fresh until then, and save that at once. Raises SignInRequired."""
    _reread_session(request)
    if store.is_fresh(request.session):
        return
    is_to_be_saved = not request.session.modified
    store.keep_fresh(request.session, until)
    if is_to_be_saved:
        _save(request.session)


def _save(session: SessionBase) -> None:
    try:
        session.save()
    except UpdateError as error:
        raise SignInRequired("The session has ended.") from error
    # Saved already: at the end of the request it would undo what others have put there meanwhile.
    session.modified = False


def _ask_in_silence(request: HttpRequest) -> HttpResponse | None:
    """Send a page through Logto with `prompt=none`; what is no page cannot go there, and is not carried out."""
    if request.method != "GET" or is_from_script(request):
        return session_ended_response(request)
    try:
        options = SignInOptions(prompt="none")
        return redirect_to_logto(request, next_url=request.get_full_path(), options=options, is_silent=True)
    except ProviderError as error:
        return end_session(request, error)


def end_session(request: HttpRequest, error: LogtoError) -> HttpResponse | None:
    """Sign the visitor out here, for the reason that is in `error`; returns the answer, if one is due at once."""
    user = request.user
    logger.warning("A session has ended: %s (%s)", error, error.code)
    logout(request)
    session_ended.send_robust(sender=user.__class__, request=request, user=user, reason=error.code)
    return None if request.method in SAFE_METHODS else session_ended_response(request)
