"""The client of Logto's Account API and Verification API: one user's own account. It does not use Django.

    api = AccountAPI(endpoint="https://abc123.logto.app", http=http, access_token=token, scopes=scopes)
    api.update(name="Ada")

In a Django project, `request.logto.account` has the same methods for the signed-in user. `client` has the methods,
`types` what they return, `errors` what they raise, `answers` turns Logto's answers into these errors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .client import AccountAPI

__all__ = ["AccountAPI"]


def __getattr__(name: str) -> object:
    """Import the client when it is first used. `logto_auth.exceptions` needs only the errors, at every start."""
    if name != "AccountAPI":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .client import AccountAPI

    return AccountAPI
