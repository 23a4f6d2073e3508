"""The parts of a project that pages for signed-in users need."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.middleware import SessionMiddleware

from logto_auth.middleware import LogtoMiddleware

from .middleware import middleware_paths
from .sign_in import sign_in_path, signs_users_in


def missing_parts() -> Iterator[str]:
    """Yield each part that pages for signed-in users need and that the project lacks."""
    needed: dict[str, type] = {
        "SessionMiddleware": SessionMiddleware,
        "AuthenticationMiddleware": AuthenticationMiddleware,
    }
    if not signs_users_in():
        # Otherwise E026 reports it.
        needed["LogtoMiddleware"] = LogtoMiddleware
    for name, middleware in needed.items():
        if not middleware_paths(middleware):
            yield f"{name} in MIDDLEWARE"
    if sign_in_path() is None and not signs_users_in():
        # Otherwise E030 reports it.
        yield "the views of logto_auth.urls"
