"""Read what the Management API returns. An answer of another shape is an error of Logto, not of its caller."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from logto_auth.oidc.claims import storable

from .errors import ManagementAPIError

__all__ = ["is_suspended", "is_unknown", "optional_text", "plain_text", "read"]

P = ParamSpec("P")
R = TypeVar("R")


def read(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function that reads an answer: it raises ManagementAPIError if a key or a type is not as expected."""

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError) as error:
            # Without the error itself, whose text may have personal data.
            raise ManagementAPIError(
                f"The Management API answered in an unknown way ({type(error).__name__} in {function.__name__}).",
                code="unexpected_body",
                status=502,
            ) from None

    return wrapper


def is_unknown(error: ManagementAPIError) -> bool:
    """Return whether Logto has answered that there is no such thing.

    A proxy between may answer 404 as well, which must not look like a member who is gone.
    """
    return error.is_not_found


@read
def is_suspended(user: Mapping[str, Any]) -> bool:
    """Return whether a user is suspended. Raise ManagementAPIError if the answer does not say so."""
    value = user["isSuspended"]
    if not isinstance(value, bool):
        raise TypeError
    return value


def plain_text(value: object) -> str:
    """Return a text of an answer, as a page can show it and a database can store it. Raise TypeError if it is none."""
    if not isinstance(value, str):
        raise TypeError
    return storable(value)


def optional_text(value: object) -> str:
    """Return a text that may be null, then as ""."""
    return "" if value is None else plain_text(value)
