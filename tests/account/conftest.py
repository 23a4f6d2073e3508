"""A small site with the account pages, and a user who is signed in there."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache import cache
from django.http import HttpResponse
from django.test import RequestFactory

from logto_auth.emulator import Emulator
from logto_auth.emulator.state.message_connectors import MESSAGE_FACTORIES
from logto_auth.emulator.state.social_connectors import Connector
from logto_auth.sessions.principal import SessionPrincipal, session_principal
from logto_auth.testing import Browser

SCOPES = ["openid", "offline_access", "profile", "email", "phone", "address", "custom_data", "identities"]
SESSIONS_SCOPE = "urn:logto:scope:sessions"
PASSWORD = "reader-password-1"


class Reader:
    """The signed-in user of a browser, at the account pages."""

    def __init__(self, browser: Browser, logto: Emulator, user: Any) -> None:
        self.browser = browser
        self.client = browser.client
        self.logto = logto
        self.user = user
        """The user at Logto."""

    def get(self, path: str = "", **query: str) -> Any:
        return self.client.get(f"/account/{path}", query)

    def post(self, path: str, action: str, **data: Any) -> Any:
        return self.client.post(f"/account/{path}", {"action": action, **data})

    @property
    def principal(self) -> SessionPrincipal:
        """What `request.logto` is in the next request."""
        return session_principal(self.request)

    @property
    def request(self) -> Any:
        """A new request of the session."""
        request: Any = RequestFactory().get("/")
        request.session = SessionStore(self.client.session.session_key)
        request.user = get_user(request)
        return request

    def verify(self) -> None:
        """Prove with the password who the user is, for the session."""
        self.principal.account.verify_password(PASSWORD)

    def forget_verification(self) -> None:
        """Let the record of the session expire."""
        self.principal.account.forget_verification()


@pytest.fixture
def account_site(logto: Emulator, settings: Any) -> Emulator:
    """Return the emulator with the account center on, for a site that has the account pages and their scopes."""
    settings.ROOT_URLCONF = "tests.account.urls"
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": []}]
    settings.LOGTO_SCOPES = [*SCOPES, SESSIONS_SCOPE]
    cache.clear()
    logto.tenant.enable_account_center()
    add_message_connectors(logto)
    return logto


@pytest.fixture
def reader_of(account_site: Emulator) -> Any:
    """Return a function that adds a user at Logto, signs them in, and returns them."""

    def sign_in(username: str = "reader", **values: Any) -> Reader:
        values = {
            "password": PASSWORD,
            "primary_email": f"{username}@example.com",
            "primary_phone": None,
            "name": "Ada Reader",
            **values,
        }
        user = account_site.tenant.add_user(username=username, **values)
        browser = Browser(account_site)
        response = browser.sign_in(username)
        assert response.status_code == 302
        return Reader(browser, account_site, user)

    return sign_in


@pytest.fixture
def reader(reader_of: Any) -> Reader:
    """Return a user who is signed in, with username, password and e-mail address."""
    return reader_of()


def add_message_connectors(logto: Emulator) -> None:
    """Let Logto send e-mails and text messages, which the emulator keeps."""
    for factory_id in ("simple-mail-transfer-protocol", "twilio-short-message-service"):
        config = {"templates": [{"usageType": "Generic", "content": "{{code}}"}]}
        connector = Connector(MESSAGE_FACTORIES[factory_id], config)
        logto.tenant.sign_in_experience.connector_instances[connector.id] = connector


def step_in(response: HttpResponse) -> str:
    """Return the hidden step of the form in a page."""
    found = re.search(r'name="step" value="([^"]+)"', response.content.decode())
    assert found, response.content.decode()
    return found[1]


def text_of(response: HttpResponse) -> str:
    """Return the text of a page, without markup and with single spaces."""
    page = re.sub(r"<(style|select).*?</\1>", "", response.content.decode(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())
