"""The URLs of the site under test, as its application at the emulator knows them."""

from __future__ import annotations

from logto_auth.conf import conf
from logto_auth.emulator import Emulator

__all__ = ["register_site"]


def register_site(emulator: Emulator, *base_urls: str) -> None:
    """Register the redirect URIs and post sign-out redirect URIs of a site at these origins.

    They are added to the application `LOGTO_APP_ID`. The paths are those of the URLconf and of `LOGOUT_REDIRECT_URL`.
    """
    # Imported here, because pytest loads this module before the site's settings.
    from logto_auth.tenant.site import post_sign_out_uris, redirect_uris

    application = emulator.tenant.applications[conf.app_id]
    application.redirect_uris += redirect_uris(base_urls)
    application.post_logout_redirect_uris += post_sign_out_uris(base_urls)
