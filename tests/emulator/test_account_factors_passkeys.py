"""The Account API for passkeys: registration, naming and removal."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest

from .account_api_client import ALL_SCOPES, AccountAPI, code_of
from .authenticator import HAS_KEY, USER_PRESENT, USER_VERIFIED, new_passkey

FACTORS = "/my-account/mfa-verifications"
REGISTRATION = "/verifications/web-authn/registration"
FAILED = (400, "session.mfa.webauthn_verification_failed")
SITE = "https://shop.example"


@pytest.fixture
def tenant(emulator):
    tenant = emulator.tenant
    tenant.enable_account_center()
    tenant.account_center["webauthnRelatedOrigins"] = [SITE, emulator.endpoint]
    tenant.sign_in_experience.mfa_factors = ["WebAuthn"]
    return tenant


@pytest.fixture
def account(emulator, tenant, bookstore):
    account = AccountAPI(emulator, bookstore.sign_in("customer", scope=ALL_SCOPES)["access_token"])
    account.verify_password("customer-password")
    yield account
    account.http.close()


def start(account):
    response = account.post(REGISTRATION)
    assert response.status_code == 200, response.text
    return response.json()


def verify(account, started, origin=SITE, **broken):
    payload = new_passkey(started["registrationOptions"], origin, **broken)
    body = {"verificationRecordId": started["verificationRecordId"], "payload": payload}
    return account.post(f"{REGISTRATION}/verify", body)


def add_passkey(account, **name):
    started = start(account)
    assert verify(account, started).json() == {"verificationRecordId": started["verificationRecordId"]}
    body = {"type": "WebAuthn", "newIdentifierVerificationRecordId": started["verificationRecordId"], **name}
    assert account.post(FACTORS, body).status_code == 204


def test_options_are_for_the_host_of_the_api_and_exclude_known_passkeys(account):
    options = start(account)["registrationOptions"]
    host = urlsplit(account.emulator.endpoint).hostname
    assert options["rp"] == {"name": host, "id": host}
    assert options["excludeCredentials"] == []
    add_passkey(account)
    [excluded] = start(account)["registrationOptions"]["excludeCredentials"]
    assert (excluded["type"], excluded["transports"]) == ("public-key", ["internal"])


def test_passkey_is_named_after_the_address_before_the_username(account, tenant):
    for name, changes in {
        "customer@bookstore.example": {"primary_phone": "15550001111"},
        "15550001111": {"primary_email": None},
        "customer": {"primary_phone": None},
    }.items():
        tenant.update_user("customer0001", **changes)
        options = account.post("/verifications/web-authn/registration").json()["registrationOptions"]
        assert options["user"]["name"] == name


def test_passkey_is_bound_renamed_and_removed(account):
    add_passkey(account, name="My key")
    [passkey] = account.get(FACTORS).json()
    assert (passkey["type"], passkey["name"]) == ("WebAuthn", "My key")
    assert passkey["agent"] == account.http.headers["User-Agent"]
    assert account.patch(f"{FACTORS}/{passkey['id']}/name", {"name": "Key 2"}).text == "OK"
    assert account.get(FACTORS).json()[0] == {**passkey, "name": "Key 2"}
    assert account.delete(f"{FACTORS}/{passkey['id']}").status_code == 204
    assert account.get(FACTORS).json() == []


def test_origin_must_be_a_related_one(account, tenant):
    tenant.account_center["webauthnRelatedOrigins"] = []
    for origin in (SITE, account.emulator.endpoint, ""):
        response = verify(account, start(account), origin)
        assert code_of(response) == FAILED
        assert f'origin "{origin}", expected one of: ' in response.json()["data"]["message"]


@pytest.mark.parametrize(
    "broken",
    [
        {"type": "webauthn.get"},
        {"challenge": "A" * 43},
        {"rp_id": "evil.example"},
        {"flags": USER_VERIFIED | HAS_KEY},
        {"flags": USER_PRESENT | HAS_KEY},
        {"flags": USER_PRESENT | USER_VERIFIED},
        {"algorithm": -8},
    ],
    ids=["type", "challenge", "rp id", "not present", "not verified", "no key", "algorithm"],
)
def test_each_rule_of_the_registration_is_checked(account, broken):
    started = start(account)
    assert code_of(verify(account, started, **broken)) == FAILED
    assert verify(account, started).status_code == 200


@pytest.mark.parametrize("name", ["clientDataJSON", "attestationObject"])
@pytest.mark.parametrize("value", ["", "e30", "!", "\u00e9", "oA", "gICAgICAgICA"])
def test_malformed_answer_is_a_bad_request(account, name, value):
    started = start(account)
    payload = new_passkey(started["registrationOptions"], SITE)
    payload["response"][name] = value
    body = {"verificationRecordId": started["verificationRecordId"], "payload": payload}
    assert code_of(account.post(f"{REGISTRATION}/verify", body)) == FAILED


def test_id_must_be_that_of_the_raw_id(account):
    started = start(account)
    payload = {**new_passkey(started["registrationOptions"], SITE), "id": "AAAA"}
    body = {"verificationRecordId": started["verificationRecordId"], "payload": payload}
    assert code_of(account.post(f"{REGISTRATION}/verify", body)) == FAILED


def test_record_counts_only_once_it_is_verified_and_for_ten_minutes(account):
    started = start(account)
    body = {"type": "WebAuthn", "newIdentifierVerificationRecordId": started["verificationRecordId"]}
    assert code_of(account.post(FACTORS, body)) == (400, "verification_record.not_found")
    assert verify(account, started).status_code == 200
    account.emulator.clock.advance(601)
    account.verify_password("customer-password")
    assert code_of(account.post(FACTORS, body)) == (400, "verification_record.not_found")
    assert code_of(verify(account, started)) == (400, "verification_record.not_found")


def test_record_of_a_passkey_proves_no_identity(account):
    started = start(account)
    verify(account, started)
    account.record_id = started["verificationRecordId"]
    body = {"type": "WebAuthn", "newIdentifierVerificationRecordId": started["verificationRecordId"]}
    assert code_of(account.post(FACTORS, body)) == (401, "verification_record.permission_denied")


def test_record_of_another_kind_is_unknown(account):
    body = {"type": "WebAuthn", "newIdentifierVerificationRecordId": account.record_id}
    assert code_of(account.post(FACTORS, body)) == (400, "verification_record.not_found")


def test_missing_library_is_said_clearly(account, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "fido2.server", None)
    response = verify(account, start(account))
    assert response.status_code == 501
    assert 'pip install "logto_auth[emulator]"' in response.json()["message"]


def test_well_known_document_lists_the_related_origins(account):
    response = account.http.get(f"{account.emulator.endpoint}/.well-known/webauthn", timeout=10)
    assert json.loads(response.text) == {"origins": [SITE, account.emulator.endpoint]}
