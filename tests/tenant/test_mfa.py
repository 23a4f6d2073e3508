"""MFA of a declaration: its errors, what a plan changes, and what stays."""

from __future__ import annotations

from typing import Any

import pytest

from logto_auth.emulator import Emulator
from logto_auth.exceptions import ConfigurationError
from logto_auth.management_api import ManagementAPI
from logto_auth.tenant import MFA, TenantDeclaration, apply_plan, make_plan
from logto_auth.tenant.declaration import declaration_errors
from logto_auth.tenant.mfa import POLICIES, lets_users_skip

INVALID: dict[str, tuple[dict[str, Any], str]] = {
    "a string of factors": ({"factors": "Totp"}, "factors of mfa is a string, expected a list of factors."),
    "an unknown factor": ({"factors": ["Totp", "Sms"]}, "factors of mfa contains 'Sms', expected Totp, WebAuthn, "),
    "a factor twice": ({"factors": ["Totp", "Totp"]}, "factors of mfa contains 'Totp' twice."),
    "an unknown policy": ({"policy": "Always"}, "policy of mfa is 'Always', expected one of UserControlled, Mandatory"),
    "an unknown policy of organizations": (
        {"organization_policy": "Always"},
        "organization_policy of mfa is 'Always', expected NoPrompt or Mandatory.",
    ),
}


@pytest.mark.parametrize("case", INVALID)
def test_invalid_mfa_is_an_error(case: str) -> None:
    fields, text = INVALID[case]
    (error,) = declaration_errors(declared(**fields))
    assert text in error


def declared(**fields: Any) -> TenantDeclaration:
    return TenantDeclaration(mfa=MFA(**fields))


def settings_of(logto: Emulator) -> dict[str, Any]:
    settings: dict[str, Any] = logto.tenant.sign_in_experience.settings
    return settings


def test_undeclared_mfa_is_not_read(api: ManagementAPI, fresh: Emulator) -> None:
    assert make_plan(api, TenantDeclaration()).steps == []
    assert [each.path for each in fresh.requests if "sign-in-exp" in each.path] == []


def test_declared_mfa_is_applied_once(api: ManagementAPI, fresh: Emulator) -> None:
    settings_of(fresh)["mfa"] = {"factors": [], "policy": "UserControlled"}
    before = settings_of(fresh).copy()
    declaration = declared(organization_policy="Mandatory")
    (step,) = make_plan(api, declaration).changes
    assert (step.action, str(step)) == ("change", "MFA of all applications of the tenant")
    assert {each.name: (each.before, each.after) for each in step.differences} == {
        "factors": ([], ["Totp", "WebAuthn", "BackupCode"]),
        "policy": ("UserControlled", "Mandatory"),
        "organization policy": (None, "Mandatory"),
    }
    apply_plan(make_plan(api, declaration))
    assert settings_of(fresh) == {
        **before,
        "mfa": {
            "factors": ["Totp", "WebAuthn", "BackupCode"],
            "policy": "Mandatory",
            "organizationRequiredMfaPolicy": "Mandatory",
        },
    }
    assert make_plan(api, declaration).changes == []


def test_undeclared_parts_of_mfa_stay(api: ManagementAPI, fresh: Emulator) -> None:
    stored = {"factors": ["WebAuthn"], "policy": "PromptOnlyAtSignIn", "organizationRequiredMfaPolicy": "Mandatory"}
    settings_of(fresh)["mfa"] = stored
    apply_plan(make_plan(api, declared(factors=["Totp"], policy="")))
    assert settings_of(fresh)["mfa"] == {**stored, "factors": ["WebAuthn", "Totp"]}
    assert make_plan(api, declared(factors=(), policy="")).changes == []


def test_mfa_set_after_planning_stays(api: ManagementAPI, fresh: Emulator) -> None:
    settings_of(fresh)["mfa"] = {"factors": ["Totp"], "policy": "NoPrompt"}
    plan = make_plan(api, declared(factors=["Totp"]))
    settings_of(fresh)["mfa"] = {
        "factors": ["Totp", "WebAuthn"],
        "policy": "NoPrompt",
        "organizationRequiredMfaPolicy": "NoPrompt",
    }
    apply_plan(plan)
    assert settings_of(fresh)["mfa"] == {
        "factors": ["Totp", "WebAuthn"],
        "policy": "Mandatory",
        "organizationRequiredMfaPolicy": "NoPrompt",
    }


EMAIL_CODE = {"identifier": "email", "password": True, "verificationCode": True, "isPasswordPrimary": True}
PHONE_CODE = {**EMAIL_CODE, "identifier": "phone"}
# What Logto refuses because of what the tenant has: the tenant, the declaration and the text.
REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "backup codes alone": ({}, {"factors": ["BackupCode"]}, "would be BackupCode alone"),
    "codes by e-mail for sign-in too": (
        {"signIn": {"methods": [EMAIL_CODE]}},
        {"factors": ["EmailVerificationCode"]},
        "EmailVerificationCode, but users of this tenant sign in with a code for their email",
    ),
    "codes by SMS for sign-in too": (
        {"signIn": {"methods": [PHONE_CODE]}},
        {"factors": ["PhoneVerificationCode"]},
        "PhoneVerificationCode, but users of this tenant sign in with a code for their phone",
    ),
    "a policy for adaptive MFA": (
        {},
        {"policy": "PromptOnlyAtSignInMandatory"},
        "PromptOnlyAtSignInMandatory, which Logto accepts with adaptive MFA only",
    ),
    "another policy with adaptive MFA": (
        {"mfa": {"factors": ["Totp"], "policy": "PromptOnlyAtSignInMandatory"}, "adaptiveMfa": {"enabled": True}},
        {"policy": "Mandatory"},
        "policy of mfa is Mandatory, but adaptive MFA is on",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_mfa_that_the_tenant_would_refuse_is_an_error(case: str, api: ManagementAPI, fresh: Emulator) -> None:
    state, fields, text = REFUSED[case]
    settings_of(fresh).update({"mfa": {"factors": [], "policy": "NoPrompt"}, **state})
    with pytest.raises(ConfigurationError, match=text):
        make_plan(api, declared(**fields))


def test_mfa_that_fits_the_tenant_is_accepted(api: ManagementAPI, fresh: Emulator) -> None:
    password_only = {**EMAIL_CODE, "verificationCode": False}
    settings_of(fresh).update(
        {
            "signIn": {"methods": [password_only, PHONE_CODE]},
            "mfa": {"factors": ["Totp"], "policy": "PromptOnlyAtSignInMandatory"},
            "adaptiveMfa": {"enabled": True},
        }
    )
    apply_plan(
        make_plan(
            api,
            declared(factors=["BackupCode", "EmailVerificationCode"], policy="PromptAtSignInAndSignUpMandatory"),
        )
    )
    assert settings_of(fresh)["mfa"] == {
        "factors": ["Totp", "BackupCode", "EmailVerificationCode"],
        "policy": "PromptAtSignInAndSignUpMandatory",
    }


def test_tenant_that_no_longer_fits_is_an_error(api: ManagementAPI, fresh: Emulator) -> None:
    settings_of(fresh)["mfa"] = {"factors": ["Totp"], "policy": "NoPrompt"}
    plan = make_plan(api, declared(factors=["EmailVerificationCode"]))
    settings_of(fresh)["signIn"] = {"methods": [EMAIL_CODE]}
    with pytest.raises(ConfigurationError, match="users of this tenant sign in with a code for their email"):
        apply_plan(plan)
    assert settings_of(fresh)["mfa"] == {"factors": ["Totp"], "policy": "NoPrompt"}


def test_only_mandatory_policies_do_not_let_users_skip() -> None:
    assert [policy for policy in POLICIES if not lets_users_skip(policy)] == [
        "Mandatory",
        "PromptAtSignInAndSignUpMandatory",
        "PromptOnlyAtSignInMandatory",
    ]
