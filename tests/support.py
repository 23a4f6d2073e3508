"""Shared by tests of attacks: checks that an attack has failed, and hooks for settings that take a dotted path."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from django.conf import settings
from django.contrib.auth import SESSION_KEY, get_user_model
from django.test import Client

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.encryption import decrypt
from logto_auth.exceptions import SignInRefused
from logto_auth.models import LogtoIdentity, LogtoSession
from logto_auth.sign_in.state import COOKIE_PREFIX
from logto_auth.testing import Browser
from logto_auth.users.claims import user_fields

# The start of every JWT: `{"` in base64url.
JWT_START = "eyJ"
# Encrypted text may contain these letters, too.
JWT = re.compile(rf"(?<![\w-]){JWT_START}")

# Faults that have the same result at every endpoint, with the code on the page and its status.
BROKEN = [
    pytest.param(HttpFault(status=500, body="<h1>Oops</h1>"), "provider_error", 502, id="500"),
    pytest.param(HttpFault(status=502), "provider_error", 502, id="502"),
    pytest.param(HttpFault(status=404, body="{}"), "provider_error", 502, id="404"),
    pytest.param(HttpFault(body="<html>Sign in to this Wi-Fi</html>"), "provider_error", 502, id="html"),
    pytest.param(HttpFault(body=b""), "provider_error", 502, id="empty"),
    pytest.param(HttpFault(body="[]"), "provider_error", 502, id="list"),
    pytest.param(HttpFault(body="null"), "provider_error", 502, id="null"),
    pytest.param(HttpFault(body=b"\xff\xfe\x00\x01"), "provider_error", 502, id="garbage"),
    pytest.param(HttpFault(body=b'{"a":' * 100_000), "provider_error", 502, id="nested"),
    pytest.param(HttpFault(body=b'{"a": 1' + b"0" * 100_000 + b"}"), "provider_error", 502, id="digits"),
    pytest.param(HttpFault(body=b"x" * 10_000_000), "provider_error", 502, id="10-MB"),
    pytest.param(HttpFault(status=302, headers={"Location": "http://localhost:9/"}), "provider_error", 502, id="302"),
    pytest.param(HttpFault(status=307, headers={"Location": "/oidc/token"}), "provider_error", 502, id="307"),
    pytest.param(HttpFault(status=304), "provider_error", 502, id="304"),
    pytest.param(HttpFault(drop=True), "provider_unreachable", 503, id="connection-reset"),
    pytest.param(HttpFault(truncate_after=20), "provider_unreachable", 503, id="truncated"),
    pytest.param(HttpFault(delay_seconds=0.6), "provider_timeout", 504, id="timeout"),
    pytest.param(HttpFault(drip_seconds=0.02), "provider_timeout", 504, id="slow-drip"),
]
# One of each kind, for all endpoints but the first: the HTTP client and its errors are the same.
SOME_BROKEN = [fault for fault in BROKEN if fault.id in ("500", "list", "connection-reset", "timeout")]


class Witness:
    """Checks one browser, the database and the log."""

    def __init__(self, browser: Browser, logto: Emulator, log: Any) -> None:
        self.browser = browser
        self.logto = logto
        self._log = log

    def sees_refused(self, attack: Callable[[], Any], code: str, status: int) -> Any:
        """Return the response to `attack`, after checking that it was refused and changed nothing.

        `response.line` is the log line.
        """
        assert 400 <= status < 600
        assert status != 500
        before = state_of_the_site(self.browser.client)
        self._log.clear()
        response = attack()
        assert (response.status_code, code_on(response)) == (status, code), self._log.text
        assert response["Content-Type"] == "text/html; charset=utf-8"
        assert response["Cache-Control"] == "no-store"
        assert response["Referrer-Policy"] == "same-origin"
        assert response["X-Frame-Options"] == "DENY"
        assert state_of_the_site(self.browser.client) == before
        lines = [record for record in self._log.records if record.name == "logto_auth"]
        assert [record.code for record in lines] == [code], self._log.text
        assert "\n" not in lines[0].getMessage()
        assert lines[0].levelno == (logging.ERROR if status >= 500 else logging.WARNING)
        self.sees_no_secret_in(self._log.text)
        self.sees_no_secret_in(response.content.decode())
        self._log.clear()
        response.line = lines[0].getMessage()
        return response

    def sees_signed_in(self, response: Any) -> Any:
        """Return the user who is signed in after `response`, a redirect to a page of the site."""
        assert response.status_code == 302, self._log.text
        sub = response.wsgi_request.logto.sub
        user = LogtoIdentity.objects.get(sub=sub).user
        assert signed_in_user_key(self.browser.client) == str(user.pk)
        assert [record for record in self._log.records if record.name == "logto_auth"] == []
        return user

    def sees_no_secret_in(self, text: str) -> None:
        assert not JWT.search(text)
        leaked = [secret for secret in self._secrets() if secret in text]
        assert leaked == []

    def _secrets(self) -> Iterator[str]:
        yield settings.LOGTO_APP_SECRET
        instances = self.logto.instances
        for tokens in (instances.codes, instances.access_tokens, instances.refresh_tokens):
            yield from tokens
        for request in self.logto.requests.to("auth"):
            for name in ("state", "nonce"):
                yield from request.query.get(name, [])
        for cookie in pending_cookies(self.browser.client).values():
            pending = decrypt(cookie, purpose="sign-in") or {}
            yield from filter(None, (pending.get(name) for name in ("state", "nonce", "code_verifier")))


def row_of(browser: Browser) -> LogtoSession:
    """Return the row of the session of `browser`."""
    return LogtoSession.objects.get(pk=browser.client.session["_logto_session"])


def code_on(response: Any) -> str:
    """Return the error code on an error page."""
    return response.content.decode().partition("<code>")[2].partition("</code>")[0]


def state_of_the_site(client: Client) -> dict[str, Any]:
    """Return everything that an attack must not change: users, sessions, and who is signed in."""
    models = (get_user_model(), LogtoIdentity, LogtoSession)
    return {
        **{model.__name__: list(model.objects.order_by("pk").values()) for model in models},
        "groups": sorted(get_user_model().groups.through.objects.values_list("user_id", "group_id")),
        "signed in": signed_in_user_key(client),
    }


def signed_in_user_key(client: Client) -> str | None:
    """Return the key of the signed-in user. Unlike `Client.session`, this creates no session."""
    return client.session.get(SESSION_KEY) if settings.SESSION_COOKIE_NAME in client.cookies else None


def pending_cookies(client: Client) -> dict[str, str]:
    """Return the cookies of pending sign-ins."""
    return {name: morsel.value for name, morsel in client.cookies.items() if COOKIE_PREFIX in name and morsel.value}


def query_of(url: str) -> dict[str, str]:
    """Return the parameters of `url`. Each must have one value."""
    return {name: value for name, (value,) in parse_qs(urlsplit(url).query, keep_blank_values=True).items()}


def with_query(url: str, *more: tuple[str, str], **changes: str | None) -> str:
    """Return `url` with parameters changed, or removed by None, and `more` appended."""
    parts = urlsplit(url)
    pairs = [
        (name, changes.pop(name) if name in changes else value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    kept = [(name, value) for name, value in [*pairs, *changes.items(), *more] if value is not None]
    return parts._replace(query=urlencode(kept)).geturl()


def changed_claims(**changes: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return a fault that changes claims or header members; `...` removes one."""

    def change(claims: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in {**claims, **changes}.items() if value is not ...}

    return change


# Hooks for settings


def trust_every_address(claims: Any) -> bool:
    return True


def trust_addresses_of_the_house(claims: Any) -> bool:
    return claims["email"].endswith("@house.example")


def say_something_truthy(claims: Any) -> Any:
    return "yes"


def refuse_everyone(claims: Any) -> dict[str, Any]:
    raise SignInRefused("Closed today.", visitor_message="<script>alert(1)</script> Closed today.")


def refuse_in_private(claims: Any) -> dict[str, Any]:
    raise SignInRefused("This user is on the fraud list.", code="on_the_fraud_list")


def fail(claims: Any) -> dict[str, Any]:
    raise RuntimeError("The site's own function is broken.")


# Set by the test of two parallel first sign-ins: both wait for each other.
meeting: threading.Barrier | None = None


def meet_then_map(claims: Any) -> dict[str, Any]:
    if meeting is not None:
        meeting.wait(timeout=10)
    return user_fields(claims)
