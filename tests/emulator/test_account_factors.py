"""The Account API for factors: permissions, authenticator app, backup codes and settings."""

from __future__ import annotations

import pytest

from logto_auth.emulator import totp_code
from logto_auth.emulator.state.factors import use_backup_code

from .account_api_client import ALL_SCOPES, AccountAPI, code_of
from .receiver import Receiver

FACTORS = "/my-account/mfa-verifications"
DENIED = (401, "verification_record.permission_denied")
UNAUTHORIZED = (401, "auth.unauthorized")
NOT_EDITABLE = (400, "account_center.field_not_editable")
UNKNOWN_ID = "phha0n7kazu9p4s8a0ocw"


@pytest.fixture
def tenant(emulator):
    """A tenant whose users may change everything and have all factors."""
    tenant = emulator.tenant
    tenant.enable_account_center()
    tenant.sign_in_experience.mfa_factors = ["Totp", "WebAuthn", "BackupCode"]
    return tenant


@pytest.fixture
def account(emulator, tenant, bookstore):
    """The Account API for `customer`, with a verification record."""
    account = AccountAPI(emulator, bookstore.sign_in("customer", scope=ALL_SCOPES)["access_token"])
    account.verify_password("customer-password")
    yield account
    account.http.close()


@pytest.fixture
def user(tenant):
    return tenant.find_user(username="customer")


def add_app(account):
    """Bind an authenticator app and return its secret."""
    secret = account.post(f"{FACTORS}/totp-secret/generate").json()["secret"]
    code = totp_code(secret, account.emulator.clock.precise())
    assert account.post(FACTORS, {"type": "Totp", "secret": secret, "code": code}).status_code == 204
    return secret


def add_backup_codes(account):
    codes = account.post(f"{FACTORS}/backup-codes/generate").json()["codes"]
    assert account.post(FACTORS, {"type": "BackupCode", "codes": codes}).status_code == 204
    return codes


CHANGES = [
    ("POST", FACTORS, {"type": "Totp", "secret": "A" * 32}),
    ("POST", FACTORS, {"type": "BackupCode", "codes": []}),
    ("POST", FACTORS, {"type": "WebAuthn", "newIdentifierVerificationRecordId": "x"}),
    ("PUT", f"{FACTORS}/totp", {"secret": "A" * 32, "code": "000000"}),
    ("PATCH", f"{FACTORS}/{UNKNOWN_ID}/name", {"name": "Key"}),
    ("DELETE", f"{FACTORS}/{UNKNOWN_ID}", None),
    ("PATCH", "/my-account/mfa-settings", {"skipMfaOnSignIn": True}),
    ("PATCH", "/my-account/logto-configs", {"mfa": {"skipped": True}}),
]


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
def test_each_change_needs_a_verification_record(account, method, path, body):
    account.record_id = ""
    assert code_of(account(method, path, body)) == DENIED
    account.verify_password("customer-password")
    account.emulator.clock.advance(601)
    assert code_of(account(method, path, body)) == DENIED


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
def test_each_change_needs_the_scope(account, bookstore, method, path, body):
    token = bookstore.sign_in("customer", scope="openid profile")["access_token"]
    account.http.headers["Authorization"] = f"Bearer {token}"
    assert code_of(account(method, path, body)) == UNAUTHORIZED


@pytest.mark.parametrize(("method", "path", "body"), [each for each in CHANGES if each[0] != "DELETE"])
@pytest.mark.parametrize("permission", ["Off", "ReadOnly"])
def test_each_change_needs_the_field_permission(account, tenant, method, path, body, permission):
    tenant.enable_account_center(mfa=permission, passkey=permission)
    assert code_of(account(method, path, body)) == NOT_EDITABLE


def test_removal_needs_the_field_permission(account, tenant):
    add_app(account)
    tenant.enable_account_center(mfa="ReadOnly")
    [factor] = account.get(FACTORS).json()
    assert code_of(account.delete(f"{FACTORS}/{factor['id']}")) == NOT_EDITABLE


def test_record_of_another_user_does_not_count(account, bookstore):
    other = AccountAPI(account.emulator, bookstore.sign_in("editor", scope=ALL_SCOPES)["access_token"])
    account.record_id = other.verify_password("editor-password")
    other.http.close()
    assert code_of(account(*CHANGES[0])) == DENIED


def test_third_party_application_may_not_change_factors(account, third_party):
    third_party.application.user_scopes = ALL_SCOPES.split()
    token = third_party.sign_in("customer", scope=ALL_SCOPES)["access_token"]
    account.http.headers["Authorization"] = f"Bearer {token}"
    assert account.get(FACTORS).status_code == 200
    for change in CHANGES:
        assert code_of(account(*change)) == (403, "auth.third_party_application_forbidden")


@pytest.mark.parametrize("path", [FACTORS, "/my-account/mfa-settings", "/my-account/logto-configs"])
def test_reading_needs_the_field_but_no_record(account, tenant, path):
    account.record_id = ""
    tenant.enable_account_center("ReadOnly")
    assert account.get(path).status_code == 200
    tenant.enable_account_center(mfa="Off", passkey="Off")
    assert code_of(account.get(path)) == (400, "account_center.field_not_enabled")


def test_own_permission_of_passkeys_counts_for_passkeys_alone(account, tenant):
    tenant.enable_account_center(mfa="Off", passkey="Edit")
    body = {"type": "WebAuthn", "newIdentifierVerificationRecordId": "x"}
    assert code_of(account.post(FACTORS, body)) == (400, "verification_record.not_found")
    assert code_of(account(*CHANGES[0])) == NOT_EDITABLE


def test_permission_of_factors_counts_for_passkeys_without_an_own_one(account, tenant):
    del tenant.account_center["fields"]["passkey"]
    body = {"type": "WebAuthn", "newIdentifierVerificationRecordId": "x"}
    assert code_of(account.post(FACTORS, body)) == (400, "verification_record.not_found")


@pytest.mark.parametrize("type", ["Totp", "BackupCode", "WebAuthn"])
def test_factor_must_be_enabled_in_the_tenant(account, tenant, type):
    tenant.sign_in_experience.mfa_factors = []
    body = next(body for _, _, body in CHANGES if body and body.get("type") == type)
    assert code_of(account.post(FACTORS, body)) == (400, "session.mfa.mfa_factor_not_enabled")


def test_passkey_sign_in_enables_passkeys(account, tenant):
    tenant.sign_in_experience.settings |= {"mfa": {"factors": []}, "passkeySignIn": {"enabled": True}}
    body = {"type": "WebAuthn", "newIdentifierVerificationRecordId": "x"}
    assert code_of(account.post(FACTORS, body)) == (400, "verification_record.not_found")


def test_authenticator_app_is_bound_and_replaced(account):
    add_app(account)
    [before] = account.get(FACTORS).json()
    secret = account.post(f"{FACTORS}/totp-secret/generate").json()["secret"]
    wrong = {"secret": secret, "code": "000000"}
    assert code_of(account.put(f"{FACTORS}/totp", wrong)) == (400, "session.mfa.invalid_totp_code")
    right = {"secret": secret, "code": totp_code(secret, account.emulator.clock.precise())}
    assert account.put(f"{FACTORS}/totp", right).status_code == 204
    [after] = account.get(FACTORS).json()
    assert after["id"] != before["id"]


def test_code_follows_the_clock_of_the_emulator(account):
    secret = account.post(f"{FACTORS}/totp-secret/generate").json()["secret"]
    code = totp_code(secret, account.emulator.clock.precise())
    account.emulator.clock.advance(90)
    body = {"type": "Totp", "secret": secret, "code": code}
    assert code_of(account.post(FACTORS, body)) == (400, "session.mfa.invalid_totp_code")


def test_new_factor_enables_mfa_for_the_user(account):
    assert "enabled" not in account.get("/my-account/logto-configs").json()["mfa"]
    add_app(account)
    assert account.get("/my-account/logto-configs").json()["mfa"]["enabled"] is True


def test_used_backup_codes_are_shown_as_used(account, user):
    add_app(account)
    codes = add_backup_codes(account)
    assert use_backup_code(user.factors, codes[0], used_at="2026-11-28T16:32:42.750Z")
    listed = account.get(f"{FACTORS}/backup-codes").json()["codes"]
    assert listed[:2] == [{"code": codes[0], "usedAt": "2026-11-28T16:32:42.750Z"}, {"code": codes[1]}]
    assert account.get(FACTORS).json()[1]["remainCodes"] == 9


def test_backup_codes_are_shown_only_to_their_verified_user(account):
    assert code_of(account.get(f"{FACTORS}/backup-codes")) == (404, "verification_record.not_found")
    add_app(account)
    add_backup_codes(account)
    account.record_id = ""
    assert code_of(account.get(f"{FACTORS}/backup-codes")) == DENIED


def test_factor_of_another_user_is_unknown(account, tenant, bookstore):
    add_app(account)
    [mine] = account.get(FACTORS).json()
    other = AccountAPI(account.emulator, bookstore.sign_in("editor", scope=ALL_SCOPES)["access_token"])
    other.verify_password("editor-password")
    assert code_of(other.delete(f"{FACTORS}/{mine['id']}")) == (400, "verification_record.not_found")
    other.http.close()
    assert account.get(FACTORS).json() == [mine]


def test_only_passkeys_have_a_name(account):
    add_app(account)
    [app] = account.get(FACTORS).json()
    answer = account.patch(f"{FACTORS}/{app['id']}/name", {"name": "Phone"})
    assert code_of(answer) == (400, "verification_record.not_found")


def test_settings_are_merged(account):
    assert account.patch("/my-account/mfa-settings", {"skipMfaOnSignIn": True}).json() == {"skipMfaOnSignIn": True}
    changed = account.patch("/my-account/logto-configs", {"passkeySignIn": {"skipped": True}}).json()
    assert changed == {"mfa": {"skipped": False, "skipMfaOnSignIn": True}, "passkeySignIn": {"skipped": True}}


@pytest.mark.parametrize(
    "body", [None, {}, {"type": "Sms"}, {"type": "Totp"}, {"type": "Totp", "secret": 5}, {"type": "BackupCode"}, []]
)
def test_malformed_factor_is_a_bad_request(account, body):
    assert code_of(account.post(FACTORS, body)) == (400, "guard.invalid_input")


def test_webhook_tells_of_the_change(account, tenant, user):
    with Receiver() as receiver:
        tenant.add_hook(receiver.url, ["User.Data.Updated"])
        add_app(account)
        account.emulator.webhooks.wait()
    [received] = receiver.received
    assert received.payload["data"]["id"] == user.id
    assert "matchedRoute" not in received.payload


def test_factor_satisfies_an_organization_that_requires_mfa(account, tenant, user):
    assert not user.has_second_factor
    add_app(account)
    assert user.has_second_factor
