"""The errors of the protocol layer, without Django.

    LogtoError
    ├── ProviderError             Logto answered with an error, or not as the protocol requires
    │   └── ProviderUnreachable   no answer from Logto, or not in time
    ├── TokenError                a token failed a check
    ├── CallbackError             an authorization response that does not belong to a sign-in of this browser
    └── InvalidSignInOption       a sign-in option that Logto would not accept  (also ValueError)

`logto_auth.exceptions` holds the complete tree, with the classes that Django answers with 400 or 403.
"""

from __future__ import annotations

import re
from typing import Any

__all__ = [
    "CallbackError",
    "InvalidSignInOption",
    "LogtoError",
    "ProviderError",
    "ProviderUnreachable",
    "TokenError",
    "single_line",
]


class LogtoError(Exception):
    """Base class of the errors that happen at run time.

    `code` stays the same from version to version. `status` is the HTTP status of the page that the visitor gets. The
    text is for the operator and never holds a token or a secret.
    """

    code = "logto_error"
    status = 500

    def __init__(self, message: str, *, code: str | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code or self.code
        self.status = status or self.status

    def __reduce__(self) -> tuple[Any, ...]:
        """Let `copy` and `pickle` set the attributes: `__init__` of a subclass may need other arguments than `args`."""
        return _restored, (type(self), self.args), vars(self)


def _restored(cls: type[LogtoError], args: tuple[Any, ...]) -> LogtoError:
    return cls.__new__(cls, *args)


class ProviderError(LogtoError):
    """Logto answered with an error, or with something that the protocol does not allow.

    `error` and `error_description` are those of OAuth, empty when Logto sent none. `retry_after_seconds` is the value
    of the header `Retry-After`, None when Logto sent none.
    """

    code = "provider_error"
    status = 502

    def __init__(
        self,
        message: str,
        *,
        error: str = "",
        error_description: str = "",
        retry_after_seconds: int | None = None,
        code: str | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message, code=code, status=status)
        self.error = error
        self.error_description = error_description
        self.retry_after_seconds = retry_after_seconds


class ProviderUnreachable(ProviderError):
    """Logto did not answer, or not in time. Try again later."""

    code = "provider_unreachable"
    status = 503


class TokenError(LogtoError):
    """A token failed a check. `claim` names the claim, the header or the part that failed first."""

    code = "token_invalid"
    status = 400

    def __init__(self, message: str, *, claim: str) -> None:
        super().__init__(message)
        self.claim = claim


class CallbackError(LogtoError):
    """The authorization response does not belong to a sign-in that this browser has started."""

    code = "callback_invalid"
    status = 400


class InvalidSignInOption(LogtoError, ValueError):
    """A sign-in option has a value that Logto does not accept. Logto would ignore all of its own parameters."""

    code = "invalid_option"
    status = 400


def single_line(value: object, max_length: int = 200) -> str:
    """Return text that Logto or a browser sent as one short line of printable characters, for messages and pages.

    Return an empty string when `value` is not text.
    """
    if not isinstance(value, str):
        return ""
    printable = "".join(character if character.isprintable() else " " for character in value)
    return re.sub(r"\s+", " ", printable)[:max_length].strip()
