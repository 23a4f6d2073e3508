"""The mark of users at Logto whom `logto_migrate` has created, in their `customData`.

With it, a run after a crash links the users of the first run, and a rollback deletes no other users. A user may be able
to edit `customData`, so the mark is signed: it is only valid for one account of this site.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.core.signing import BadSignature, Signer

from logto_auth.conf import conf

__all__ = ["MARK", "is_marked", "mark_of"]

MARK: Final = "logtoAuthMigration"


def mark_of(account: Any) -> str:
    """Return the mark of the user that is created for this account."""
    return _signer().signature(_text(account))


def is_marked(user: Mapping[str, Any], account: Any) -> bool:
    """Return whether this site has created the user at Logto, for this account."""
    custom_data = user.get("customData")
    mark = custom_data.get(MARK) if isinstance(custom_data, Mapping) else None
    if not isinstance(mark, str):
        return False
    try:
        # With SECRET_KEY_FALLBACKS.
        _signer().unsign(f"{_text(account)}:{mark}")
    except BadSignature:
        return False
    return True


def _signer() -> Signer:
    return Signer(salt="logto_auth.sync.marks")


def _text(account: Any) -> str:
    return f"{conf.issuer} {account.pk}"
