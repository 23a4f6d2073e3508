"""A person with one browser, at the site under test and at the emulator."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.test import Client
from django.urls import reverse

from logto_auth.emulator import Emulator, Visitor
from logto_auth.sign_in.start import sign_in_url


class Browser:
    """Django's test client for the site, a `Visitor` for the emulator; redirects between the two are walked by hand."""

    def __init__(self, emulator: Emulator, client: Client | None = None) -> None:
        self.client = client or Client()
        self.logto = Visitor(emulator)

    def sign_in(self, username: str | None = None, *, next_url: str = "", **options: str) -> Any:
        """Sign in as the account `username` of the emulator, and return the site's answer to the callback.

        Without a name only if Logto has a session already. `options` are sign-in options that a URL may set.
        """
        return self.open(self.logto.sign_in(self.start(next_url, **options), username))

    def start(self, next_url: str = "", **options: str) -> str:
        """Start a sign-in, as the sign-in button does, and return the address at Logto that it leads to."""
        response = self.client.get(sign_in_url(next_url, **options))
        assert response.status_code == 302, response.content.decode()
        location: str = response["Location"]
        return location

    def open(self, url: str) -> Any:
        """The site's answer at `url`, of which only path and query count."""
        parts = urlsplit(url)
        return self.client.get(f"{parts.path}?{parts.query}" if parts.query else parts.path)

    def sign_out(self) -> str:
        """Sign out here and at Logto, and return the address that Logto sends the browser to at last."""
        response = self.client.post(reverse("logto_auth:sign-out"))
        assert response.status_code == 302, response.content.decode()
        return self.logto.sign_out(response["Location"])
