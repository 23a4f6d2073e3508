"""The end of a session: when Logto or the site no longer confirms it, at a sign-out, and with the account.

Rows of other sessions are ended by `LogtoSession.objects.….end()`.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from django.contrib.auth import get_user, logout
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_variables

from logto_auth.access.responses import session_ended_response
from logto_auth.announcements import announce, django_session_key, user_key
from logto_auth.clients import oidc_client
from logto_auth.exceptions import LogtoError, ProviderError, ProviderUnreachable
from logto_auth.models import REFUSALS_OF_USER, LogtoSession, send_session_ended
from logto_auth.navigation import SAFE_METHODS
from logto_auth.oidc.secrets import Secret

from . import store
from .impersonation import end_impersonation, own_session_of, record_of, set_impersonation
from .impersonation_check import impersonation_ended
from .outage import contact
from .principal import SessionPrincipal, session_principal
from .store import SessionTokens

__all__ = [
    "begin_unconfirmed_session",
    "delete_expired_sessions",
    "end_row_on_logout",
    "end_session",
    "end_sessions_of_deleted_user",
    "end_sessions_of_inactive_user",
    "forget_user",
    "sign_out_here",
    "sign_out_url",
]

logger = logging.getLogger("logto_auth")


def end_session(request: HttpRequest, error: LogtoError) -> HttpResponse | None:
    """Sign the user out of this site because of `error`. `session_ended` is sent, if no other request has ended it.

    Return None for a safe method: the view runs, without a user. For any other method return the 401 response, because
    the request must not be carried out for an anonymous user.
    """
    record = record_of(request.session)
    if record is not None:
        # Staff act as the user. The view must not run as the staff member.
        end_impersonation(request, cause="user_refused" if error.code in REFUSALS_OF_USER else "session_ended")
        return impersonation_ended(request)
    # Not `request.user`: other code may have put a user there whom the user of the session impersonates.
    user, has_row = get_user(request), store.session_id(request.session) is not None
    logger.warning("A session has ended: %s (%s)", error, error.code)
    store.end(request.session, reason=error.code, request=request)
    sign_out_here(request)
    if user.is_authenticated and not has_row:
        send_session_ended([user], reason=error.code, request=request)
    return None if request.method in SAFE_METHODS else session_ended_response(request)


def sign_out_here(request: HttpRequest) -> None:
    """Sign the user out of this site, for the rest of this request too."""
    logout(request)
    forget_user(request)


def forget_user(request: HttpRequest) -> None:
    """Let the rest of this request have no user. The session does not change."""
    request.user = AnonymousUser()
    # Code that ran earlier may have called `request.auser()`, whose result Django keeps.
    request._cached_user = request._acached_user = request.user  # type: ignore[attr-defined]


@sensitive_variables()
def sign_out_url(post_logout_redirect_uri: str, tokens: SessionTokens | None) -> Secret:
    """Revoke the refresh token of `tokens` and return the URL at which the browser signs out at Logto.

    The URL contains the ID token. Logto's end-session endpoint leaves a refresh token valid, so it is revoked
    separately. Raise ProviderUnreachable if Logto cannot be reached, at once if another request could not reach it a
    moment ago; ProviderError if its metadata cannot be used. A refused revocation is logged.
    Source: OpenID Connect RP-Initiated Logout 1.0, section 2.
    """
    client = oidc_client()
    url = client.end_session_url(
        post_logout_redirect_uri=post_logout_redirect_uri,
        id_token=tokens.id_token if tokens else None,
    )
    if tokens is not None and tokens.refresh_token is not None:
        _revoke(tokens.refresh_token)
    return url


def _revoke(refresh_token: Secret) -> None:
    """Revoke the token. Raise ProviderUnreachable; log that Logto has refused it."""
    try:
        with contact():
            oidc_client().revoke(refresh_token)
    except ProviderUnreachable:
        raise
    except ProviderError as error:
        logger.error("The refresh token was not revoked: %s", error)


def delete_expired_sessions() -> int:
    """Delete the rows whose Django session has certainly expired, and return how many there were."""
    now = time.time()
    overdue = LogtoSession.objects.filter(impersonation_ends_at__lt=now)
    ended: int = overdue.end(reason="expired") + LogtoSession.objects.filter(delete_after__lt=now).end()
    return ended


# Receivers


def begin_unconfirmed_session(sender: object, request: HttpRequest | None, **kwargs: Any) -> None:
    """Begin the freshness of a session that code of the site starts with `login()`: a receiver of `user_logged_in`.

    A sign-in at Logto sends the signal too, and then gives the session its row.
    """
    session = getattr(request, "session", None)
    _end_row_of_former_impersonation(request)
    if session is not None and store.is_of_logto_backend(session) and store.session_id(session) is None:
        principal = getattr(request, "logto", None)
        at_most_until = principal.fresh_until_at_start if isinstance(principal, SessionPrincipal) else None
        store.begin_unconfirmed(session, at_most_until=at_most_until)


def _end_row_of_former_impersonation(request: HttpRequest | None) -> None:
    """Code of the site signs in another user while staff act as a user: Django has emptied the session."""
    impersonation = getattr(request, "impersonation", None)
    if request is None or impersonation is None or record_of(request.session) is not None:
        return
    stored = session_principal(request).stored_at_start
    if stored is not None and stored.is_impersonation:
        LogtoSession.objects.filter(pk=stored.id).end(reason="session_ended", request=request)
    set_impersonation(request, None)


def end_row_on_logout(sender: object, request: HttpRequest | None, **kwargs: Any) -> None:
    """Delete the row of the session: a receiver of Django's `user_logged_out`, which every sign-out sends."""
    session = getattr(request, "session", None)
    if session is None:
        return
    _end_own_session(request)
    # The end of a row is announced by itself.
    if session.session_key and store.session_id(session) is None:
        announce([django_session_key(session.session_key)])
    store.end(session)


def _end_own_session(request: HttpRequest | None) -> None:
    """At a sign-out of a staff member who acts as a user: end both sessions."""
    record = record_of(request.session) if request is not None else None
    if request is None or record is None:
        return
    own = own_session_of(request.session, record)
    pk = store.session_id(request.session)
    LogtoSession.objects.filter(pk=pk).impersonations().end(reason="signed_out", request=request)
    if own is not None:
        store.end(own)
        own.flush()
    set_impersonation(request, None)


def end_sessions_of_inactive_user(
    sender: object, instance: Any, using: str | None = None, raw: bool = False, **kwargs: Any
) -> None:
    """End all sessions of a user whose account is deactivated: a receiver of the user model's `post_save`."""
    if not instance.is_active and not raw:
        LogtoSession.objects.of_user(instance).end(reason="account_disabled")
        announce([user_key(instance.pk)], using=using)


def end_sessions_of_deleted_user(sender: object, instance: Any, using: str | None = None, **kwargs: Any) -> None:
    """End all sessions of a user whose account is deleted: a receiver of the user model's `pre_delete`.

    `impersonation_ended` is sent for those in which the user acts, or in which staff act as the user.
    """
    impersonations = LogtoSession.objects.impersonations()
    impersonations.filter(impersonator=instance).end(reason="impersonator_session_ended")
    impersonations.of_user(instance).end(reason="user_refused")
    LogtoSession.objects.of_user(instance).end()
    announce([user_key(instance.pk)], using=using)
