"""When a sign-in asks for a second factor, and when it asks to set one up: policy by state of the user."""

import pytest

from logto_auth.emulator import Clock, Tenant
from logto_auth.emulator.state.factors import BackupCode, BackupCodes, Passkey, Totp
from logto_auth.emulator.state.mfa_rules import (
    MfaSetUp,
    factors_for_sign_in,
    missing_set_up,
    needs_second_factor,
    store_set_up,
)
from logto_auth.emulator.state.totp import new_totp_secret

POLICIES = [
    "UserControlled",
    "Mandatory",
    "PromptOnlyAtSignIn",
    "PromptAtSignInAndSignUp",
    "NoPrompt",
    "PromptAtSignInAndSignUpMandatory",
    "PromptOnlyAtSignInMandatory",
]
WITHOUT_SKIPPING = {"Mandatory", "PromptAtSignInAndSignUpMandatory", "PromptOnlyAtSignInMandatory"}
PASSKEY = Passkey(rp_id="localhost", credential_id="id", public_key="key", counter=0)


@pytest.fixture
def tenant():
    tenant = Tenant(Clock())
    tenant.sign_in_experience.mfa_factors = ["Totp", "WebAuthn"]
    return tenant


@pytest.fixture
def user(tenant):
    return tenant.add_user(username="reader", primary_email="reader@bookstore.example", primary_phone="15550100")


def totp():
    return Totp(secret=new_totp_secret(), created_at="2026-11-28T16:32:42.750Z")


def backup_codes(*, used=False):
    used_at = "2026-11-28T16:32:42.750Z" if used else None
    return BackupCodes(created_at="2026-11-28T16:32:42.750Z", codes=[BackupCode("0123456789", used_at)])


def asked(tenant, user, set_up=None, *, is_new=False):
    """Return the code of what the user is asked to set up, with a ? if it can be skipped."""
    missing = missing_set_up(tenant, user, set_up or MfaSetUp(), is_new=is_new)
    return missing and missing.code.rpartition(".")[2] + "?" * missing.can_be_skipped


# Signing in with a second factor


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(
    ("mfa", "is_asked"),
    [
        ({}, True),
        ({"enabled": True}, True),
        ({"skipped": True}, True),
        ({"enabled": False}, False),
        ({"enabled": True, "skipMfaOnSignIn": True}, False),
    ],
)
def test_user_with_a_factor_is_asked_unless_turned_off(tenant, user, policy, mfa, is_asked):
    user.factors = [totp()]
    user.logto_configs = {"mfa": mfa}
    tenant.sign_in_experience.mfa_policy = policy
    expected = is_asked or policy in WITHOUT_SKIPPING
    assert needs_second_factor(tenant.sign_in_experience, user, {}) is expected


@pytest.mark.parametrize(
    ("enabled", "factors", "expected"),
    [
        (["Totp"], [], []),
        ([], [totp()], []),
        (["WebAuthn"], [totp()], []),
        (["Totp", "BackupCode"], [backup_codes(), totp()], ["Totp", "BackupCode"]),
        (["Totp", "BackupCode"], [backup_codes(used=True), totp()], ["Totp"]),
        (["Totp", "WebAuthn"], [totp(), PASSKEY, PASSKEY], ["WebAuthn", "Totp"]),
        (["BackupCode", "EmailVerificationCode"], [backup_codes()], ["EmailVerificationCode", "BackupCode"]),
        (["PhoneVerificationCode", "EmailVerificationCode"], [], ["PhoneVerificationCode", "EmailVerificationCode"]),
    ],
)
def test_factors_are_those_that_the_tenant_enables(tenant, user, enabled, factors, expected):
    tenant.sign_in_experience.mfa_factors = enabled
    user.factors = factors
    assert factors_for_sign_in(tenant.sign_in_experience, user) == expected
    assert needs_second_factor(tenant.sign_in_experience, user, {}) is bool(expected)


@pytest.mark.parametrize(
    ("record", "is_proof"),
    [
        ({"type": "Totp", "verified": True}, True),
        ({"type": "Totp", "verified": False}, False),
        ({"type": "Totp", "verified": True, "secret": "new"}, False),
        ({"type": "WebAuthn", "verified": True}, True),
        ({"type": "WebAuthn", "verified": True, "registrationRpId": "localhost"}, False),
        ({"type": "BackupCode", "code": "0123456789"}, True),
        ({"type": "BackupCode", "backupCodes": ["0123456789"]}, False),
        ({"type": "MfaEmailVerificationCode", "verified": True}, True),
        ({"type": "MfaPhoneVerificationCode", "verified": True}, False),
        ({"type": "Password", "verified": True}, False),
        ({"type": "EmailVerificationCode", "verified": True}, False),
    ],
)
def test_only_a_verified_existing_factor_of_an_enabled_type_counts(tenant, user, record, is_proof):
    tenant.sign_in_experience.mfa_factors = ["Totp", "WebAuthn", "BackupCode", "EmailVerificationCode"]
    user.factors = [totp(), PASSKEY, backup_codes()]
    assert needs_second_factor(tenant.sign_in_experience, user, {record["type"]: record}) is not is_proof


def test_last_backup_code_does_not_count_while_there_is_another_factor(tenant, user):
    tenant.sign_in_experience.mfa_factors = ["Totp", "BackupCode"]
    records = {"BackupCode": {"type": "BackupCode", "code": "0123456789"}}
    user.factors = [totp(), backup_codes(used=True)]
    assert needs_second_factor(tenant.sign_in_experience, user, records)


# Setting up


@pytest.mark.parametrize(
    ("policy", "at_sign_in", "at_registration"),
    [
        ("UserControlled", "suggest_mfa?", "suggest_mfa?"),
        ("Mandatory", "missing_mfa", "missing_mfa"),
        ("PromptOnlyAtSignIn", "suggest_mfa?", None),
        ("PromptAtSignInAndSignUp", "suggest_mfa?", "suggest_mfa?"),
        ("NoPrompt", None, None),
        ("PromptAtSignInAndSignUpMandatory", "missing_mfa", "missing_mfa"),
        ("PromptOnlyAtSignInMandatory", "missing_mfa", None),
    ],
)
def test_policy_says_what_a_user_without_factors_is_asked(tenant, user, policy, at_sign_in, at_registration):
    tenant.sign_in_experience.mfa_policy = policy
    assert asked(tenant, user) == at_sign_in
    assert asked(tenant, user, is_new=True) == at_registration


@pytest.mark.parametrize(
    ("policy", "mfa", "expected"),
    [
        ("UserControlled", {"skipped": True}, None),
        ("UserControlled", {"skipped": False}, "suggest_mfa?"),
        ("UserControlled", {"enabled": False}, "suggest_mfa?"),
        ("UserControlled", {"enabled": True}, "missing_mfa?"),
        ("UserControlled", {"enabled": True, "skipped": True}, None),
        ("Mandatory", {"skipped": True}, "missing_mfa"),
        ("Mandatory", {"enabled": False}, "missing_mfa"),
        ("NoPrompt", {"enabled": True}, None),
    ],
)
def test_earlier_choice_of_the_user_counts_where_skipping_is_possible(tenant, user, policy, mfa, expected):
    tenant.sign_in_experience.mfa_policy = policy
    user.logto_configs = {"mfa": mfa}
    assert asked(tenant, user) == expected


@pytest.mark.parametrize("policy", POLICIES)
def test_user_with_a_factor_is_asked_for_backup_codes_only(tenant, user, policy):
    user.factors = [totp()]
    tenant.sign_in_experience.mfa_policy = policy
    assert asked(tenant, user) is None
    tenant.sign_in_experience.mfa_factors = ["Totp", "BackupCode"]
    assert asked(tenant, user) == (None if policy == "NoPrompt" else "backup_code_required")
    user.factors = [totp(), backup_codes()]
    assert asked(tenant, user) is None
    user.factors = [totp(), backup_codes(used=True)]
    assert asked(tenant, user) == (None if policy == "NoPrompt" else "backup_code_required")


def test_factor_of_a_type_that_is_off_and_backup_codes_alone_do_not_suffice(tenant, user):
    tenant.sign_in_experience.mfa_policy = "Mandatory"
    tenant.sign_in_experience.mfa_factors = ["WebAuthn", "BackupCode"]
    user.factors = [totp(), backup_codes()]
    assert missing_set_up(tenant, user, MfaSetUp(), is_new=False).factors == ("WebAuthn",)


@pytest.mark.parametrize("policy", POLICIES)
def test_tenant_without_factors_asks_nothing(tenant, user, policy):
    tenant.sign_in_experience.mfa_factors = []
    tenant.sign_in_experience.mfa_policy = policy
    assert asked(tenant, user) is None


@pytest.mark.parametrize(
    ("policy", "is_required", "is_member", "expected"),
    [
        ("Mandatory", True, True, "missing_mfa"),
        ("NoPrompt", True, True, None),
        ("Mandatory", False, True, None),
        ("Mandatory", True, False, None),
    ],
)
def test_organization_can_require_a_factor(tenant, user, policy, is_required, is_member, expected):
    organization = tenant.add_organization("Branch", is_mfa_required=is_required)
    if is_member:
        tenant.add_member(organization.id, user.id)
    tenant.sign_in_experience.mfa_policy = "NoPrompt"
    tenant.sign_in_experience.organization_mfa_policy = policy
    user.logto_configs = {"mfa": {"skipped": True}}
    assert asked(tenant, user) == expected


def test_choices_of_this_sign_in_count(tenant, user):
    tenant.sign_in_experience.mfa_factors = ["Totp", "WebAuthn", "BackupCode"]
    set_up = MfaSetUp(enabled=True)
    assert asked(tenant, user, set_up) == "missing_mfa?"
    assert asked(tenant, user, MfaSetUp(skipped=True)) is None
    set_up.totp_secret = new_totp_secret()
    assert asked(tenant, user, set_up) == "backup_code_required"
    set_up.backup_codes = ["0123456789"]
    assert asked(tenant, user, set_up) is None


def test_completed_sign_in_stores_factors_and_choices(tenant, user):
    old = totp()
    user.factors = [old, backup_codes(used=True)]
    user.logto_configs = {"mfa": {"skipMfaOnSignIn": True}, "passkeySignIn": {"skipped": True}}
    store_set_up(tenant, user, MfaSetUp(enabled=True, passkeys=[PASSKEY], backup_codes=["abcdef0123"]))
    kept, passkey, codes = user.factors
    assert (kept, passkey.credential_id, codes.codes) == (old, "id", [BackupCode("abcdef0123")])
    assert passkey.created_at == codes.created_at != ""
    assert user.logto_configs == {
        "mfa": {"skipMfaOnSignIn": True, "enabled": True},
        "passkeySignIn": {"skipped": True},
    }


def test_sign_in_that_sets_nothing_up_keeps_old_backup_codes(tenant, user):
    user.factors = [totp(), backup_codes(used=True)]
    before = list(user.factors)
    store_set_up(tenant, user, MfaSetUp(skipped=True))
    assert user.factors == before
    assert user.logto_configs == {"mfa": {"skipped": True}}


def test_mfa_of_a_user_from_before_is_noted_as_on(tenant, user):
    user.factors = [totp()]
    set_up = MfaSetUp()
    assert asked(tenant, user, set_up) is None
    store_set_up(tenant, user, set_up)
    assert user.logto_configs == {"mfa": {"enabled": True}}


def test_new_secrets_are_not_in_reprs():
    shown = repr(MfaSetUp(totp_secret="SECRET", backup_codes=["0123456789"]))
    assert "SECRET" not in shown
    assert "0123456789" not in shown
