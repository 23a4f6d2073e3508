"""A simple relying party. It builds requests and decodes answers, and verifies nothing."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import requests
from authlib.common.security import generate_token
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from logto_auth.emulator import Application, Emulator, Visitor

CALLBACK = "http://localhost:8000/callback"
VERIFIER = generate_token(64)
CHALLENGE = create_s256_code_challenge(VERIFIER)


class RelyingParty:
    """The relying party of one application."""

    def __init__(self, emulator: Emulator, application: Application, redirect_uri: str = CALLBACK) -> None:
        self.emulator = emulator
        self.application = application
        self.redirect_uri = redirect_uri
        self.http = requests.Session()
        self.http.trust_env = False

    # Authorization

    def authorization_url(self, **changes: Any) -> str:
        """Return an authorization URL. A change of None removes the parameter."""
        parameters = {
            "client_id": self.application.id,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "scope": "openid profile offline_access",
            "state": "st",
            "nonce": "n",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "prompt": "consent",
            **changes,
        }
        sent = {name: value for name, value in parameters.items() if value is not None}
        return f"{self.emulator.endpoint}/oidc/auth?{urlencode(sent, doseq=True)}"

    def authorize(self, **changes: Any) -> requests.Response:
        """Send an authorization request without cookies and return the first response."""
        return requests.get(self.authorization_url(**changes), allow_redirects=False, timeout=10)

    def sign_in(
        self, username: str = "customer", visitor: Visitor | None = None, *, totp_secret: str = "", **changes: Any
    ) -> dict[str, Any]:
        """Sign in and return the token response."""
        response = self.exchange(self.code(username, visitor, totp_secret=totp_secret, **changes))
        assert response.status_code == 200, response.text
        return response.json()

    def code(
        self, username: str = "customer", visitor: Visitor | None = None, *, totp_secret: str = "", **changes: Any
    ) -> str:
        """Sign in and return the code."""
        fresh = visitor or Visitor(self.emulator)
        callback = fresh.sign_in(self.authorization_url(**changes), username, totp_secret=totp_secret)
        if visitor is None:
            fresh.close()
        return parameters_of(callback)["code"]

    # Token endpoint

    def post(self, path: str, *, authenticate: bool = True, **fields: Any) -> requests.Response:
        """Post a form to `/oidc/<path>` with the client authentication of the application."""
        fields = {name: value for name, value in fields.items() if value is not None}
        auth = (self.application.id, self.application.secret) if self.application.secret and authenticate else None
        if not self.application.secret and authenticate:
            fields["client_id"] = self.application.id
        return self.http.post(f"{self.emulator.endpoint}/oidc/{path}", data=fields, auth=auth, timeout=10)

    def exchange(self, code: str, **changes: Any) -> requests.Response:
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": VERIFIER,
            **changes,
        }
        return self.post("token", **fields)

    def refresh(self, refresh_token: str, **changes: Any) -> requests.Response:
        return self.post("token", grant_type="refresh_token", refresh_token=refresh_token, **changes)

    def userinfo(self, access_token: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {access_token}"}
        return self.http.get(f"{self.emulator.endpoint}/oidc/me", headers=headers, timeout=10)

    def end_session_url(self, **parameters: str) -> str:
        return f"{self.emulator.endpoint}/oidc/session/end?{urlencode(parameters)}"


def parameters_of(url: str) -> dict[str, str]:
    """Return the query parameters of a URL."""
    return dict(parse_qsl(urlsplit(url).query))


def repeated_parameters_of(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query)


def header_of(token: str) -> dict[str, Any]:
    """Return a JWT's header, unverified."""
    return _decoded(token.split(".")[0])


def claims_of(token: str) -> dict[str, Any]:
    """Return a JWT's claims, unverified."""
    return _decoded(token.split(".")[1])


def _decoded(part: str) -> dict[str, Any]:
    return json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def wait_until(condition: Any, seconds: float = 30) -> None:
    """Wait until the condition is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"The condition was not true within {seconds} seconds."
        time.sleep(0.01)
