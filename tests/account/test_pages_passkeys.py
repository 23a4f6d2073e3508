"""The page on which the browser creates a passkey. `tests/browser` has the script."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from django.core.cache import cache

from logto_auth.account.passkeys import credential_in
from logto_auth.emulator.state.factors import Passkey
from tests.emulator.authenticator import new_passkey

from .conftest import Reader, step_in, text_of
from .logto_calls import calls_of

pytestmark = pytest.mark.django_db

PAGE = "security/passkeys"
SITE = "http://testserver"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def verified(reader: Reader) -> Reader:
    """Return a user who has just proved who they are, at a Logto that accepts passkeys of this site."""
    tenant = reader.logto.tenant
    tenant.sign_in_experience.settings["mfa"] = {"factors": ["WebAuthn"], "policy": "UserControlled"}
    tenant.account_center["webauthnRelatedOrigins"] = [SITE]
    cache.clear()
    reader.verify()
    reader.logto.requests.clear()
    return reader


def options_in(page: Any) -> dict[str, Any]:
    found = re.search(r'data-options="([^"]*)"', page.text)
    assert found, page.text
    options: dict[str, Any] = json.loads(html.unescape(found[1]))
    return options


def add(reader: Reader, page: Any, credential: Any = None, **data: str) -> Any:
    credential = new_passkey(options_in(page), SITE) if credential is None else credential
    text = credential if isinstance(credential, str) else json.dumps(credential)
    return reader.post(PAGE, "add", **{"step": step_in(page), "credential": text, "name": "My key", **data})


def passkeys_of(reader: Reader) -> list[str | None]:
    return [each.name for each in reader.user.factors if isinstance(each, Passkey)]


def test_passkey_is_added(verified: Reader) -> None:
    page = verified.get(PAGE)
    assert calls_of(verified.logto) == ["/api/verifications/web-authn/registration"]
    assert add(verified, page)["Location"] == "/account/security"
    assert passkeys_of(verified) == ["My key"]
    assert "Your passkey has been added." in text_of(verified.get("security"))


def test_page_works_with_strict_csp_and_says_that_it_needs_script(verified: Reader) -> None:
    page = verified.get(PAGE).text
    assert '<script src="/static/logto_auth/passkeys.js"></script>' in page
    assert "Passkeys need JavaScript." in page
    assert "onsubmit" not in page
    assert "style=" not in page
    # Without the script nothing happens, so that the form is not shown.
    assert re.search(r'<form class="fields" method="post" hidden', page)


def test_name_is_that_of_browser(verified: Reader) -> None:
    page = verified.client.get(f"/account/{PAGE}", headers={"user-agent": FIREFOX})
    assert 'value="Firefox on Linux"' in page.text


def test_passkey_of_other_origin_is_refused(verified: Reader, caplog: Any) -> None:
    page = verified.get(PAGE)
    again = add(verified, page, new_passkey(options_in(page), "https://evil.example"), name="Typed")
    assert again.status_code == 200
    assert "Logto does not accept passkeys that are created on this site." in text_of(again)
    assert "webauthnRelatedOrigins" not in again.text
    assert "webauthnRelatedOrigins" in caplog.text
    # What was typed is still there, and the challenge is a new one.
    assert 'value="Typed"' in again.text
    assert options_in(again)["challenge"] != options_in(page)["challenge"]
    assert passkeys_of(verified) == []


def test_staff_read_what_to_do_about_origin(verified: Reader) -> None:
    verified.logto.tenant.account_center["webauthnRelatedOrigins"] = []
    user = verified.request.user
    user.is_staff = True
    user.save()
    assert "webauthnRelatedOrigins" in add(verified, verified.get(PAGE)).text


@pytest.mark.parametrize(
    "broken",
    [{"challenge": "AAAA"}, {"type": "webauthn.get"}, {"flags": 0x41}, {"rp_id": "other.example"}, {"algorithm": -8}],
    ids=str,
)
def test_broken_passkey_is_refused(verified: Reader, broken: dict[str, Any]) -> None:
    page = verified.get(PAGE)
    again = add(verified, page, new_passkey(options_in(page), SITE, **broken))
    assert again.status_code == 200
    assert 'class="errorlist' in again.text
    assert passkeys_of(verified) == []


@pytest.mark.parametrize(
    "credential",
    [
        "",
        "null",
        "[]",
        "{}",
        "{",
        '{"response": []}',
        '{"id": 1, "rawId": "a", "response": {}}',
        "[" * 60_000,
        "x" * 70_000,
        '{"id": NaN, "rawId": 1e999, "response": {"clientDataJSON": "a", "attestationObject": "b"}}',
    ],
)
def test_text_that_is_no_credential_is_refused(verified: Reader, credential: str) -> None:
    page = verified.get(PAGE)
    verified.logto.requests.clear()
    again = add(verified, page, credential)
    assert "Your browser did not create a passkey." in text_of(again)
    assert "/api/verifications/web-authn/registration/verify" not in calls_of(verified.logto)


def test_only_known_parts_of_credential_are_sent() -> None:
    credential = {
        "id": "a",
        "rawId": "a",
        "type": "public-key",
        "response": {"clientDataJSON": "c", "attestationObject": "d", "transports": ["usb", "new", 1], "x": 1},
        "authenticatorAttachment": [],
        "clientExtensionResults": {"credProps": {"rk": True}},
        "extra": "x" * 100,
    }
    assert credential_in(json.dumps(credential)) == {
        "id": "a",
        "rawId": "a",
        "response": {"clientDataJSON": "c", "attestationObject": "d", "transports": ["usb"]},
        "clientExtensionResults": {},
    }


def test_passkey_of_other_session_is_not_added(verified: Reader, reader_of: Any) -> None:
    other = reader_of("other")
    other.verify()
    page = other.get(PAGE)
    response = add(verified, page)
    assert "This page was open for too long." in text_of(response)
    assert passkeys_of(verified) == passkeys_of(other) == []


def test_form_is_refused_after_challenge_has_expired(verified: Reader) -> None:
    page = verified.get(PAGE)
    verified.logto.verifications.records.clear()
    verified.verify()
    assert "This page was open for too long." in text_of(add(verified, page))


def test_repeated_form_is_refused_or_harmless(verified: Reader) -> None:
    page = verified.get(PAGE)
    credential = new_passkey(options_in(page), SITE)
    add(verified, page, credential)
    assert add(verified, page, credential).status_code in {200, 302}


def test_form_needs_csrf_token(verified: Reader) -> None:
    page = verified.get(PAGE)
    verified.client.handler.enforce_csrf_checks = True
    assert add(verified, page).status_code == 403
    assert passkeys_of(verified) == []


@pytest.mark.parametrize(("permission", "is_offered"), [("Edit", True), ("ReadOnly", False), ("Off", False)])
def test_field_passkey_decides(verified: Reader, permission: str, is_offered: bool) -> None:
    verified.logto.tenant.enable_account_center(mfa="ReadOnly", passkey=permission)
    verified.logto.tenant.account_center["webauthnRelatedOrigins"] = [SITE]
    cache.clear()
    page = verified.get(PAGE)
    assert page.status_code == (200 if is_offered else 403)
    assert (f'href="/account/{PAGE}"' in verified.get("security").text) is is_offered
    if is_offered:
        assert add(verified, page).status_code == 302


def test_passkey_can_be_way_to_sign_in_without_being_second_factor(verified: Reader) -> None:
    settings = verified.logto.tenant.sign_in_experience.settings
    settings["mfa"] = {"factors": [], "policy": "UserControlled"}
    settings["passkeySignIn"] = {"enabled": True}
    cache.clear()
    assert add(verified, verified.get(PAGE)).status_code == 302


class LazyNonce:
    """A nonce as Django 6 has it: false until the first use."""

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return "bm9uY2U"


def lazy_nonce(request: Any) -> dict[str, Any]:
    return {"csp_nonce": LazyNonce()}


def test_nonce_is_used_before_it_was_generated(verified: Reader, settings: Any) -> None:
    (templates,) = settings.TEMPLATES
    processors = [*templates["OPTIONS"]["context_processors"], f"{__name__}.lazy_nonce"]
    settings.TEMPLATES = [{**templates, "OPTIONS": {**templates["OPTIONS"], "context_processors": processors}}]
    page = verified.get(PAGE).text
    assert '<script src="/static/logto_auth/passkeys.js" nonce="bm9uY2U"></script>' in page
    assert page.count("<style") == page.count('<style nonce="bm9uY2U">') > 0
