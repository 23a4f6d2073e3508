"""A site with the pages and endpoints for API keys, and how tests call them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

from django.core.cache import cache
from django.test import Client

from logto_auth.api_keys.values import key_id_of
from logto_auth.emulator import Emulator
from logto_auth.emulator.state.records import PersonalAccessToken
from logto_auth.oidc.secrets import Secret
from logto_auth.sessions.principal import session_principal
from logto_auth.testing import Browser
from tests.emulator.relying_party import CALLBACK, RelyingParty

API = "https://bookstore.example/api"
PAGES = "/account/api-keys/"
ENDPOINTS = "/api/api-keys/"
SCOPES = ("openid", "offline_access", "profile", "email", "identities")
MANAGEMENT_ROLE = "Logto Management API access"
PASSWORD = "reader-password-1"
ADA = "ada000000001"
BOB = "bob000000001"


def set_up(logto: Emulator, settings: Any) -> None:
    """Give the site API keys, and Logto the users Ada and Bob."""
    cache.clear()
    settings.ROOT_URLCONF = "tests.api_keys.urls"
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": []}]
    settings.LOGTO_SCOPES = SCOPES
    settings.LOGTO_API_RESOURCE = API
    tenant = logto.tenant
    machine = tenant.add_application(name="Keys", type="MachineToMachine", roles=[MANAGEMENT_ROLE])
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    tenant.enable_account_center()
    tenant.add_resource(API, scopes=["read:books"])
    for id, username in ((ADA, "ada"), (BOB, "bob")):
        tenant.add_user(
            username=username, id=id, password=PASSWORD, primary_email=f"{username}@bookstore.example", name=username
        )


class Owner:
    """A user who is signed in with a browser."""

    def __init__(self, logto: Emulator, username: str = "ada") -> None:
        self.logto, self.sub = logto, {"ada": ADA, "bob": BOB}[username]
        self.browser = Browser(logto)
        assert self.browser.sign_in(username).status_code == 302
        self.client: Client = self.browser.client

    def prove(self) -> None:
        """Prove with the password who the user is."""
        session_principal(self.request).account.verify_password(PASSWORD)

    @property
    def request(self) -> Any:
        """A new request of the session."""
        return self.client.get("/").wsgi_request

    def open(self, path: str = "") -> Any:
        return self.client.get(f"{PAGES}{path}")

    def post(self, path: str, action: str, **data: Any) -> Any:
        return self.client.post(f"{PAGES}{path}", {"action": action, **data})

    def call(self, method: str, path: str = "", data: Any = None, **headers: str) -> Any:
        """Return the response of an endpoint."""
        return call(self.client, method, path, data, **headers)

    def has(self, name: str, **values: Any) -> str:
        """Give the user a key at Logto, and return its id here."""
        return key_id_of(Secret(self.logto.tenant.add_personal_access_token(self.sub, name, **values).value))

    @property
    def tokens(self) -> dict[str, PersonalAccessToken]:
        """The keys of the user at Logto, by name."""
        return tokens_of(self.logto, self.sub)


def tokens_of(logto: Emulator, sub: str) -> dict[str, PersonalAccessToken]:
    return {each.name: each for each in logto.tenant.personal_access_tokens.values() if each.user_id == sub}


def call(client: Client, method: str, path: str = "", data: Any = None, **headers: str) -> Any:
    options = {} if data is None else {"data": data, "content_type": "application/json"}
    return getattr(client, method.lower())(f"{ENDPOINTS}{path}", headers=headers, **options)


def bearer_of(logto: Emulator, username: str = "ada", **application: Any) -> dict[str, str]:
    """Return the header with an access token of a user, which an application of this kind has."""
    values = {"name": "App", "type": "Native", "redirect_uris": [CALLBACK], **application}
    party = RelyingParty(logto, logto.tenant.add_application(**values))
    try:
        tokens = party.sign_in(username, scope="openid offline_access", resource=[API])
        answer = party.refresh(tokens["refresh_token"], resource=API)
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}
    finally:
        party.http.close()


def in_days(days: float) -> str:
    return (datetime.now(timezone.utc) + timedelta(days=days)).isoformat()


def text_of(response: Any) -> str:
    """Return the text of a page, without markup and with single spaces."""
    page = re.sub(r"<(style|select|title).*?</\1>", "", response.content.decode(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())
