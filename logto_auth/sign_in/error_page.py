"""The page for a failed sign-in, in plain words for the user, and the log line for the operator."""

from __future__ import annotations

import logging
import secrets

from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from logto_auth.exceptions import LogtoError, ProviderError, SignInRefused
from logto_auth.signals import sign_in_refused

from .page import render_page
from .start import sign_in_url

__all__ = ["MESSAGES", "error_response"]

logger = logging.getLogger("logto_auth")

# The title and the text of the page, by the code of the error. They say what the user can do; the cause is in the log.
MESSAGES: dict[str, tuple[str | Promise, str | Promise]] = {
    "sign_in_cancelled": (
        _("You did not finish signing in"),
        _("The sign-in was cancelled. Nothing has changed. You can start again at any time."),
    ),
    "access_denied": (
        _("Sign-in was denied"),
        _("Logto denied this sign-in. Try again, or use another account."),
    ),
    "login_required": (
        _("Please sign in"),
        _("You are no longer signed in at Logto. Please sign in again."),
    ),
    "interaction_required": (
        _("Please sign in"),
        _("Logto has to ask you something before it signs you in to this site. Please sign in again."),
    ),
    "authorization_failed": (
        _("Logto declined the sign-in"),
        _("Logto did not accept the request of this site. If this happens again, please contact the site operator."),
    ),
    "state_unknown": (
        _("This sign-in was not started here"),
        _("This sign-in was not started in this browser. The link may come from a bookmark or from another browser."),
    ),
    "state_expired": (
        _("This sign-in took too long"),
        _("For your safety, a sign-in must be finished within a limited time. Please start again."),
    ),
    "state_used": (
        _("This sign-in is already finished"),
        _("This page was opened a second time, for example with the back button. Please start again."),
    ),
    "callback_invalid": (
        _("This sign-in link is damaged"),
        _("The URL of this page is incomplete or was changed, so the sign-in was stopped. Please start again."),
    ),
    "issuer_mismatch": (
        _("The response did not come from our sign-in service"),
        _("For your safety, the sign-in was stopped. Please start again."),
    ),
    "code_rejected": (
        _("This sign-in has expired"),
        _("Logto no longer accepts it. The page may have been loaded twice. Please start again."),
    ),
    "token_invalid": (
        _("The sign-in could not be verified"),
        _("A security check failed. If this happens again, please contact the site operator."),
    ),
    "client_rejected": (
        _("Sign-in is not available right now"),
        _("This site is not set up correctly. Please contact the site operator, who can find the cause in the log."),
    ),
    "provider_unreachable": (
        _("The sign-in service cannot be reached"),
        _("Logto does not respond. Please try again in a few minutes."),
    ),
    "provider_timeout": (
        _("The sign-in service is too slow"),
        _("Logto did not respond in time. Please try again in a few minutes."),
    ),
    "provider_busy": (
        _("The sign-in service is busy"),
        _("Logto is receiving too many requests. Please try again in a minute."),
    ),
    "provider_error": (
        _("The sign-in service has a problem"),
        _("Logto sent a response that this site cannot use. Please try again in a few minutes."),
    ),
    "not_recorded": (
        _("Sign-in is not available right now"),
        _("This site could not record the sign-in, so it was stopped. Please try again in a few minutes."),
    ),
    "account_disabled": (
        _("Your account is not active"),
        _("You cannot sign in with your account on this site at the moment. The site operator can activate it."),
    ),
    "account_unknown": (
        _("You do not have an account here"),
        _("You are signed in at Logto, but this site does not create new accounts. Ask the site operator for one."),
    ),
    "account_incomplete": (
        _("Your account could not be set up"),
        _("This site did not receive all the data that it needs about you. Please contact the site operator."),
    ),
    "not_a_member": (
        _("You are not a member of this organization"),
        _("This sign-in is for members of an organization, and your account does not belong to it."),
    ),
    "refused_by_site": (
        _("You cannot sign in here"),
        _("This site does not accept your account. If you think that this is wrong, please contact the site operator."),
    ),
    "invalid_option": (
        _("This sign-in link is not valid"),
        _("The link contains an option that does not exist. Please start with the sign-in button."),
    ),
    "not_a_navigation": (
        _("Sign-in must be opened as a page"),
        _("A sign-in cannot run inside another page or in the background."),
    ),
}


def error_response(request: HttpRequest, error: LogtoError, *, next_url: str = "") -> HttpResponse:
    """Return the page for a failed sign-in. Log the error, and send `sign_in_refused`.

    The status is that of `error`. "Try again" starts a sign-in that leads to `next_url`. The page and the log line
    contain the same new reference, so that the operator can find the line.
    """
    reference = secrets.token_hex(4)
    _log(error, reference)
    sign_in_refused.send_robust(sender=type(error), request=request, error=error)
    # An error with a code of the site's own gets the text of its class.
    title, text = MESSAGES.get(error.code) or MESSAGES.get(type(error).code) or MESSAGES["provider_error"]
    visitor_message = error.visitor_message if isinstance(error, SignInRefused) else ""
    response = render_page(
        request,
        "error.html",
        {
            "code": error.code,
            "reference": reference,
            "title": title,
            "text": visitor_message or text,
            "try_again_url": sign_in_url(next_url),
            # Logto still has a session for a refused user, so trying again would fail in the same way.
            "offer_sign_out": isinstance(error, SignInRefused),
        },
        status=error.status,
    )
    if isinstance(error, ProviderError) and error.retry_after_seconds is not None:
        response["Retry-After"] = str(error.retry_after_seconds)
    return response


def _log(error: LogtoError, reference: str) -> None:
    """Log one line: an error if this site or Logto has a problem, a warning if the request was wrong."""
    level = logging.ERROR if error.status >= 500 else logging.WARNING
    logger.log(level, "Sign-in failed: %s (%s, reference %s)", error, error.code, reference, extra={"code": error.code})
