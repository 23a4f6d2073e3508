"""A user's browser, at the site under test and at the emulator."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from logto_auth.emulator import Emulator, Visitor
from logto_auth.exceptions import LogtoError
from logto_auth.signals import sign_in_refused

__all__ = ["Browser"]


class _ErrorPage(HttpResponse):
    """The response of a failed sign-in."""

    error: LogtoError

    @classmethod
    def of(cls, response: Any, error: LogtoError) -> Any:
        """Return the same response, with what Django's test client has added to it."""
        response.__class__ = cls
        response.error = error
        return response

    @property
    def url(self) -> str:
        """Raise AssertionError: a test that expects a redirect then fails with the reason."""
        raise AssertionError(f"The sign-in failed: {self.error} ({self.error.code})")


class Browser:
    """A browser made of Django's test client for the site (`client`) and a `Visitor` for the emulator (`logto`).

    Each method follows its redirects between the site and the emulator.
    """

    def __init__(self, emulator: Emulator, client: Client | None = None) -> None:
        self.client = client or Client()
        self.logto = Visitor(emulator)

    def sign_in(
        self,
        username: str | None = None,
        *,
        next_url: str = "",
        totp_secret: str = "",
        backup_code: str = "",
        **options: str,
    ) -> Any:
        """Sign in as the user `username` of the emulator, and return the response of the site's callback.

        `username` can be omitted if this browser is signed in at the emulator. `totp_secret` or `backup_code` is for a
        user with a second factor, as in `Visitor.sign_in`. `options` are sign-in options that a URL can set. Raise
        `VisitFailed` if the emulator does not sign the user in. If the site does not sign the user in, the response is
        the error page, and reading its `url` raises an AssertionError with the reason.
        """
        url = self.start(next_url, **options)
        callback = self.logto.sign_in(url, username, totp_secret=totp_secret, backup_code=backup_code)
        errors: list[LogtoError] = []

        def note(error: LogtoError, **kwargs: Any) -> None:
            errors.append(error)

        sign_in_refused.connect(note)
        try:
            response = self.open(callback)
        finally:
            sign_in_refused.disconnect(note)
        return _ErrorPage.of(response, errors[0]) if errors else response

    def start(self, next_url: str = "", **options: str) -> str:
        """Start a sign-in, like the sign-in button, and return the URL at Logto to which the site redirects."""
        # Imported here, because pytest loads this module before the site's settings.
        from logto_auth.sign_in.start import sign_in_url

        response = self.client.get(sign_in_url(next_url, **options))
        assert response.status_code == 302, response.content.decode()
        location: str = response["Location"]
        return location

    def open(self, url: str) -> Any:
        """Return the site's response to a GET of `url`. Only its path and query are used."""
        parts = urlsplit(url)
        return self.client.get(f"{parts.path}?{parts.query}" if parts.query else parts.path)

    def sign_out(self) -> str:
        """Sign out of the site and of Logto, and return the URL to which Logto finally redirects the browser."""
        response = self.client.post(reverse("logto_auth:sign-out"))
        assert response.status_code == 302, response.content.decode()
        return self.logto.sign_out(response["Location"])
