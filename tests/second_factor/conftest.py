"""A site that requires second factors, with a tenant that has the script and offers factors."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache

from logto_auth.emulator import Emulator
from logto_auth.tenant.claims_script import merged_script
from logto_auth.testing import Browser

RESOURCE = "https://shop.example/api"
PASSWORD = "reader-password-1"
SCOPES = ["openid", "offline_access", "profile", "email", "phone", "roles", "identities"]


@pytest.fixture
def vault_site(logto: Emulator, settings: Any) -> Emulator:
    """Return the emulator, for the site of `urls`."""
    settings.ROOT_URLCONF = "tests.second_factor.urls"
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": []}]
    settings.LOGTO_SECOND_FACTOR = True
    settings.LOGTO_API_RESOURCE = RESOURCE
    settings.LOGTO_SCOPES = SCOPES
    cache.clear()
    logto.tenant.enable_account_center()
    logto.tenant.add_resource(RESOURCE)
    logto.tenant.jwt_customizers["jwt.accessToken"] = {"script": merged_script("")}
    set_policy(logto, "NoPrompt")
    return logto


def set_policy(logto: Emulator, policy: str, factors: tuple[str, ...] = ("Totp", "WebAuthn", "BackupCode")) -> None:
    """Let the tenant offer these factors, and let it ask for them by this policy."""
    logto.tenant.sign_in_experience.settings["mfa"] = {"factors": list(factors), "policy": policy}
    cache.clear()


class Guest:
    """A user at Logto with a browser at the site."""

    def __init__(self, logto: Emulator, user: Any) -> None:
        self.logto = logto
        self.browser = Browser(logto)
        self.client = self.browser.client
        self.user = user
        self.secret = ""
        self.codes: list[str] = []

    def get(self, url: str, **headers: str) -> Any:
        return self.client.get(url, headers=headers)

    def add_totp(self) -> None:
        """Have an authenticator app at Logto."""
        self.secret = self.logto.tenant.add_totp(self.user)

    def add_codes(self) -> None:
        """Have backup codes at Logto."""
        self.codes = self.logto.tenant.add_backup_codes(self.user)

    def sign_in(self, **options: Any) -> Any:
        """Sign in with what the user has at Logto."""
        return self.browser.sign_in(self.user.username, totp_secret=self.secret, **options)

    def travel(self, location: str, **ways: str) -> Any:
        """Return the response of the callback, after the sign-in at Logto to which the page at `location` leads.

        The user enters all that Logto asks for; `ways` replace the code of the app.
        """
        url = self.go(location)
        self.logto.clock.advance(60)  # a code of the app works once
        ways = ways or {"totp_secret": self.secret}
        return self.browser.open(self.browser.logto.sign_in(url, self.user.username, **ways))

    def go(self, location: str) -> str:
        """Return the URL at Logto to which the site redirects from `location`."""
        for _ in range(5):
            response = self.client.get(location)
            assert response.status_code == 302, (location, response.content.decode())
            location = response["Location"]
            if location.startswith(self.logto.endpoint):
                return location
        raise AssertionError("The redirects do not lead to Logto.")


@pytest.fixture
def guest_of(vault_site: Emulator) -> Any:
    """Return a function that adds a user at Logto."""

    def guest(username: str = "reader", **values: Any) -> Guest:
        values = {"password": PASSWORD, "primary_email": f"{username}@example.com", **values}
        return Guest(vault_site, vault_site.tenant.add_user(username=username, **values))

    return guest


@pytest.fixture
def guest(guest_of: Any) -> Guest:
    """Return a user at Logto who has a password and nothing else."""
    return guest_of()
