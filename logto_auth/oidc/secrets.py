"""Secret texts that do not show up in tracebacks, error reports and logs (decision 0026)."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

__all__ = ["Secret", "as_secret", "hide_frames"]

P = ParamSpec("P")
R = TypeVar("R")


class Secret:
    """A secret text, such as a token: it has no readable representation, and only `reveal()` returns the text.

    It is not a `str`, so that code that would print, join or send it by mistake fails or shows "[hidden]".
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text. Call this only where the text is sent, stored or compared, not to keep it in a variable."""
        return self._text

    def __repr__(self) -> str:
        return "[hidden]"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_encoded(self), _encoded(other))

    def __hash__(self) -> int:
        return hash(self._text)

    def __bool__(self) -> bool:
        return bool(self._text)


def as_secret(text: str | Secret) -> Secret:
    """Return `text` as a secret. A function that accepts plain text, too, begins with `text = as_secret(text)`."""
    return text if isinstance(text, Secret) else Secret(text)


def _encoded(secret: Secret) -> bytes:
    return secret.reveal().encode("utf-8", "surrogatepass")


def hide_frames(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function that passes revealed secrets on: an error that leaves it has no frames from inside.

    Libraries keep secrets as plain text in their variables, and error pages and reports show the variables of all
    frames, also of the errors that led to an error.
    """

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            # The arguments would still be visible in this frame.
            del args, kwargs
            raise error.with_traceback(None) from None

    return wrapper
