"""What Logto requires of a user's own changes to the account."""

from __future__ import annotations

import re
from typing import Any

from .password_policy import rejections
from .records import User
from .refusals import Refused

_IDENTIFIERS = ("username", "primary_email", "primary_phone")
_KINDS_OF_CHARACTERS = {"uppercase": "[A-Z]", "lowercase": "[a-z]", "numbers": "[0-9]", "underscore": "_"}


def has_verification_method(user: User) -> bool:
    """Return whether the user can prove an identity. Without a password, an e-mail and a phone nothing is to prove."""
    return user.has_password or bool(user.primary_email) or bool(user.primary_phone)


def check_remaining_identifier(user: User, **changes: Any) -> None:
    """Raise Refused if the user would have no username, e-mail, phone or linked identity after the changes."""
    kept = {name: getattr(user, name) for name in (*_IDENTIFIERS, "identities")} | changes
    if not any(kept.values()) and not user.sso_identities:
        raise Refused("user.last_sign_in_method_required")


def check_password(policy: dict[str, Any], user: User, password: str) -> None:
    """Raise 422 for a password that the policy of the tenant rejects, and for the present one."""
    issues = rejections(policy, password, user)
    if issues:
        raise Refused("password.rejected", 422, data=issues)
    if user.password is not None and user.password_digest is None and user.password_fits(password):
        raise Refused("user.same_password", 422)


def check_new_email(policy: dict[str, Any], email: str) -> None:
    """Raise 422 for a new e-mail address that the lists of the tenant do not accept."""
    if policy.get("blockSubaddressing") and "+" in email.split("@")[0]:
        raise Refused("session.email_blocklist.email_subaddressing_not_allowed", 422)
    allowed, blocked = policy.get("customAllowlist") or [], policy.get("customBlocklist") or []
    if (allowed and not _is_listed(allowed, email)) or _is_listed(blocked, email):
        raise Refused("session.email_blocklist.email_not_allowed", 422, email=email)


def _is_listed(items: list[str], email: str) -> bool:
    """Return whether a list has the e-mail address, or its domain after "@". "*" stands for any text.

    Logto knows other spellings of addresses of Gmail, too.
    """
    forms = (email.lower(), f"@{email.lower().split('@')[1]}")
    patterns = [re.escape(item.lower()).replace(r"\*", ".*") for item in items]
    return any(re.fullmatch(pattern, form) for pattern in patterns for form in forms)


def check_username(policy: dict[str, Any], username: str) -> None:
    """Raise 422 for a username that the policy of the tenant does not accept. Its form was checked before."""
    if len(username) < policy.get("minLength", 1):
        raise Refused("user.username_too_short", 422)
    if len(username) > policy.get("maxLength", 128):
        raise Refused("user.username_too_long", 422)
    for kind, pattern in _KINDS_OF_CHARACTERS.items():
        if not policy.get("allowedChars", {}).get(kind, True) and re.search(pattern, username):
            raise Refused(f"user.username_{kind}_not_allowed", 422)
