"""What users read about errors on the pages of organizations, and the remedies for the operator."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from logto_auth.exceptions import LogtoError
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
from logto_auth.pages.failures import NOT_LOADED, NOT_SAVED, failure_text, remedy
from logto_auth.pages.sentences import joined
from logto_auth.pages.texts import PageText

__all__ = ["CONSOLE_IS_OFF", "NOT_MANAGED", "error_text", "page_text"]

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
    return failure_text(error, is_change=is_form)
