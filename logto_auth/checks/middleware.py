"""Which middleware a site has."""

from __future__ import annotations

from django.conf import settings
from django.utils.module_loading import import_string

__all__ = ["middleware_paths"]


def middleware_paths(expected: type) -> list[str]:
    """Return the entries of MIDDLEWARE that are `expected` or a subclass of it."""
    return [path for path in settings.MIDDLEWARE if _is_middleware(path, expected)]


def _is_middleware(path: str, expected: type) -> bool:
    if path == f"{expected.__module__}.{expected.__qualname__}":
        return True
    try:
        middleware = import_string(path)
    except ImportError:
        return False  # Django itself reports it.
    return isinstance(middleware, type) and issubclass(middleware, expected)
