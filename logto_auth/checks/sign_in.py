"""Whether the site signs users in. A site that only accepts access tokens needs fewer settings."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.urls import NoReverseMatch, reverse

from logto_auth.conf import Conf, Setting

from .lenient_conf import conf

SIGN_IN_VIEW = "logto_auth:sign-in"


def signs_users_in() -> bool:
    """Return whether the site signs users in, or is partly configured for it.

    An API without sign-in needs no application, sessions or backend. An incomplete sign-in still counts as sign-in, so
    that the checks report what is missing.
    """
    has_application = bool(conf.app_id or conf.app_secret)
    return (
        not conf.api_resource
        or settings.LOGIN_URL == SIGN_IN_VIEW
        or sign_in_path() is not None
        # Introspection needs an application too.
        or (has_application and not conf.api_introspected_apps)
    )


def missing_credentials() -> Iterator[Setting[str]]:
    """Yield the settings without which no request to Logto succeeds, and which are empty.

    None is a wrong type, which is reported as such.
    """
    needed = [Conf.endpoint, *([Conf.app_id, Conf.app_secret] if signs_users_in() else [])]
    yield from (setting for setting in needed if setting.site_value == "")


def sign_in_path() -> str | None:
    """Return the path of the sign-in view, or None if the site's URLs do not contain it."""
    return url_path(SIGN_IN_VIEW)


def url_path(view: str) -> str | None:
    """Return the path of a view, or None if the site's URLs do not contain it."""
    if not getattr(settings, "ROOT_URLCONF", None):
        return None
    try:
        return reverse(view)
    except NoReverseMatch:
        return None
