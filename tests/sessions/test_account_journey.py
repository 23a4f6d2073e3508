"""The methods of `request.logto.account` one after the other, against the emulator."""

from __future__ import annotations

from typing import Any

import pytest

from logto_auth import exceptions as errors
from logto_auth.account_api.client import SESSIONS_SCOPE
from logto_auth.emulator import Emulator, totp_code
from logto_auth.models import LogtoSession
from logto_auth.sessions.account import SessionAccount
from logto_auth.testing import Browser

pytestmark = pytest.mark.django_db

PASSWORD = "Tr0ub4dor&3xyz!"
SCOPES = ("openid", "offline_access", "profile", "address", "custom_data", "identities", SESSIONS_SCOPE)


@pytest.fixture
def reader(browser: Browser, logto: Emulator, settings: Any) -> Browser:
    settings.LOGTO_SCOPES = SCOPES
    logto.tenant.enable_account_center()
    logto.tenant.sign_in_experience.mfa_factors = ["Totp", "WebAuthn", "BackupCode"]
    logto.tenant.add_user(username="reader", password=PASSWORD)
    browser.sign_in("reader")
    return browser


@pytest.fixture
def account(reader: Browser) -> SessionAccount:
    account: SessionAccount = reader.client.get("/sign-in").wsgi_request.logto.account
    account.verify_password(PASSWORD)
    return account


def test_profile_and_custom_data_are_changed(account: SessionAccount) -> None:
    assert account.update(name="Ada", custom_data={"a": 1})["customData"] == {"a": 1}
    assert account.update(custom_data={"b": 2})["customData"] == {"b": 2}
    assert account.update_profile({"nickname": "A", "address": {"country": "JP"}})["nickname"] == "A"
    assert account.update_profile({"nickname": "B"})["address"] == {"country": "JP"}
    assert account.update(name=None)["name"] is None


def test_last_identifier_stays(account: SessionAccount) -> None:
    with pytest.raises(errors.InvalidValue) as raised:
        account.update(username=None)
    assert (raised.value.code, raised.value.field) == ("user.last_sign_in_method_required", "username")


def test_factors_are_added_and_removed(account: SessionAccount) -> None:
    secret = account.generate_totp_secret().secret
    with pytest.raises(errors.WrongCode):
        account.add_totp(secret, "000")
    codes = account.generate_backup_codes()
    with pytest.raises(errors.InvalidValue):
        account.add_backup_codes(codes)
    account.add_totp(secret, totp_code(secret.reveal()))
    with pytest.raises(errors.InvalidValue):
        account.add_totp(secret, totp_code(secret.reveal()))
    account.replace_totp(secret, totp_code(secret.reveal()))
    account.add_backup_codes(codes)
    assert [code["code"] for code in account.backup_codes()] == codes
    for factor in sorted(account.factors(), key=lambda factor: factor["type"]):
        account.remove_factor(factor["id"])
    assert account.factors() == []
    assert account.backup_codes() == []


def test_mfa_settings_are_changed(account: SessionAccount) -> None:
    assert account.update_mfa_settings(skip_at_sign_in=True) == {"skipMfaOnSignIn": True}
    assert account.mfa_settings() == {"skipMfaOnSignIn": True}


def test_ended_session_loses_its_tokens(account: SessionAccount, logto: Emulator) -> None:
    phone = Browser(logto)
    phone.sign_in("reader")
    (other,) = (each for each in account.sessions() if not each["isCurrent"])
    account.end_session(other["payload"]["uid"])
    with pytest.raises(errors.InvalidValue):
        account.end_session(other["payload"]["uid"])
    with pytest.raises(errors.SignInRequired):
        phone.client.get("/sign-in").wsgi_request.logto.account.get()
    assert account.get()["username"] == "reader"


def test_unknown_grant_keeps_the_session(account: SessionAccount) -> None:
    with pytest.raises(errors.InvalidValue) as raised:
        account.revoke_grant("nope")
    assert raised.value.field == "grant"
    assert account.grants()
    assert LogtoSession.objects.count() == 1


def test_revoked_own_grant_ends_the_session(account: SessionAccount) -> None:
    (grant,) = account.grants(app_type="firstParty")
    account.revoke_grant(grant["id"])
    with pytest.raises(errors.SignInRequired):
        account.get()
    assert not LogtoSession.objects.exists()


def test_password_is_changed_and_verifies_after_that(account: SessionAccount) -> None:
    with pytest.raises(errors.PasswordRejected) as raised:
        account.set_password("a")
    assert "password_rejected.too_short" in {code for code, _ in raised.value.reasons}
    account.set_password("An0ther&pass!wd")
    with pytest.raises(errors.WrongPassword):
        account.verify_password(PASSWORD)
    account.verify_password("An0ther&pass!wd")
