"""What users read about errors on the pages."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from logto_auth.exceptions import LogtoError
from logto_auth.pages.failures import NOT_LOADED, NOT_SAVED, failure_text, remedy
from logto_auth.pages.texts import PageText

from .errors import ApiKeyError

__all__ = ["KEYS_ARE_OFF", "NOT_MANAGED", "page_text"]

NOT_MANAGED = PageText(
    _("Logto does not manage this account"),
    _("You are signed in to this site without Logto, so your account has no API keys here."),
)
KEYS_ARE_OFF = PageText(
    _("API keys cannot be managed here"),
    _("This site does not offer these pages at the moment."),
    _("LOGTO_M2M_APP_ID and LOGTO_M2M_APP_SECRET are not set. The log and manage.py check say what is missing."),
)
GONE = _("This API key does not exist")


def page_text(error: LogtoError, *, is_form: bool) -> PageText:
    """Return the texts of the page for `error`. `is_form` is whether the user has sent a form."""
    if isinstance(error, ApiKeyError):
        return PageText(GONE, error.visitor_message)
    title = NOT_SAVED if is_form else NOT_LOADED
    return PageText(title, failure_text(error, is_change=is_form), remedy(error))
