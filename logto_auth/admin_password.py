"""The password form of the admin, for times when Logto is unreachable: attempts are limited (decision 0031)."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, ngettext

from .signals import password_sign_in_refused
from .site_cache import count, forget

__all__ = ["PasswordForm"]

logger = logging.getLogger("logto_auth")

# Their kind in the cache.
ATTEMPTS = "admin-password"
PERIOD_MINUTES = 15
MAX_ATTEMPTS = 10
# Of all users and addresses together.
MAX_ATTEMPTS_IN_TOTAL = 100


class PasswordForm(AdminAuthenticationForm):
    """Django's form, with a limit of attempts by one user from one address, and of all attempts.

    An attempt is counted before the password is checked, so parallel attempts do not exceed the limit. It is refused
    if it cannot be counted, because the cache is unreachable or stores nothing.
    """

    def clean(self) -> dict[str, Any]:
        try:
            return self._checked()
        except ValidationError as error:
            password_sign_in_refused.send_robust(sender=type(self), request=self.request, code=error.code)
            raise

    def _checked(self) -> dict[str, Any]:
        username = self.cleaned_data.get("username")
        address = self.request.META.get("REMOTE_ADDR") if self.request else None
        attempts = f"{username} {address}"
        try:
            is_too_many = _count(attempts) > MAX_ATTEMPTS or _count("") > MAX_ATTEMPTS_IN_TOTAL
        except Exception as error:  # each cache backend raises errors of its own
            logger.exception("An attempt to sign in with a password was refused, because the cache does not work.")
            text = gettext("Attempts cannot be counted, because the cache of this site does not work.")
            raise ValidationError(text, code="attempts_not_counted") from error
        if is_too_many:
            logger.error("An attempt to sign in with a password was refused, because there were too many.")
            raise ValidationError(_too_many_attempts(), code="too_many_attempts")
        cleaned_data: dict[str, Any] = super().clean()
        forget(ATTEMPTS, attempts)
        return cleaned_data


def _count(name: str) -> int:
    return count(ATTEMPTS, name, period_seconds=60 * PERIOD_MINUTES)


def _too_many_attempts() -> str:
    text = ngettext(
        "Too many attempts. Try again in %(minutes)d minute.",
        "Too many attempts. Try again in %(minutes)d minutes.",
        PERIOD_MINUTES,
    )
    return text % {"minutes": PERIOD_MINUTES}
