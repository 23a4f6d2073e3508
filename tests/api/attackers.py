"""Shared by the attacks on APIs: tokens, the attacked APIs, and checks that an attack has failed."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Collection, Mapping
from typing import Any

from django.contrib.sessions.models import Session
from django.test import Client

from logto_auth.emulator import Emulator
from tests.support import JWT_START, changed_claims, state_of_the_site

from . import attacked_urls

API = "https://bookstore.example/api"
METADATA_URL = "http://testserver/.well-known/oauth-protected-resource/api"
APP = "someapp00000000000001"

PARAMETER = r'[a-z_]+="[\x20\x21\x23-\x5b\x5d-\x7e]*"'
CHALLENGE = re.compile(rf"Bearer {PARAMETER}(, {PARAMETER})*")
RFC_6750_ERRORS = {"invalid_request", "invalid_token", "insufficient_scope"}
# Refusals of valid tokens, and of requests without a token, are not logged.
UNLOGGED = {"insufficient_scope", None}


class TokenMaker:
    """Make access tokens as Logto does, for one user, with any faults."""

    def __init__(self, logto: Emulator, sub: str) -> None:
        self.logto = logto
        self.sub = sub

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Return the claims of a valid token for the API resource, with `changes`; `...` removes a claim."""
        now = int(time.time())
        good = {
            "jti": f"jti-{time.monotonic_ns()}",
            "sub": self.sub,
            "iat": now,
            "exp": now + 3600,
            "scope": "read:books write:books manage:stock",
            "client_id": APP,
            "iss": self.logto.issuer,
            "aud": API,
        }
        return changed_claims(**changes)(good)

    def __call__(self, header: Mapping[str, Any] | None = None, /, key: Any = None, **changes: Any) -> str:
        """Return a token that is signed by Logto's key, or by `key`."""
        return self.sign(self.claims(**changes), header, key)

    def sign(self, claims: object, header: Mapping[str, Any] | None = None, key: Any = None) -> str:
        return self.logto.sign(claims, header={"typ": "at+jwt", **(header or {})}, key=key)

    def for_organization(self, id: str, **changes: Any) -> str:
        """Return an organization token."""
        return self(aud=f"urn:logto:organization:{id}", **changes)


class Door:
    """One API of the small site, with checks that an attack on it has no effect."""

    def __init__(self, name: str, path: str, log: Any) -> None:
        self.name = name
        self.path = path
        self._log = log

    def __repr__(self) -> str:
        return self.name

    def of(self, organization_id: str) -> Door:
        """Return the same API at the URL that selects an organization."""
        return Door(self.name, f"{self.path}/{organization_id}", self._log)

    def call(self, token: str | None, *, client: Client | None = None, **headers: str) -> Any:
        """Return the response to a request with `token` in its header."""
        credentials = {} if token is None else {"Authorization": f"Bearer {token}"}
        return (client or Client()).get(self.path, headers={**credentials, **headers})

    def sees_served(self, token: str, *, client: Client | None = None, **headers: str) -> dict[str, Any]:
        """Return the response of the view to a valid token."""
        response = self._watched(token, client, headers)
        assert response.status_code == 200, (self, response.content, self._log.text)
        assert len(attacked_urls.ran) == 1
        assert "WWW-Authenticate" not in response
        assert [record for record in self._log.records if record.name == "logto_auth"] == []
        answer: dict[str, Any] = response.json()
        return answer

    def sees_refused(
        self,
        token: str | None,
        status: int,
        error: str | None,
        *,
        claim: str | Collection[str] = (),
        client: Client | None = None,
        **headers: str,
    ) -> Any:
        """Return the response to an attack, after checking that it is this refusal and had no other effect."""
        response = self._watched(token, client, headers)
        assert response.status_code == status, (self, response.content, self._log.text)
        assert attacked_urls.ran == []
        assert response["Content-Type"].startswith("application/json")
        self._sees_challenge(response, status, error)
        self._sees_one_line(error, claim)
        return response

    def _watched(self, token: str | None, client: Client | None, headers: Mapping[str, str]) -> Any:
        """Return the response, after checking that nothing was written and no token was shown."""
        del attacked_urls.ran[:]
        before = _state(client)
        self._log.clear()
        response = self.call(token, client=client, **headers)
        assert _state(client) == before
        assert not response.cookies
        told = f"{response.headers}{response.content.decode()}{self._log.text}"
        assert JWT_START not in told
        assert "Traceback" not in self._log.text
        parts = [part for part in (token or "").split(".") if len(part) > 40]
        assert [part for part in parts if part in told] == []
        return response

    def _sees_challenge(self, response: Any, status: int, error: str | None) -> None:
        if status == 503:
            assert "WWW-Authenticate" not in response
            assert int(response["Retry-After"]) > 0
            return
        parameters = challenge_of(response)
        assert parameters.get("error") == (error if error in RFC_6750_ERRORS else None), (self, parameters)
        assert parameters["resource_metadata"] == METADATA_URL

    def _sees_one_line(self, error: str | None, claim: str | Collection[str]) -> None:
        lines = [record for record in self._log.records if record.name == "logto_auth"]
        assert len(lines) == (0 if error in UNLOGGED else 1), (self, self._log.text)
        if lines:
            assert lines[0].levelno == (logging.ERROR if error == "temporarily_unavailable" else logging.WARNING)
            assert "\n" not in lines[0].getMessage()
        if claim:
            found = lines[0].args[0].claim
            assert found in ((claim,) if isinstance(claim, str) else claim), (self, found, lines[0].getMessage())


def _state(client: Client | None) -> dict[str, Any]:
    sessions = list(Session.objects.order_by("pk").values())
    return {**state_of_the_site(client or Client()), "sessions": sessions}


def challenge_of(response: Any) -> dict[str, str]:
    """Return the parameters of the only challenge, which must be well-formed (RFC 6750, section 3)."""
    challenge = response["WWW-Authenticate"]
    assert CHALLENGE.fullmatch(challenge), challenge
    return dict(re.findall(r'([a-z_]+)="([^"]*)"', challenge))
