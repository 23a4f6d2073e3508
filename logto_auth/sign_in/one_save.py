"""One save of Django's session at a sign-in in a browser that has none."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest

from logto_auth.signals import signed_in

from .one_commit import runs_code_of_site

__all__ = ["save_once"]

SESSION_MIDDLEWARE = "django.contrib.sessions.middleware.SessionMiddleware"
SESSION_ENGINES = "django.contrib.sessions.backends."
OWN_MIDDLEWARE = ("django.", "logto_auth.")


def save_once(request: HttpRequest, user: AbstractBaseUser) -> None:
    """Prepare Django's `login()`, so that a new session is saved once: at the end of the request.

    `login()` gives a session without a user a new key, and saves it for that. A session that has no key yet gets one
    when it is saved, so there is none that an attacker could know. `login()` leaves a session as it is if `user` is in
    it already, and the session has its key only after the view. So this does nothing if the session has a key, or if
    code of the site could look for the key until then.
    """
    session = request.session
    # The order matters: a cookie may name a session that does not exist, and Django notices when it loads the session.
    if SESSION_KEY in session or session.session_key is not None or _may_need_session_key(request):
        return
    session[SESSION_KEY] = user._meta.pk.value_to_string(user)
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()


def _may_need_session_key(request: HttpRequest) -> bool:
    """Return whether code of the site runs between `login()` and the save of the session."""
    return (
        runs_code_of_site()
        or bool(signed_in.receivers)
        or not type(request.session).__module__.startswith(SESSION_ENGINES)
        or _has_middleware_of_site(tuple(settings.MIDDLEWARE))
    )


@lru_cache(maxsize=8)
def _has_middleware_of_site(middleware: Sequence[str]) -> bool:
    """Return whether a response passes middleware of the site, or of other packages, before the session is saved."""
    if SESSION_MIDDLEWARE not in middleware:
        return True
    inner = middleware[middleware.index(SESSION_MIDDLEWARE) + 1 :]
    return not all(path.startswith(OWN_MIDDLEWARE) for path in inner)
