"""What a visitor is told when a sign-in does not succeed, and what the operator reads in the log."""

from __future__ import annotations

import logging
import secrets

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from logto_auth.exceptions import LogtoError, ProviderError, SignInRefused
from logto_auth.signals import sign_in_refused

from .start import sign_in_url

logger = logging.getLogger("logto_auth")

# By the stable code of the error: a title and what the visitor can do. Causes are for the log.
MESSAGES: dict[str, tuple[str | Promise, str | Promise]] = {
    "sign_in_cancelled": (
        _("You did not finish signing in"),
        _("The sign-in was cancelled. Nothing has changed; you can start again whenever you like."),
    ),
    "access_denied": (
        _("Sign-in was denied"),
        _("Logto did not let this sign-in through. You can try again, or use another account."),
    ),
    "login_required": (
        _("Please sign in"),
        _("You are not signed in at Logto any more. Sign in again to go on."),
    ),
    "authorization_failed": (
        _("Logto declined the sign-in"),
        _("Logto could not take the request of this site. If it happens again, please tell the operator of this site."),
    ),
    "state_unknown": (
        _("This sign-in was not started here"),
        _("This browser does not wait for this sign-in. It may come from a bookmark, an old tab or another browser."),
    ),
    "state_expired": (
        _("This sign-in took too long"),
        _("For your safety a sign-in has to be finished within a limited time. Please start again."),
    ),
    "state_used": (
        _("This sign-in is already finished"),
        _("The page was opened a second time, for example by the back button. Please start again."),
    ),
    "callback_invalid": (
        _("This sign-in address is not right"),
        _("Something in the address does not belong there, so nothing was done. Please start again."),
    ),
    "issuer_mismatch": (
        _("The answer did not come from our sign-in service"),
        _("For your safety nothing was done. Please start again."),
    ),
    "code_rejected": (
        _("This sign-in has run out"),
        _("Logto no longer accepts it; perhaps the page was loaded twice. Please start again."),
    ),
    "token_invalid": (
        _("The sign-in could not be verified"),
        _("A safety check failed, so nothing was done. If it happens again, please tell the operator of this site."),
    ),
    "client_rejected": (
        _("This site cannot sign anyone in right now"),
        _("Something is set up wrongly here. The operator finds the cause in the log."),
    ),
    "provider_unreachable": (
        _("The sign-in service cannot be reached"),
        _("Logto does not answer at the moment. Please try again in a little while."),
    ),
    "provider_timeout": (
        _("The sign-in service is too slow"),
        _("Logto did not answer in time. Please try again in a little while."),
    ),
    "provider_busy": (
        _("The sign-in service is busy"),
        _("Logto asks for a little patience. Please try again in a minute."),
    ),
    "provider_error": (
        _("The sign-in service has a problem"),
        _("Logto gave an answer that this site cannot use. Please try again in a little while."),
    ),
    "account_disabled": (
        _("Your account is disabled"),
        _("This account has been switched off on this site. Its operator can switch it on again."),
    ),
    "account_unknown": (
        _("You do not have an account here"),
        _("You are signed in at Logto, but this site does not make new accounts. Ask its operator for one."),
    ),
    "account_incomplete": (
        _("Your account could not be set up"),
        _("This site needs something about you that it did not get. Please tell the operator of this site."),
    ),
    "not_a_member": (
        _("You are not a member here"),
        _("This sign-in is for members of an organization, and your account does not belong to it."),
    ),
    "refused_by_site": (
        _("You cannot sign in here"),
        _("This site does not accept your account. If that seems wrong, please tell its operator."),
    ),
    "invalid_option": (
        _("This sign-in link is not right"),
        _("The link asks for something that does not exist. Please start from the sign-in button."),
    ),
    "not_a_navigation": (
        _("Sign-in must be opened as a page"),
        _("A sign-in cannot run inside another page or in the background."),
    ),
}


def error_response(request: HttpRequest, error: LogtoError, *, next_url: str = "") -> HttpResponse:
    """The page for an error of a sign-in, logged and signalled. Trying again leads to `next_url`."""
    reference = secrets.token_hex(4)
    _log(error, reference)
    sign_in_refused.send_robust(sender=type(error), request=request, error=error)
    # A site's own code has no text here; its class has.
    title, text = MESSAGES.get(error.code) or MESSAGES.get(type(error).code) or MESSAGES["provider_error"]
    visitor_message = error.visitor_message if isinstance(error, SignInRefused) else ""
    response = render(
        request,
        "logto_auth/error.html",
        {
            "code": error.code,
            "reference": reference,
            "title": title,
            "text": visitor_message or text,
            "try_again_url": sign_in_url(next_url),
            # Logto still has a session for a refused person: trying again would end here once more.
            "offer_sign_out": isinstance(error, SignInRefused),
        },
        status=error.status,
    )
    if isinstance(error, ProviderError) and error.retry_after_seconds is not None:
        response["Retry-After"] = str(error.retry_after_seconds)
    return response


def _log(error: LogtoError, reference: str) -> None:
    """One line for the operator; a problem of this site or of Logto is an error, a visitor's misstep a warning."""
    level = logging.ERROR if error.status >= 500 else logging.WARNING
    logger.log(level, "Sign-in failed: %s (%s, reference %s)", error, error.code, reference, extra={"code": error.code})
