"""What staff read on the pages of support access."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from logto_auth.exceptions import ImpersonationRefused
from logto_auth.pages.texts import PageText
from logto_auth.sessions.impersonation_rules import REFUSAL_TEXTS

__all__ = [
    "ENDED",
    "IS_ACTING",
    "NOT_FINISHED",
    "NOT_MANAGED",
    "NOT_SET_UP",
    "NOT_STARTED",
    "NO_USER",
    "REFUSED",
    "refusal_text",
]

REFUSED = _("You cannot open support access")
NOT_STARTED = _("Support access was not started")
NOT_FINISHED = _("Logto does not respond as expected, so support access was not started. Try again in a few minutes.")
NOT_MANAGED = PageText(
    REFUSED,
    _("You are signed in without Logto. Sign in through Logto to act as a user."),
)
NOT_SET_UP = PageText(
    _("Support access is not available"),
    _("The set-up of this site is not finished."),
    _("The log and manage.py logto_doctor say what is missing."),
)
NO_USER = PageText(_("This user does not exist"), _("The account may have been deleted."))
IS_ACTING = PageText(
    _("You act as a user at the moment"),
    _("End this support access before you act as another user."),
)
# By the cause of the end: see the signal `impersonation_ended`.
ENDED = {
    "left": _("You have left support access."),
    "expired": _("The time that you chose is over."),
    "signed_out": _("You have signed out."),
    "impersonator_session_ended": _("Your own session has ended, for example because you signed out elsewhere."),
    "impersonator_not_permitted": _("You no longer have the permission to act as this user."),
    "user_refused": _("You can no longer act as this user: the account is suspended, or has other permissions now."),
    "session_ended": _("The session was ended, for example by other staff."),
}


def refusal_text(error: ImpersonationRefused) -> str:
    """Return what staff read about a refusal: the text of the site if it has one."""
    return str(error.visitor_message or REFUSAL_TEXTS.get(error.code, REFUSED))
