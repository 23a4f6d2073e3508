"""What users read about errors of the account pages, and the remedies for the operator."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from logto_auth.exceptions import (
    AccountAPIError,
    AccountCenterDisabled,
    AccountScopeMissing,
    AccountServiceFailed,
    CodeExpired,
    FieldNotEditable,
    InvalidValue,
    LogtoError,
    MessageNotSent,
    ProviderError,
    VerificationBlocked,
    WrongCode,
    WrongPassword,
)
from logto_auth.pages.texts import PageText, whole_minutes

__all__ = ["FORM_ERRORS", "NOT_MANAGED", "form_text", "page_text", "remedy"]

Text = str | Promise

# Errors that a form shows beside what the user typed.
FORM_ERRORS = (
    AccountCenterDisabled,
    AccountServiceFailed,
    CodeExpired,
    FieldNotEditable,
    InvalidValue,
    MessageNotSent,
    ProviderError,
    VerificationBlocked,
    WrongCode,
    WrongPassword,
)

# By Logto's code. A code that is not here gets the text of its class.
TEXTS_BY_CODE: dict[str, Text] = {
    "user.username_already_in_use": _("This username is taken. Please choose another one."),
    "user.email_already_in_use": _("This e-mail address belongs to another account."),
    "user.phone_already_in_use": _("This phone number belongs to another account."),
    "user.identity_already_in_use": _("This account is already linked to another user. Nothing has changed."),
    "user.identity_not_exist": _("This account is no longer linked."),
    "user.last_sign_in_method_required": _(
        "This is your only way to sign in, so it cannot be removed. Add another one first."
    ),
    "session.mfa.backup_code_can_not_be_alone": _(
        "Backup codes cannot be your only second factor. Add an authenticator app or a passkey first."
    ),
    "session.mfa.mfa_factor_not_enabled": _("Logto no longer offers this factor."),
    "user.backup_code_already_in_use": _("You already have backup codes. Reload the page to see them."),
    "user.totp_already_in_use": _("An authenticator app is already set up."),
    "entity.value_too_long": _("This is too long. Please shorten it."),
    "guard.file_size_exceeded": _("This file is too large."),
    "guard.mime_type_not_allowed": _("This file is not a PNG, JPEG, GIF or WebP image."),
    "storage.not_configured": _("This site does not store pictures. Enter the address of one on the web instead."),
    "session.invalid_connector_id": _("This service is no longer available."),
}

TEXTS_BY_CLASS: dict[type[LogtoError], Text] = {
    WrongPassword: _("The password is not correct."),
    WrongCode: _("The code is not correct."),
    CodeExpired: _("The code has expired or was already used. Please request a new one."),
    AccountCenterDisabled: _("This site does not offer account settings at the moment."),
    FieldNotEditable: _("This can no longer be changed here."),
    InvalidValue: _("Logto does not accept this value. Please check it."),
    MessageNotSent: _("The message could not be sent. Please try again later."),
    AccountServiceFailed: _("Logto has a problem and did not save the change. Please try again in a few minutes."),
    ProviderError: _("Logto does not respond. Please try again in a few minutes."),
    LogtoError: _("Logto did not save the change. Please try again in a few minutes."),
}


NOT_MANAGED = PageText(
    _("Logto does not manage this account"),
    _("You are signed in to this site without Logto, so your account has no settings here."),
)
PAGES: dict[type[LogtoError], PageText] = {
    AccountCenterDisabled: PageText(
        _("Account settings are not available"),
        _("This site does not offer account settings at the moment."),
        _("The account center of Logto is off. Switch it on in Logto's Console, or declare it and run logto_setup."),
    ),
    AccountScopeMissing: PageText(
        _("Account settings are not available"),
        _("Logto did not give this site access to these settings of your account. Please contact the site operator."),
        _("The session lacks scopes of Logto. Add them to LOGTO_SCOPES."),
    ),
    FieldNotEditable: PageText(
        _("You cannot change this"),
        _("This site does not let users see or change this setting."),
        _("The account center does not allow this. Change the field in Logto's Console, or with logto_setup."),
    ),
    ProviderError: PageText(
        _("Your account settings cannot be loaded"),
        _("Logto does not respond. Nothing has changed. Please try again in a few minutes."),
    ),
    AccountAPIError: PageText(
        _("Your account settings cannot be loaded"),
        _("Logto sent a response that this site cannot use. Please try again in a few minutes."),
    ),
}
REMEDIES: dict[type[LogtoError], Text] = {
    MessageNotSent: _("Set up a connector for e-mail or SMS in Logto's Console, or check the one that is there."),
    AccountServiceFailed: _(
        "Logto could not finish the request. If this is about passwords, Logto may not reach the list of leaked "
        "passwords (api.pwnedpasswords.com): allow it, or switch this check off in the password policy."
    ),
    AccountCenterDisabled: PAGES[AccountCenterDisabled].remedy,
    FieldNotEditable: PAGES[FieldNotEditable].remedy,
}


REMEDIES_BY_CODE: dict[str, Text] = {
    "session.mfa.mfa_factor_not_enabled": _(
        "Enable this factor in Logto's Console, under multi-factor authentication."
    ),
    "storage.not_configured": _("Set up a storage provider for uploads at Logto."),
}


def page_text(error: LogtoError) -> PageText:
    """Return the texts of the page for `error`."""
    return next((text for kind, text in PAGES.items() if isinstance(error, kind)), PAGES[AccountAPIError])


def remedy(error: LogtoError) -> Text:
    """Return what the operator does about `error`, "" if there is nothing to do."""
    found = REMEDIES_BY_CODE.get(error.code)
    return found or next((text for kind, text in REMEDIES.items() if isinstance(error, kind)), "")


def form_text(error: LogtoError) -> str:
    """Return the sentence that a form shows for `error`."""
    if isinstance(error, VerificationBlocked):
        return _blocked(error)
    if error.code in TEXTS_BY_CODE:
        return str(TEXTS_BY_CODE[error.code])
    return str(next(text for kind, text in TEXTS_BY_CLASS.items() if isinstance(error, kind)))


def _blocked(error: VerificationBlocked) -> str:
    if error.retry_after_seconds is None:
        return gettext("Too many attempts. Please wait a while and try again.")
    minutes = whole_minutes(error.retry_after_seconds)
    return ngettext(
        "Too many attempts. Try again in %(minutes)d minute.",
        "Too many attempts. Try again in %(minutes)d minutes.",
        minutes,
    ) % {"minutes": minutes}
