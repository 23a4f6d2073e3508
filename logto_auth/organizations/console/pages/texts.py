"""What users read about errors on the pages of organizations, and the remedies for the operator."""

from __future__ import annotations

from http import HTTPStatus

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from logto_auth.exceptions import LogtoError, ManagementAPIError, ProviderError
from logto_auth.organizations.console.errors import (
    ConsoleError,
    Incomplete,
    InvitationForOther,
    InvitationInvalid,
    InvitationOver,
    MemberGone,
    NotAMember,
    NotPermitted,
)
from logto_auth.pages.sentences import joined
from logto_auth.pages.texts import PageText, whole_minutes

__all__ = ["CONSOLE_IS_OFF", "NOT_MANAGED", "error_text", "page_text", "remedy", "status_of"]

NOT_MANAGED = PageText(
    _("Logto does not manage this account"),
    _("You are signed in to this site without Logto, so your account belongs to no organization here."),
)
CONSOLE_IS_OFF = PageText(
    _("Organizations cannot be managed here"),
    _("This site does not offer these pages at the moment."),
    _("The console of organizations is not set up. The log says what is missing, and so does manage.py check."),
)

TITLES: dict[type[LogtoError], str | Promise] = {
    NotAMember: _("Organization not found"),
    NotPermitted: _("You may not do this"),
    MemberGone: _("There is no such member"),
    InvitationForOther: _("This invitation is for another user"),
    InvitationInvalid: _("This invitation is not valid"),
    InvitationOver: _("This invitation has ended"),
    Incomplete: _("This is not finished yet"),
    ConsoleError: _("This is not possible"),
}
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


def page_text(error: LogtoError, *, is_form: bool) -> PageText:
    """Return the texts of the page for `error`. `is_form` is whether the user has sent a form."""
    title = next(
        (text for kind, text in TITLES.items() if isinstance(error, kind)), NOT_SAVED if is_form else NOT_LOADED
    )
    return PageText(title, error_text(error, is_form=is_form), remedy(error))


def error_text(error: LogtoError, *, is_form: bool = True) -> str | Promise:
    """Return the sentences for the user about `error`."""
    if isinstance(error, Incomplete):
        return joined([*map(str, error.done), str(error.visitor_message)])
    if isinstance(error, ConsoleError):
        return error.visitor_message
    if isinstance(error, ProviderError | ManagementAPIError) and error.retry_after_seconds:
        return _try_again_after(error.retry_after_seconds)
    if error.status == HTTPStatus.TOO_MANY_REQUESTS:
        return LOGTO_IS_BUSY
    if not is_form:
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


def _try_again_after(seconds: int) -> str:
    minutes = whole_minutes(seconds)
    return ngettext(
        "Logto has too much to do. Please try again in %(minutes)d minute.",
        "Logto has too much to do. Please try again in %(minutes)d minutes.",
        minutes,
    ) % {"minutes": minutes}
