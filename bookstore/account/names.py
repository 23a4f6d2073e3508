"""The display name of a user, who may have only an Alipay account."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def display_name(user: "User", claims: Mapping[str, Any]) -> str:
    """Return the full name, else Logto's name or username, else "Reader".

    Django's username is used only for users who did not sign in through Logto; for the others it may be an id.
    """
    candidates = (user.get_full_name(), claims.get("name"), claims.get("username"))
    names = [*candidates] if claims else [*candidates, user.get_username()]
    return next((str(name).strip() for name in names if name and str(name).strip()), _("Reader"))


def initials(name: str) -> str:
    """Return one or two letters for the round picture: "JA" for two words, one character for 曹雪芹."""
    words = name.split()
    if not words:
        return ""
    last = words[-1][0] if len(words) > 1 else ""
    return (words[0][0] + last).upper()
