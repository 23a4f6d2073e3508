"""To which redirect URIs a client may send users."""

from __future__ import annotations

from logto_auth.emulator.state.application_record import Application

from .redirect_uris import raw_redirect_uri_allowed, redirect_uri_allowed


def allows_redirect_uri(client: Application, uri: str) -> bool:
    """Return whether the client may receive authorization responses at `uri`."""
    if client.is_dynamic:
        return raw_redirect_uri_allowed(uri, client.redirect_uris, any_loopback_port=True)
    return redirect_uri_allowed(uri, client.redirect_uris, native=client.type == "Native")


def allows_post_logout_redirect_uri(client: Application, uri: str) -> bool:
    """Return whether the client may send users to `uri` after a sign-out."""
    if client.is_dynamic:
        return raw_redirect_uri_allowed(uri, client.post_logout_redirect_uris, any_loopback_port=False)
    return redirect_uri_allowed(uri, client.post_logout_redirect_uris, native=client.type == "Native")
