"""Something else than Logto answers: a proxy, the sign-in page of a network, a Logto of another shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from logto_auth.emulator import Emulator

from .altering import Proxy, proxy_to
from .conftest import Reader, step_in, text_of

pytestmark = pytest.mark.django_db
CENTER, EXPERIENCE = "/api/.well-known/account-center", "/api/.well-known/sign-in-exp"
ACCOUNT, FACTORS = "/api/my-account", "/api/my-account/mfa-verifications"
SESSIONS, GRANTS = "/api/my-account/sessions", "/api/my-account/grants"
LOGIN_PAGE = "<html>Sign in to the network</html>"
FIELDS = dict.fromkeys(("name", "avatar", "profile", "password", "mfa", "session", "social", "email"), "Edit")
WRONG: tuple[Any, ...] = (None, 7, "text", [7], {"key": 7})


@pytest.fixture
def proxy(account_site: Emulator, settings: Any) -> Iterator[Proxy]:
    """A proxy between the site and Logto."""
    with proxy_to(account_site.endpoint) as running:
        settings.LOGTO_INTERNAL_ENDPOINT = running.url
        yield running


def account_with(wrong: Any) -> Any:
    names = ("name", "username", "avatar", "primaryEmail", "hasPassword", "profile", "identities", "ssoIdentities")
    return {"id": "u1", **dict.fromkeys(names, wrong)}


def factors_with(wrong: Any) -> Any:
    types = ("Totp", "WebAuthn", "BackupCode", wrong)
    return [{"id": f"f{i}", "type": kind, "createdAt": "x", "name": wrong} for i, kind in enumerate(types)] + [wrong]


def settings_with(wrong: Any) -> Any:
    connector = {"id": "c", "target": "t", "name": wrong, "logo": "", "platform": wrong}
    return {"socialConnectors": [connector], "passwordPolicy": wrong, "mfa": {"factors": wrong}, "passkeySignIn": wrong}


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
def test_documents_of_another_shape_break_no_page(proxy: Proxy, reader: Reader, wrong: Any) -> None:
    reader.verify()
    proxy.answers |= {
        f"GET {ACCOUNT}": (200, account_with(wrong)),
        f"GET {EXPERIENCE}": (200, settings_with(wrong)),
        f"GET {CENTER}": (200, {"enabled": True, "fields": FIELDS, "profileFields": [wrong, {"name": wrong}]}),
    }
    for page in ("", "password", "linked", "security", "email", "security/authenticator-app"):
        assert reader.get(page).status_code in (200, 403), page
    proxy.answers[f"GET {FACTORS}"] = 200, factors_with(wrong) if isinstance(wrong, str) else wrong
    proxy.answers[f"GET {SESSIONS}"] = 200, {"sessions": wrong}
    proxy.answers[f"GET {GRANTS}"] = 200, {"grants": [{"id": "g", "payload": wrong, "application": wrong}]}
    for page in ("security", "security/backup-codes", "security/passkeys/f1", "sessions", "applications"):
        assert reader.get(page).status_code in (200, 404, 502), page


def test_page_of_a_network_verifies_nobody(proxy: Proxy, reader: Reader) -> None:
    step = step_in(reader.client.post("/account/verify", {"action": "send", "kind": "email"}))
    proxy.answers["POST /api/verifications/verification-code/verify"] = 200, LOGIN_PAGE
    response = reader.client.post("/account/verify", {"action": "code", "step": step, "code": "000000"})
    assert "Logto did not save the change" in text_of(response)
    assert not reader.principal.account.is_verified


def test_page_of_a_network_changes_no_password(proxy: Proxy, reader: Reader) -> None:
    reader.verify()
    proxy.answers["POST /api/my-account/password"] = 200, LOGIN_PAGE
    new = "a-Long-and-new-passphrase-7"
    response = reader.post("password", "save", new_password=new, repeated=new)
    assert response.status_code == 200
    assert "Logto did not save the change" in text_of(response)
    assert new not in response.content.decode()


@pytest.mark.parametrize("answer", [(503, "down"), (200, LOGIN_PAGE), (200, {"enabled": "yes"})])
def test_sessions_of_this_site_are_shown_without_the_settings(proxy: Proxy, reader: Reader, answer: Any) -> None:
    cache.clear()
    proxy.answers[f"GET {CENTER}"] = answer
    response = reader.get("sessions")
    assert response.status_code == 200
    assert "This browser" in text_of(response)
    assert reader.post("sessions", "end-others").status_code == 302
