"""The end of a session: when Logto or the site no longer confirms it, at a sign-out, and with the account.

Rows of other sessions are ended by `LogtoSession.objects.….end()`.
"""

from __future__ import annotations

import logging
import secrets
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from django.views.decorators.debug import sensitive_variables

from logto_auth.access.responses import session_ended_response
from logto_auth.clients import oidc_client
from logto_auth.conf import conf
from logto_auth.exceptions import LogtoError, ProviderError, ProviderUnreachable
from logto_auth.models import LogtoSession
from logto_auth.signals import session_ended

from . import store
from .store import SessionTokens

__all__ = [
    "delete_expired_sessions",
    "delete_tokens_on_logout",
    "end_session",
    "end_sessions_of_deleted_user",
    "end_sessions_of_inactive_user",
    "sign_out_url",
]

logger = logging.getLogger("logto_auth")

SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}


def end_session(request: HttpRequest, error: LogtoError) -> HttpResponse | None:
    """Sign the user out of this site because of `error`, and send `session_ended`.

    Return None for a safe method: the view runs, without a user. For any other method return the 401 response, because
    the request must not be carried out for an anonymous user.
    """
    user = request.user
    logger.warning("A session has ended: %s (%s)", error, error.code)
    logout(request)
    session_ended.send_robust(sender=user.__class__, request=request, user=user, reason=error.code)
    return None if request.method in SAFE_METHODS else session_ended_response(request)


@sensitive_variables()
def sign_out_url(post_logout_redirect_uri: str, tokens: SessionTokens | None) -> str:
    """Revoke the refresh token of `tokens` and return the URL at which the browser signs out at Logto.

    Logto's end-session endpoint leaves a refresh token valid, so it is revoked separately. Raise ProviderUnreachable if
    Logto cannot be reached, ProviderError if its metadata cannot be used. A refused revocation is logged.
    Source: OpenID Connect RP-Initiated Logout 1.0, section 2.
    """
    client = oidc_client()
    url = client.end_session_url(
        post_logout_redirect_uri=post_logout_redirect_uri,
        state=secrets.token_urlsafe(16),
        id_token=tokens.id_token if tokens else None,
    )
    if tokens is not None and tokens.refresh_token is not None:
        try:
            client.revoke(tokens.refresh_token)
        except ProviderUnreachable:
            raise
        except ProviderError as error:
            logger.error("The refresh token was not revoked: %s", error)
    return url


def delete_expired_sessions() -> int:
    """Delete the rows whose Django session has expired, and return how many there were.

    Django's session is saved each time it becomes fresh again. So it expires at most `SESSION_COOKIE_AGE` seconds after
    the end of its freshness, or of the grace period of an outage.
    """
    expired_before = now() - timedelta(seconds=settings.SESSION_COOKIE_AGE + conf.outage_grace_seconds)
    deleted, _ = LogtoSession.objects.filter(fresh_until__lt=expired_before).delete()
    return int(deleted)


# Receivers


def delete_tokens_on_logout(sender: object, request: HttpRequest | None, **kwargs: Any) -> None:
    """Delete the tokens of the session: a receiver of Django's `user_logged_out`, which every sign-out sends."""
    session = getattr(request, "session", None)
    if session is not None:
        store.delete(session)


def end_sessions_of_inactive_user(sender: object, instance: Any, raw: bool = False, **kwargs: Any) -> None:
    """End all sessions of a user whose account is deactivated: a receiver of the user model's `post_save`."""
    if not instance.is_active and not raw:
        LogtoSession.objects.of_user(instance).end()


def end_sessions_of_deleted_user(sender: object, instance: Any, **kwargs: Any) -> None:
    """End all sessions of a user whose account is deleted: a receiver of the user model's `pre_delete`."""
    LogtoSession.objects.of_user(instance).end()
