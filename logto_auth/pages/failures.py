"""What users read if Logto's Management API fails, which the site calls in its own name."""

from __future__ import annotations

from http import HTTPStatus

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from logto_auth.exceptions import LogtoError, ManagementAPIError, ProviderError

from .texts import whole_minutes

__all__ = ["NOT_LOADED", "NOT_SAVED", "failure_text", "loggable_text", "remedy", "status_of"]

NOT_LOADED = _("This page cannot be loaded")
NOT_SAVED = _("Your change may not be saved")
LOGTO_IS_DOWN = _("Logto does not respond. Please try again in a few minutes.")
LOGTO_IS_BUSY = _("Logto has too much to do. Please try again in a few minutes.")
LOGTO_HAS_FAILED = _("Logto sent a response that this site cannot use. Please try again in a few minutes.")
IS_UNCERTAIN = _(
    "Logto does not respond as expected, so it is not certain that your change was saved. Please try again in a few "
    "minutes."
)
IS_REFUSED = _("Logto did not accept your change, so it was not saved. Please contact the site operator.")
NO_ACCESS = _(
    "Logto does not let this site use the Management API. Give its machine-to-machine application the role with all "
    "permissions of the Management API."
)


def failure_text(error: LogtoError, *, is_change: bool) -> str | Promise:
    """Return the sentences for the user about a failure of Logto. `is_change` is whether something was to change."""
    if isinstance(error, ProviderError | ManagementAPIError) and error.retry_after_seconds:
        return _try_again_after(error.retry_after_seconds)
    if error.status == HTTPStatus.TOO_MANY_REQUESTS:
        return LOGTO_IS_BUSY
    if not is_change:
        return LOGTO_IS_DOWN if isinstance(error, ProviderError) else LOGTO_HAS_FAILED
    is_refused = isinstance(error, ManagementAPIError) and 400 <= error.status < 500
    return IS_REFUSED if is_refused else IS_UNCERTAIN


def remedy(error: LogtoError) -> str | Promise:
    """Return what the operator does about `error`, "" if there is nothing to do."""
    refused = isinstance(error, ManagementAPIError) and error.status in (401, 403)
    return NO_ACCESS if refused else ""


def status_of(error: LogtoError) -> int:
    """Return the status of a page for `error`.

    The status of Logto's Management API is about the request of this site, not about that of the user.
    """
    if isinstance(error, ManagementAPIError):
        return 503 if error.status in (429, 503) else 502
    return error.status


def loggable_text(error: LogtoError) -> str:
    """Return the text of `error` for the log, without the explanation of Logto, which may contain an address."""
    if not isinstance(error, ManagementAPIError):
        return str(error)
    answered = f" answered {error.status}"
    start, found, _explanation = str(error).partition(f"{answered}: ")
    return f"{start}{answered}" if found else str(error)


def _try_again_after(seconds: int) -> str:
    minutes = whole_minutes(seconds)
    return ngettext(
        "Logto has too much to do. Please try again in %(minutes)d minute.",
        "Logto has too much to do. Please try again in %(minutes)d minutes.",
        minutes,
    ) % {"minutes": minutes}
