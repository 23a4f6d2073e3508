"""Before a view runs: does Logto still stand behind this session?

Asked once the ID token has aged, or `LOGTO_FRESHNESS_SECONDS` are over; until then it costs nothing. With a refresh
token the answer comes from a refresh; without, a page goes on a silent round trip through Logto.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timezone

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse

from . import refreshing, sessions
from .answers import is_from_script, session_ended_response
from .exceptions import LogtoError, ProviderError, SignInRefused, SignInRequired, TokenError
from .oidc.authorization import SignInOptions
from .sign_in import own_paths, redirect_to_logto
from .signals import session_ended

logger = logging.getLogger("logto_auth")

SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}


def check_freshness(request: HttpRequest) -> HttpResponse | None:
    """None when the view may run; else the answer to give in its place.

    A session that has ended is ended here too: a page then goes on signed out, and a request that would change
    something is not carried out.
    """
    session = request.session
    if not sessions.is_signed_in(session) or sessions.is_fresh(session) or request.path in own_paths():
        return None
    if not refreshing.can_refresh(session):
        return _ask_in_silence(request)
    try:
        sessions.keep_fresh(session, refreshing.refresh_claims(session))
    except (SignInRequired, SignInRefused, TokenError) as error:
        return end_session(request, error)
    except ProviderError as error:
        return _go_on_in_an_outage(request, error)
    return None


def _go_on_in_an_outage(request: HttpRequest, error: ProviderError) -> HttpResponse | None:
    if refreshing.grace_is_over(request.session):
        return end_session(request, error)
    logger.error("Logto cannot confirm a session, which goes on for now: %s", error)
    until = datetime.fromtimestamp(time.time() + refreshing.COOL_DOWN_SECONDS, tz=timezone.utc)
    sessions.keep_fresh(request.session, until)
    return None


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
    session_ended.send_robust(sender=type(user), request=request, user=user, reason=error.code)
    return None if request.method in SAFE_METHODS else session_ended_response(request)
