"""The end of a user's other sessions, for views: the call, and what users read about it."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation import gettext, ngettext

from logto_auth.exceptions import ConfigurationError
from logto_auth.pages.sentences import joined
from logto_auth.sessions.other_sessions import EndedSessions, sid_at_logto, value_in
from logto_auth.sessions.principal import session_principal
from logto_auth.sign_in.next_url import is_allowed_next

from .links import END_OTHER_SESSIONS, return_url
from .verification import verification_url

__all__ = [
    "EndedSessions",
    "end_other_sessions",
    "ended_text",
    "sid_at_logto",
    "value_in",
    "verification_to_end_sessions",
]


def end_other_sessions(request: HttpRequest) -> EndedSessions:
    """End the user's other sessions, on this site and at Logto. See `request.logto.end_other_sessions()`."""
    return session_principal(request).end_other_sessions()


def ended_text(ended: EndedSessions) -> str:
    """Return what users read about the sessions that were ended."""
    texts = []
    if ended.here:
        text = ngettext(
            "%(count)s other session on this site has ended.",
            "%(count)s other sessions on this site have ended.",
            ended.here,
        )
        texts.append(text % {"count": ended.here})
    if ended.at_logto:
        text = ngettext(
            "%(count)s other session at Logto has ended.",
            "%(count)s other sessions at Logto have ended.",
            ended.at_logto,
        )
        texts.append(text % {"count": ended.at_logto})
    if ended.at_logto is None:
        texts.append(gettext("You may still be signed in at Logto on other devices."))
    return joined(texts) or gettext("You were not signed in anywhere else.")


def verification_to_end_sessions(request: HttpRequest, ended: EndedSessions, next_url: str) -> str:
    """Return the URL at which the user proves who they are, so that the sessions at Logto can end too.

    After that the other sessions end, and the user goes to `next_url`. Return "" if this would not help, or if the site
    has no page for it.
    """
    if not ended.needs_verification:
        return ""
    then = return_url(request, END_OTHER_SESSIONS, next_url)
    if not is_allowed_next(request, then):
        # Together they are too long.
        then = return_url(request, END_OTHER_SESSIONS, "")
    try:
        return verification_url(then)
    except ConfigurationError:
        return ""
