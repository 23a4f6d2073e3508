"""What happens to a session before a view runs: it continues, is confirmed by Logto, or has ended.

A session has ended when its row is gone. It is fresh until its ID token expires, or for `LOGTO_FRESHNESS_SECONDS`.
Until then Logto is not asked. After that a refresh confirms it. Without a refresh token, and without a row, a page is
redirected to Logto with `prompt=none`.
"""

from __future__ import annotations

import logging
import time

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from logto_auth.access.principal import Principal
from logto_auth.access.responses import prefetch_response, session_ended_response, sign_in_page
from logto_auth.exceptions import LogtoError, ProviderError, SignInRequired
from logto_auth.navigation import has_access_token, is_from_page_library, is_from_script, is_prefetch
from logto_auth.oidc.authorization import SignInOptions
from logto_auth.sign_in.next_url import is_sign_in_path
from logto_auth.sign_in.start import redirect_to_logto

from . import refresh, store
from .ending import end_session, forget_user
from .impersonation_check import is_impersonating, revalidate_impersonation
from .principal import SessionPrincipal, session_principal
from .store import StoredSession

__all__ = ["extend_session", "restore_after_rollback", "revalidate_session"]

logger = logging.getLogger("logto_auth")


def revalidate_session(request: HttpRequest) -> HttpResponse | None:
    """Return None if the view may run, else the response to send instead.

    If the session has ended, the user is signed out. A request with a safe method then runs without a user, and any
    other one is answered with 401. The pages of the sign-in always run, and so do requests with an access token, which
    do not depend on the session.
    """
    session = request.session
    if is_impersonating(request):
        return revalidate_impersonation(request)
    if store.session_id(session) is None:
        return _revalidate_unconfirmed(request) if store.is_of_logto_backend(session) else None
    principal = session_principal(request)
    stored = principal.stored_session
    try:
        if stored is None or stored.is_impersonation:
            # The row of an impersonation belongs to a Django session that knows how to return.
            raise SignInRequired("The session has ended.")
        store.extend(session, stored)
        if stored.is_fresh or is_sign_in_path(request.path):
            return None
        if stored.tokens.refresh_token is None:
            return _start_silent_sign_in(request)
        _refresh(request, principal, stored)
    except LogtoError as error:
        refusal = end_session(request, error)
        return None if is_sign_in_path(request.path) or has_access_token(request) else refusal
    return None


def extend_session(request: HttpRequest, principal: Principal) -> None:
    """After the view: let the row exist for as long as Django's session, whose life the view may have extended."""
    if isinstance(principal, SessionPrincipal) and principal.stored_session is not None:
        store.extend(request.session, principal.stored_session)


def restore_after_rollback(principal: Principal) -> None:
    """After the view, and outside of its transaction: store tokens again that were refreshed in it and rolled back."""
    try:
        if isinstance(principal, SessionPrincipal):
            principal.restore_after_rollback()
    except DatabaseError:
        # The view has done its work. Without the new refresh token the user may have to sign in again.
        logger.exception("Tokens that were refreshed in a transaction could not be stored after its rollback.")


def _refresh(request: HttpRequest, principal: SessionPrincipal, stored: StoredSession) -> None:
    """Refresh the session of `request`, or keep it for now if Logto cannot be reached.

    Raise LogtoError if the session must end.
    """
    try:
        principal.remember(refresh.refresh_claims(stored))
    except ProviderError as error:
        if refresh.is_grace_period_over(stored):
            raise
        if not isinstance(error, refresh.RefreshSkipped):
            logger.error("Logto cannot confirm a session, which continues for now: %s", error)
    if not request.session.modified:
        # Django saves a session whole. This one was read before this request waited for Logto, so that saving it would
        # undo what parallel requests have stored since.
        request.session = store.as_stored(request.session)
        if store.session_id(request.session) is None:
            raise SignInRequired("The session has ended.")


def _revalidate_unconfirmed(request: HttpRequest) -> HttpResponse | None:
    until = store.unconfirmed_fresh_until(request.session)
    session_principal(request).unconfirmed_fresh_until = until
    if time.time() < until or is_sign_in_path(request.path):
        return None
    return _start_silent_sign_in(request)


def _start_silent_sign_in(request: HttpRequest) -> HttpResponse | None:
    """Redirect a page to Logto with `prompt=none`. A script or a form cannot be redirected and is answered with 401.

    A request with an access token runs, without the user of the session, until a page has confirmed the session.
    """
    if has_access_token(request):
        forget_user(request)
        return None
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
