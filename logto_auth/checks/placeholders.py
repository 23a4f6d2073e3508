"""Values that were copied from the documentation and not replaced."""

from __future__ import annotations

import re

__all__ = ["is_placeholder"]

PLACEHOLDER = re.compile(
    r"[<>{}]|\byour[-_ ](app|client|endpoint|logto|own|secret|tenant)|change[-_ ]?me|placeholder|^[x.]+$|^todo$",
    re.IGNORECASE,
)


def is_placeholder(value: str) -> bool:
    """Return whether a value is meant to be replaced, such as `<your-app-id>`."""
    return bool(PLACEHOLDER.search(value))
