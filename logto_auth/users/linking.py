"""Linking by e-mail: a new Logto user gets an existing account of this site.

Off by default. `LOGTO_LINK_BY_EMAIL` names a function of the site that returns whether the e-mail of some claims can be
trusted.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.utils.module_loading import import_string

from logto_auth.conf import conf
from logto_auth.models import LogtoIdentity, UserStatus
from logto_auth.oidc.claims import text
from logto_auth.oidc.types import Claims
from logto_auth.transactions import database, locked

from .accepted import accepted_user
from .rights import has_admin_rights
from .suspension import release_account

logger = logging.getLogger("logto_auth")


def find_user_to_link(claims: Claims) -> tuple[AbstractBaseUser | None, bool]:
    """Return the account that is linked to the user in `claims`; None if there is none. Call it in a transaction.

    The second value is whether the account was reactivated: see `release_account`.

    The function of the site must trust the e-mail, because Logto's `email_verified` only says that there is one. The
    e-mail must be ASCII, so that no look-alike matches. Exactly one account must have it. That account must not be
    staff. Its only identities at this issuer are those of users who were deleted there. Raise SignInRefused if the site
    does not accept the account.
    """
    user = _only_user_with_email(text(claims, "email")) if _is_trusted_email(claims) else None
    if user is None or has_admin_rights(user):
        return None, False
    is_released = release_account(user, claims["iss"])
    # Without this check, a user whose account is deactivated would get a second account and could sign in.
    accepted_user(user.pk)
    if LogtoIdentity.objects.filter(user=user, issuer=claims["iss"]).exclude(status=UserStatus.DELETED).exists():
        return None, False
    # Another user may have registered the account with this e-mail, and would still know its password.
    user.set_unusable_password()
    user.save(update_fields=["password"])
    return user, is_released


def _is_trusted_email(claims: Claims) -> bool:
    email = text(claims, "email")
    if not (conf.link_by_email and email and email.isascii() and claims.get("email_verified") is True):
        return False
    is_trusted: Callable[[Claims], bool] = import_string(conf.link_by_email)
    return is_trusted(claims) is True


def _only_user_with_email(email: str) -> AbstractBaseUser | None:
    """Return the account with this ASCII e-mail, and lock it; None if there is not exactly one."""
    user_model = get_user_model()
    email_field = user_model.get_email_field_name()
    if not hasattr(user_model, email_field):
        return None
    found = locked(user_model._default_manager.filter(**{f"{email_field}__iexact": email}))[:10]
    # Collations treat more texts as equal than we do, and the Kelvin sign in lower case is "k" in Python.
    emails = [(user, getattr(user, email_field)) for user in found]
    users = [user for user, value in emails if value.isascii() and value.lower() == email.lower()]
    return users[0] if len(users) == 1 else None


def log_shared_email(user: AbstractBaseUser, claims: Claims) -> None:
    """Log that an older account has the e-mail of the new account `user`. The line does not contain the e-mail."""
    user_model, email = type(user), text(claims, "email")
    email_field = user_model.get_email_field_name()
    # Not every collation can be compared with other characters.
    if not (email and email.isascii() and hasattr(user_model, email_field)):
        return
    others = user_model._base_manager.using(database()).exclude(pk=user.pk)
    if others.filter(**{f"{email_field}__iexact": email}).exists():
        logger.warning(
            "The new account %s has the same e-mail as another account. If both belong to one user, link them: see "
            "LOGTO_LINK_BY_EMAIL, or store a LogtoIdentity for the other account.",
            user.pk,
        )
