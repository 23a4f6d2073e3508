"""The pages of the authenticator app and the backup codes, and the overview of security."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.cache import cache

from logto_auth.emulator import HttpFault
from logto_auth.emulator.state.factors import BackupCodes, Passkey, Totp
from logto_auth.emulator.state.totp import totp_code

from .conftest import Reader, step_in, text_of
from .logto_calls import calls_of

pytestmark = pytest.mark.django_db

APP, CODES, SECURITY = "security/authenticator-app", "security/backup-codes", "security"
TO_SECURITY = "/account/security"


@pytest.fixture(autouse=True)
def offered_factors(account_site: Any) -> None:
    """Let Logto offer all second factors."""
    account_site.tenant.sign_in_experience.settings["mfa"] = {
        "factors": ["Totp", "WebAuthn", "BackupCode"],
        "policy": "UserControlled",
    }


@pytest.fixture
def verified(reader: Reader) -> Reader:
    """Return a user who has just proved who they are."""
    reader.verify()
    reader.logto.requests.clear()
    return reader


def secret_in(page: Any) -> str:
    found = re.search(r'<code class="secret">([A-Z2-7 ]+)</code>', page.text)
    assert found, page.text
    return found[1].replace(" ", "")


def codes_in(page: Any) -> list[str]:
    found = re.search(r'<ol class="codes">(.*?)</ol>', page.text)
    assert found, page.text
    return re.findall(r"[0-9a-f]{10}", found[1])


def set_up_app(reader: Reader, *, path: str = APP) -> str:
    """Set up an authenticator app, and return its secret."""
    page = reader.client.get(f"/account/{path}")
    secret = secret_in(page)
    response = reader.post(APP, "add", step=step_in(page), code=totp_code(secret))
    assert response.status_code == 302, text_of(response)
    return secret


def app_of(reader: Reader) -> Totp | None:
    return next((each for each in reader.user.factors if isinstance(each, Totp)), None)


def codes_of(reader: Reader) -> BackupCodes | None:
    return next((each for each in reader.user.factors if isinstance(each, BackupCodes)), None)


def add_codes(reader: Reader) -> list[str]:
    page = reader.post(CODES, "generate")
    response = reader.post(CODES, "activate", step=step_in(page), saved="on")
    assert response["Location"] == TO_SECURITY, text_of(response)
    return codes_in(page)


# Access


@pytest.mark.parametrize("path", [APP, CODES, "security/passkeys", "security/passkeys/x"])
def test_unverified_user_is_sent_to_verification(reader: Reader, path: str) -> None:
    reader.logto.requests.clear()
    assert reader.get(path)["Location"] == f"/account/verify?next=/account/{path}"
    assert reader.post(path, "remove")["Location"] == f"/account/verify?next=/account/{path}"
    assert calls_of(reader.logto) == []


@pytest.mark.parametrize("path", [APP, CODES, "security/passkeys", "security", "sessions", "applications"])
def test_page_is_never_stored_or_framed(verified: Reader, path: str) -> None:
    page = verified.get(path)
    assert page.status_code == 200
    assert page["Cache-Control"] == "no-store"
    assert page["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("path", [APP, CODES, "security/passkeys", "security", "applications"])
def test_page_makes_two_calls_at_most(verified: Reader, path: str) -> None:
    verified.get(path)
    assert len(calls_of(verified.logto)) <= 2


@pytest.mark.parametrize("path", [APP, CODES, "security/passkeys"])
@pytest.mark.parametrize("permission", ["ReadOnly", "Off"])
def test_page_needs_editable_field(verified: Reader, path: str, permission: str) -> None:
    verified.logto.tenant.enable_account_center(mfa=permission)
    verified.logto.tenant.account_center["fields"].pop("passkey", None)
    cache.clear()
    page = verified.get(path)
    assert page.status_code == 403
    assert "You cannot change this" in page.text


def test_expired_record_leads_to_verification(verified: Reader) -> None:
    page = verified.get(APP)
    verified.logto.verifications.records.clear()
    response = verified.post(APP, "add", step=step_in(page), code=totp_code(secret_in(page)))
    assert response["Location"] == f"/account/verify?next=/account/{APP}"
    assert app_of(verified) is None


@pytest.mark.parametrize(
    ("path", "action"),
    [(APP, "add"), (APP, "remove"), (CODES, "generate"), (CODES, "activate"), (CODES, "download"), (CODES, "remove")],
)
def test_form_needs_csrf_token(verified: Reader, path: str, action: str) -> None:
    verified.client.handler.enforce_csrf_checks = True
    assert verified.post(path, action).status_code == 403
    assert calls_of(verified.logto) == []


# The authenticator app


def test_app_is_added_with_first_code(verified: Reader) -> None:
    page = verified.get(APP)
    assert calls_of(verified.logto) == ["/api/my-account/mfa-verifications", TOTP_SECRET]
    secret = secret_in(page)
    assert f"otpauth://totp/localhost%3Areader%40example.com?secret={secret}&amp;issuer=localhost" in page.text
    response = verified.post(APP, "add", step=step_in(page), code=f" {totp_code(secret)} ")
    assert response["Location"] == TO_SECURITY
    assert app_of(verified).secret == secret  # type: ignore[union-attr]
    assert "Your authenticator app has been set up." in text_of(verified.get(SECURITY))


TOTP_SECRET = "/api/my-account/mfa-verifications/totp-secret/generate"


@pytest.mark.parametrize("code", ["000000", "", "12", "x" * 17, "\uff11\uff12\uff13\uff14\uff15\uff16"])
def test_wrong_code_keeps_secret(verified: Reader, code: str) -> None:
    page = verified.get(APP)
    secret = secret_in(page)
    again = verified.post(APP, "add", step=step_in(page), code=code)
    assert again.status_code == 200
    assert secret_in(again) == secret
    assert 'class="errorlist"' in again.text
    if code:
        assert f'value="{code}"' not in again.text
    assert app_of(verified) is None
    # The same form then accepts the right code.
    assert verified.post(APP, "add", step=step_in(again), code=totp_code(secret)).status_code == 302


def test_form_cannot_bind_another_secret(verified: Reader, reader_of: Any) -> None:
    attacker = reader_of("attacker")
    attacker.verify()
    page = attacker.get(APP)
    for step in ("", "x", step_in(page)):
        response = verified.post(APP, "add", step=step, code=totp_code(secret_in(page)))
        assert "This page was open for too long." in text_of(response)
        assert secret_in(response) != secret_in(page)
    assert app_of(verified) is None


def test_step_of_backup_codes_is_not_accepted_for_app(verified: Reader) -> None:
    set_up_app(verified)
    step = step_in(verified.post(CODES, "generate"))
    assert "This page was open for too long." in text_of(verified.post(APP, "add", step=step, code="123456"))


def test_repeated_form_changes_nothing(verified: Reader) -> None:
    page = verified.get(APP)
    form = {"step": step_in(page), "code": totp_code(secret_in(page))}
    verified.post(APP, "add", **form)
    before = app_of(verified)
    again = verified.post(APP, "add", **form)
    assert "An authenticator app is already set up." in text_of(again)
    assert app_of(verified) == before


def test_app_is_replaced(verified: Reader) -> None:
    first = set_up_app(verified)
    assert "Use another app" in verified.get(APP).text
    second = set_up_app(verified, path=f"{APP}?replace=1")
    assert app_of(verified).secret == second != first  # type: ignore[union-attr]
    assert "The former one no longer works." in text_of(verified.get(SECURITY))


def test_app_is_removed(verified: Reader) -> None:
    set_up_app(verified)
    assert verified.post(APP, "remove")["Location"] == TO_SECURITY
    assert app_of(verified) is None
    # The form again.
    assert verified.post(APP, "remove")["Location"] == TO_SECURITY


def test_backup_codes_go_with_last_factor(verified: Reader) -> None:
    set_up_app(verified)
    add_codes(verified)
    assert "Your backup codes are removed as well" in text_of(verified.get(APP))
    verified.post(APP, "remove")
    assert verified.user.factors == []


def test_backup_codes_stay_with_other_factor(verified: Reader) -> None:
    set_up_app(verified)
    add_codes(verified)
    verified.user.factors.append(passkey("key"))
    assert "Your backup codes are removed as well" not in text_of(verified.get(APP))
    verified.post(APP, "remove")
    assert codes_of(verified) is not None


def test_factor_that_logto_does_not_offer_is_not_added(verified: Reader) -> None:
    verified.logto.tenant.sign_in_experience.settings["mfa"]["factors"] = []
    cache.clear()
    assert "This site does not offer authenticator apps." in verified.get(APP).text
    assert "This site does not offer backup codes." in verified.get(CODES).text
    assert "This site does not offer passkeys." in verified.get("security/passkeys").text


def test_factor_that_logto_has_just_stopped_offering_is_refused(verified: Reader) -> None:
    page = verified.get(APP)
    verified.logto.tenant.sign_in_experience.settings["mfa"]["factors"] = []
    response = verified.post(APP, "add", step=step_in(page), code=totp_code(secret_in(page)))
    assert response.status_code == 200
    assert "Logto no longer offers this factor." in text_of(response)


@pytest.mark.parametrize("has_library", [True, False])
def test_qr_code_needs_library(verified: Reader, monkeypatch: Any, has_library: bool) -> None:
    if has_library:
        pytest.importorskip("segno")
    else:
        monkeypatch.setitem(__import__("sys").modules, "segno", None)
    page = verified.get(APP)
    assert ("<svg" in page.text) is has_library
    assert secret_in(page)
    assert "style=" not in page.text


def test_logto_down_is_reported(verified: Reader) -> None:
    page = verified.get(APP)
    verified.logto.faults.http["account_api"] = HttpFault(drop=True)
    again = verified.post(APP, "add", step=step_in(page), code=totp_code(secret_in(page)))
    assert again.status_code == 200
    assert "Logto does not respond" in text_of(again)
    assert verified.get(APP).status_code == 503


@pytest.mark.parametrize("fault", [HttpFault(status=500, body="Oops"), HttpFault(drop=True), HttpFault(body="[]")])
def test_secrets_are_not_logged(verified: Reader, caplog: Any, fault: HttpFault) -> None:
    page = verified.get(APP)
    secret = secret_in(page)
    code = totp_code(secret)
    verified.logto.faults.http["account_api"] = fault
    again = verified.post(APP, "add", step=step_in(page), code=code)
    assert again.status_code in {200, 302, 502}
    verified.get(APP)
    assert secret not in caplog.text
    assert code not in caplog.text


def test_page_tells_what_was_done_without_messages(verified: Reader, settings: Any) -> None:
    messages = "django.contrib.messages.middleware.MessageMiddleware"
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if each != messages]
    verified.client.handler._middleware_chain = None
    page = verified.client.post(f"/account/{APP}", {"action": "remove"}, follow=True)
    assert page.request["QUERY_STRING"] == "done=authenticator-app-removed"
    assert "Your authenticator app has been removed." in text_of(page)
    # Only known words are shown.
    assert 'role="status"' not in verified.get(SECURITY, done="<b>x</b>").text


# The backup codes


def test_backup_codes_need_another_factor(verified: Reader) -> None:
    assert "Add an authenticator app or a passkey first." in text_of(verified.get(CODES))
    page = verified.post(CODES, "generate")
    assert "Add an authenticator app or a passkey first." in text_of(page)


def test_backup_codes_are_active_after_user_has_saved_them(verified: Reader) -> None:
    set_up_app(verified)
    page = verified.post(CODES, "generate")
    codes = codes_in(page)
    assert len(codes) == 10
    assert codes_of(verified) is None
    again = verified.post(CODES, "activate", step=step_in(page))
    assert codes_in(again) == codes
    assert 'class="errorlist"' in again.text
    assert codes_of(verified) is None
    assert verified.post(CODES, "activate", step=step_in(again), saved="on")["Location"] == TO_SECURITY
    assert [each.code for each in codes_of(verified).codes] == codes  # type: ignore[union-attr]
    assert "10 codes left" in text_of(verified.get(SECURITY))


def test_backup_codes_are_shown_again(verified: Reader) -> None:
    set_up_app(verified)
    codes = add_codes(verified)
    codes_of(verified).codes[3].used_at = "2026-11-28T16:32:42.750Z"  # type: ignore[union-attr]
    verified.logto.requests.clear()
    page = verified.get(CODES)
    assert codes_in(page) == codes
    assert page.text.count("<s>") == 1
    assert "9 codes have not been used." in text_of(page)
    assert len(calls_of(verified.logto)) == 2
    verified.forget_verification()
    assert verified.get(CODES).status_code == 302


def test_new_backup_codes_replace_former_ones(verified: Reader) -> None:
    set_up_app(verified)
    former = add_codes(verified)
    codes = add_codes(verified)
    assert codes != former
    assert [each.code for each in codes_of(verified).codes] == codes  # type: ignore[union-attr]
    assert len([each for each in verified.user.factors if isinstance(each, BackupCodes)]) == 1


def test_former_backup_codes_stay_if_new_ones_cannot_be_added(verified: Reader) -> None:
    set_up_app(verified)
    former = add_codes(verified)
    page = verified.post(CODES, "generate")
    verified.user.factors[:] = [each for each in verified.user.factors if not isinstance(each, Totp)]
    response = verified.post(CODES, "activate", step=step_in(page), saved="on")
    assert "Backup codes cannot be your only second factor." in text_of(response)
    assert [each.code for each in codes_of(verified).codes] == former  # type: ignore[union-attr]


def test_backup_codes_are_downloaded(verified: Reader) -> None:
    set_up_app(verified)
    page = verified.post(CODES, "generate")
    file = verified.post(CODES, "download", step=step_in(page))
    assert file["Content-Type"] == "text/plain; charset=utf-8"
    assert file["Content-Disposition"] == 'attachment; filename="backup-codes.txt"'
    assert file["Cache-Control"] == "no-store"
    assert [line for line in file.text.split("\r\n") if re.fullmatch("[0-9a-f]{10}", line)] == codes_in(page)
    codes = add_codes(verified)
    codes_of(verified).codes[0].used_at = "2026-11-28T16:32:42.750Z"  # type: ignore[union-attr]
    lines = verified.post(CODES, "download").text.split("\r\n")
    assert [code for code in codes if code in lines] == codes[1:]


def test_codes_of_other_session_are_not_activated(verified: Reader, reader_of: Any) -> None:
    other = reader_of("other")
    other.verify()
    set_up_app(other)
    set_up_app(verified)
    step = step_in(other.post(CODES, "generate"))
    response = verified.post(CODES, "activate", step=step, saved="on")
    assert "This page was open for too long." in text_of(response)
    assert "This page was open for too long." in text_of(verified.post(CODES, "download", step=step))
    assert codes_of(verified) is None


def test_backup_codes_are_removed(verified: Reader) -> None:
    set_up_app(verified)
    add_codes(verified)
    assert verified.post(CODES, "remove")["Location"] == TO_SECURITY
    assert codes_of(verified) is None
    assert verified.post(CODES, "remove")["Location"] == TO_SECURITY


# Passkeys


def passkey(id: str, name: str | None = "My key") -> Passkey:
    """Return a passkey of a user."""
    return Passkey(
        id=id,
        created_at="2026-11-28T16:33:16.595Z",
        rp_id="localhost",
        credential_id="c",
        public_key="p",
        counter=0,
        name=name,
        agent="curl/8",
    )


@pytest.fixture
def key(verified: Reader) -> Passkey:
    """Return the passkey of the user."""
    verified.user.factors.append(passkey("key1"))
    return verified.user.factors[-1]


def test_passkey_is_renamed(verified: Reader, key: Passkey) -> None:
    assert 'value="My key"' in verified.get("security/passkeys/key1").text
    response = verified.post("security/passkeys/key1", "rename", name="<b>javascript:alert(1)</b>")
    assert response["Location"] == TO_SECURITY
    assert key_names(verified) == ["<b>javascript:alert(1)</b>"]
    for path in (SECURITY, "security/passkeys/key1"):
        page = verified.get(path)
        assert "&lt;b&gt;javascript:alert(1)&lt;/b&gt;" in page.text
        assert "<b>javascript" not in page.text


def key_names(reader: Reader) -> list[str | None]:
    return [each.name for each in reader.user.factors if isinstance(each, Passkey)]


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "a\0b"])
def test_bad_name_is_refused(verified: Reader, key: Passkey, name: str) -> None:
    page = verified.post("security/passkeys/key1", "rename", name=name)
    assert page.status_code == 200
    assert 'class="errorlist"' in page.text
    assert key_names(verified) == ["My key"]


def test_passkey_is_removed(verified: Reader, key: Passkey) -> None:
    assert verified.post("security/passkeys/key1", "remove")["Location"] == TO_SECURITY
    assert verified.user.factors == []
    # The form again, and the page of the passkey that is gone.
    assert verified.post("security/passkeys/key1", "remove")["Location"] == TO_SECURITY
    assert verified.get("security/passkeys/key1").status_code == 404


def test_passkey_of_other_user_is_unknown(verified: Reader, reader_of: Any) -> None:
    other = reader_of("other")
    other.user.factors.append(passkey("key2"))
    assert verified.get("security/passkeys/key2").status_code == 404
    assert verified.post("security/passkeys/key2", "rename", name="Mine").status_code == 404
    verified.post("security/passkeys/key2", "remove")
    assert key_names(other) == ["My key"]


def test_page_of_passkey_does_not_change_other_factor(verified: Reader) -> None:
    set_up_app(verified)
    id = app_of(verified).id  # type: ignore[union-attr]
    assert verified.get(f"security/passkeys/{id}").status_code == 404
    verified.post(f"security/passkeys/{id}", "remove")
    assert app_of(verified) is not None


# The overview


def test_overview_shows_what_protects_account(reader: Reader) -> None:
    page = reader.get(SECURITY)
    assert len(calls_of(reader.logto)) == 2
    text = text_of(page)
    assert "reader@example.com" in text
    assert "Password Set" in text
    assert "Authenticator app Not set up" in text
    for path in ("password", "email", APP, "security/passkeys"):
        assert f'href="/account/{path}"' in page.text
    assert f'href="/account/{CODES}"' not in page.text


def test_overview_hides_password_whose_field_is_off(reader: Reader) -> None:
    reader.logto.tenant.enable_account_center(password="Off")
    cache.clear()
    text = text_of(reader.get(SECURITY))
    assert "Not set" not in text.replace("Not set up", "")
    assert "reader@example.com" in text


def test_overview_without_visible_fields_has_no_empty_list(reader: Reader) -> None:
    reader.logto.tenant.enable_account_center("Off")
    cache.clear()
    assert "Signing in" not in text_of(reader.get(SECURITY))


def test_overview_shows_read_only_fields_without_links(verified: Reader) -> None:
    set_up_app(verified)
    verified.user.factors.append(passkey("key1"))
    verified.logto.tenant.enable_account_center("ReadOnly")
    cache.clear()
    page = verified.get(SECURITY)
    assert "My key" in page.text
    assert "Authenticator app Set up" in text_of(page)
    assert "/account/security/" not in page.text
    assert "/account/password" not in page.text


def test_overview_hides_factors_that_are_off(reader: Reader) -> None:
    reader.logto.tenant.enable_account_center(mfa="Off")
    cache.clear()
    page = reader.get(SECURITY)
    assert page.status_code == 200
    assert "Authenticator app" not in text_of(page)


def test_passkey_without_name_has_that_of_browser(verified: Reader) -> None:
    verified.user.factors.append(passkey("key1", name=None))
    assert "curl/8" in verified.get(SECURITY).text


# Being asked at sign-in

AT_SIGN_IN = "security/at-sign-in"
SETTINGS_CALL = "/api/my-account/mfa-settings"


def skips(reader: Reader) -> bool:
    return bool(reader.user.logto_configs.get("mfa", {}).get("skipMfaOnSignIn"))


def set_policy(reader: Reader, policy: str, **more: Any) -> None:
    settings = reader.logto.tenant.sign_in_experience.settings
    settings |= {"mfa": {"factors": ["Totp"], "policy": policy}, **more}
    cache.clear()


def test_factor_at_sign_in_is_turned_off_and_on(verified: Reader) -> None:
    for action, word in (("turn-off", "no longer asked"), ("turn-on", "You are asked")):
        page = verified.get(AT_SIGN_IN)
        assert f'value="{action}"' in page.text
        assert page.text.count('name="action"') == 1
        response = verified.post(AT_SIGN_IN, action)
        assert response["Location"] == TO_SECURITY
        assert skips(verified) is (action == "turn-off")
        assert word in text_of(verified.get(SECURITY))


def test_page_of_factor_at_sign_in_makes_one_call(verified: Reader) -> None:
    assert verified.get(AT_SIGN_IN).status_code == 200
    assert calls_of(verified.logto) == [SETTINGS_CALL]


@pytest.mark.parametrize(
    ("policy", "more"),
    [
        ("Mandatory", {}),
        ("PromptOnlyAtSignInMandatory", {}),
        ("PromptAtSignInAndSignUpMandatory", {}),
        ("UserControlled", {"adaptiveMfa": {"enabled": True}}),
    ],
)
def test_choice_without_effect_is_not_offered(verified: Reader, policy: str, more: dict[str, Any]) -> None:
    set_up_app(verified)
    set_policy(verified, policy, **more)
    assert AT_SIGN_IN not in verified.get(SECURITY).text
    verified.logto.requests.clear()
    page = verified.get(AT_SIGN_IN)
    assert "This site decides" in text_of(page)
    assert 'name="action"' not in page.text
    assert calls_of(verified.logto) == []


def test_overview_links_to_the_choice_of_users_with_a_factor(verified: Reader) -> None:
    assert AT_SIGN_IN not in verified.get(SECURITY).text
    set_up_app(verified)
    assert f'href="/account/{AT_SIGN_IN}"' in verified.get(SECURITY).text
    verified.logto.tenant.enable_account_center(mfa="ReadOnly")
    cache.clear()
    assert AT_SIGN_IN not in verified.get(SECURITY).text


@pytest.mark.parametrize("action", ["turn-on", "turn-off"])
def test_choice_needs_verification_field_and_csrf_token(reader: Reader, action: str) -> None:
    assert reader.get(AT_SIGN_IN)["Location"] == f"/account/verify?next=/account/{AT_SIGN_IN}"
    assert reader.post(AT_SIGN_IN, action)["Location"] == f"/account/verify?next=/account/{AT_SIGN_IN}"
    reader.verify()
    reader.logto.tenant.enable_account_center(mfa="ReadOnly")
    cache.clear()
    assert reader.get(AT_SIGN_IN).status_code == 403
    assert reader.post(AT_SIGN_IN, action).status_code == 403
    reader.client.handler.enforce_csrf_checks = True
    assert reader.post(AT_SIGN_IN, action).status_code == 403
    assert not skips(reader)
    assert "enabled" not in reader.user.logto_configs.get("mfa", {})


@pytest.mark.parametrize("status", [500, 404])
def test_choice_shows_that_logto_does_not_respond(verified: Reader, status: int) -> None:
    verified.get(SECURITY)
    verified.logto.faults.http["account_api"] = HttpFault(status=status)
    assert verified.get(AT_SIGN_IN).status_code in {502, 503}
    assert verified.post(AT_SIGN_IN, "turn-off").status_code in {502, 503}
    assert not skips(verified)


# The way back

NEXT = "next=/vault/%3Fid%3D1"


def test_overview_keeps_the_page_that_asked(verified: Reader) -> None:
    page = verified.get(SECURITY, next="/vault/?id=1")
    assert 'href="/vault/?id=1"' in page.text
    for path in (APP, CODES, "security/passkeys"):
        if path != CODES:  # it needs another factor first
            assert f'href="/account/{path}?{NEXT}"' in page.text
        assert f'href="{TO_SECURITY}?{NEXT}"' in verified.get(path, next="/vault/?id=1").text
    set_up_app(verified)
    page = verified.get(SECURITY, next="/vault/?id=1")
    for path in (CODES, AT_SIGN_IN):
        assert f'href="/account/{path}?{NEXT}"' in page.text
    assert (
        f'href="/account/{APP}?{NEXT.replace("next", "next")}&amp;replace=1"'
        in verified.get(APP, next="/vault/?id=1").text
    )


def test_new_app_leads_back(reader: Reader) -> None:
    path = f"/account/{APP}?{NEXT}"
    verify = reader.client.get(path)["Location"]
    response = reader.client.post(verify, {"action": "password", "password": "reader-password-1"})
    assert response["Location"] == path
    page = reader.client.get(path)
    secret = secret_in(page)
    form = {"action": "add", "step": step_in(page), "code": totp_code(secret)}
    response = reader.client.post(path, form)
    assert response["Location"] == f"{TO_SECURITY}?{NEXT}"
    assert 'href="/vault/?id=1"' in reader.client.get(response["Location"]).text


def test_way_back_works_without_messages(verified: Reader, settings: Any) -> None:
    settings.INSTALLED_APPS = [name for name in settings.INSTALLED_APPS if name != "django.contrib.messages"]
    response = verified.client.post(f"/account/{AT_SIGN_IN}?{NEXT}", {"action": "turn-off"})
    assert response["Location"] == f"{TO_SECURITY}?{NEXT}&done=factor-at-sign-in-off"
    page = verified.client.get(response["Location"])
    assert 'href="/vault/?id=1"' in page.text
    assert "no longer asked" in text_of(page)


@pytest.mark.parametrize(
    "next_url", ["//evil.example", "https://evil.example/", "javascript:alert(1)", "/sign-in", "x" * 2000]
)
def test_hostile_page_is_not_kept(verified: Reader, next_url: str) -> None:
    for path in (SECURITY, APP, CODES, "security/passkeys", AT_SIGN_IN):
        page = verified.get(path, next=next_url)
        assert page.status_code == 200
        assert next_url not in page.text
        assert "next=" not in page.text.replace("account/verify?next=", "")
