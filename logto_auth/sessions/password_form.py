"""Sessions that began at the password form of the admin, which needs no second factor.

The mark is in Django's session, for the account that has signed in there. Every other sign-in removes it.
"""

from __future__ import annotations

import logging
from typing import Any

from django.contrib.auth import SESSION_KEY, get_user_model
from django.http import HttpRequest

from logto_auth.conf import conf

__all__ = ["began_at_password_form", "begin_at_password_form", "forget_password_form"]

logger = logging.getLogger("logto_auth")

MARK = "_logto_admin_password_form"


def begin_at_password_form(request: HttpRequest) -> None:
    """Mark the session of `request`, in which a user has just signed in at the form, if that is an exception.

    It is one with `LOGTO_ADMIN_SECOND_FACTOR`, and is logged.
    """
    if conf.admin_second_factor:
        request.session[MARK] = request.session[SESSION_KEY]
        logger.warning(
            "The account with the primary key %s has signed in to the admin with a password, without a second factor.",
            request.session[SESSION_KEY],
        )


def began_at_password_form(request: HttpRequest) -> bool:
    """Return whether the user of `request` has signed in at the form, while `LOGTO_ADMIN_PASSWORD_SIGN_IN` is on.

    False if code of the site has put another user into the request or into the session.
    """
    session, user = getattr(request, "session", None), getattr(request, "user", None)
    if not conf.admin_password_sign_in or session is None or not isinstance(user, get_user_model()):
        return False
    mark = session.get(MARK)
    return mark is not None and mark == session.get(SESSION_KEY) == user._meta.pk.value_to_string(user)


def forget_password_form(sender: object, request: HttpRequest | None, **kwargs: Any) -> None:
    """Remove the mark at a sign-in: a receiver of Django's `user_logged_in`.

    Django keeps the content of a session if the same user signs in again.
    """
    session = getattr(request, "session", None)
    if session is not None and MARK in session:
        del session[MARK]
