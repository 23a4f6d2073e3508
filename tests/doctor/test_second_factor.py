"""Findings about second factors: MFA at Logto, and the script for the claim."""

from __future__ import annotations

from typing import Any

import pytest

from logto_auth.doctor.second_factor import script_findings
from logto_auth.emulator import Application, Emulator, HttpFault
from logto_auth.management_api import ManagementAPI
from logto_auth.tenant import MFA, TenantDeclaration
from logto_auth.tenant.claims_script import VERSION, block, merged_script
from logto_auth.tenant.claims_trial import BACKUP_CODE
from tests.management_commands import Run

from .findings import API, Found, only

pytestmark = pytest.mark.django_db

KEY = "jwt.accessToken"
MANDATORY = {"factors": ["Totp", "WebAuthn", "BackupCode"], "policy": "Mandatory"}
DECLARED = TenantDeclaration(application="Bookstore", mfa=MFA(), authentication_methods_claim=True)
UNDECLARED = TenantDeclaration(application="Bookstore")
FAILURE = "failure authentication-methods: "


@pytest.fixture
def factors(found: Found, run: Run, fresh: Emulator, settings: Any) -> Emulator:
    """A tenant that is set up for a site with second factors."""
    settings.LOGTO_TENANT = f"{__name__}.DECLARED"
    settings.LOGTO_SECOND_FACTOR = True
    settings.LOGTO_SCOPES = ("openid", "offline_access", "profile", "roles", "identities")
    assert run("logto_setup", "--yes").code == 0
    return fresh


def script_of(logto: Emulator) -> dict[str, Any]:
    script: dict[str, Any] = logto.tenant.jwt_customizers[KEY]
    return script


def with_function(body: str) -> str:
    return f"{block()}const getCustomJwtClaims = async ({{ token, context }}) => {{ {body} }};"


def test_site_that_is_set_up_has_no_problems(factors: Emulator, found: Found, run: Run) -> None:
    assert found() == []
    lines = run("logto_doctor").out
    assert "The MFA policy is Mandatory, and users may have Totp, WebAuthn, BackupCode." in lines
    assert (
        f"The script for custom claims has the block of version {VERSION}. Logto tried it with 5 made-up sign-ins, and "
        "the claim was right." in lines
    )


def test_site_without_second_factors_is_not_examined(application: Application, run: Run, settings: Any) -> None:
    settings.LOGTO_TENANT = ""
    lines = run("logto_doctor").out
    assert "mfa  " not in lines
    assert "authentication-methods" not in lines


# MFA, which needs no Management API


def set_mfa(logto: Emulator, mfa: dict[str, Any], **more: Any) -> None:
    logto.tenant.sign_in_experience.settings.update({"mfa": mfa, **more})


def test_mfa_that_is_off_is_a_failure(factors: Emulator, found: Found, settings: Any) -> None:
    settings.LOGTO_TENANT = ""
    set_mfa(factors, {"factors": [], "policy": "Mandatory"})
    assert only(found()).startswith("failure mfa: MFA is off at Logto, so no user has a second factor")


def test_policy_that_lets_users_skip_is_a_warning(factors: Emulator, found: Found, settings: Any) -> None:
    settings.LOGTO_TENANT = ""
    set_mfa(factors, {**MANDATORY, "policy": "PromptAtSignInAndSignUp"})
    line = only(found())
    assert line.startswith("warning mfa: The MFA policy is PromptAtSignInAndSignUp, so users may turn off")
    assert "A thief of a password" in line


def test_adaptive_mfa_is_a_warning(factors: Emulator, found: Found, settings: Any) -> None:
    settings.LOGTO_TENANT = ""
    set_mfa(factors, {**MANDATORY, "policy": "PromptOnlyAtSignInMandatory"}, adaptiveMfa={"enabled": True})
    assert only(found()).startswith("warning mfa: Adaptive MFA is on")


def test_mfa_is_examined_without_the_management_api(factors: Emulator, found: Found, settings: Any) -> None:
    settings.LOGTO_M2M_APP_ID = settings.LOGTO_M2M_APP_SECRET = ""
    set_mfa(factors, {**MANDATORY, "policy": "NoPrompt"})
    mfa, script = found()
    assert mfa.startswith("warning mfa: The MFA policy is NoPrompt")
    assert script.startswith("skipped management-api: Not checked")
    assert script.endswith("the webhook, the script for the claim authentication_methods.")


def test_code_without_a_connector_is_a_warning(factors: Emulator, found: Found) -> None:
    set_mfa(factors, {**MANDATORY, "factors": [*MANDATORY["factors"], "PhoneVerificationCode"]})
    assert only(found()).startswith(
        "warning mfa: Users may have the factor PhoneVerificationCode, but Logto has no connector of the type Sms"
    )


# The API resource


def test_access_token_that_is_valid_for_days_is_a_warning(factors: Emulator, found: Found) -> None:
    factors.tenant.find_resource(API).access_token_ttl = 86400
    assert found() == []
    factors.tenant.find_resource(API).access_token_ttl = 86401
    assert only(found()).startswith(
        f"warning authentication-methods: Access tokens for {API} are valid for 86401 seconds."
    )


def test_unknown_api_resource_stops_every_sign_in(factors: Emulator, found: Found, settings: Any) -> None:
    settings.LOGTO_RESOURCES = ()
    factors.tenant.delete_resource(factors.tenant.find_resource(API))
    (line,) = [each for each in found() if each.startswith("failure resources")]
    assert line == (
        f"failure resources: LOGTO_API_RESOURCE names {API}, which is not an API resource of the tenant. Logto rejects "
        "every sign-in."
    )


# The script

BROKEN: dict[str, tuple[str, str]] = {
    "none": (
        "",
        "The tenant has no script for custom claims, so no view that requires a second factor lets a user in.",
    ),
    "one without the block": (
        "const getCustomJwtClaims = async () => ({});",
        "The tenant has a script for the custom claims of access tokens without the block of logto_auth.",
    ),
    "one with half a block": (
        "// logto_auth: begin authentication_methods, version 1",
        "that do not fit together: begin in line 1.",
    ),
    "one that does not use the block": (
        with_function("return {};"),
        "For a sign-in with password, authenticator app and backup code, the script returned no authentication_methods",
    ),
    "one that throws": (
        with_function("throw new Error('boom');"),
        "For every made-up sign-in, the script failed: boom.",
    ),
    "one that counts every factor": (
        with_function("context.user.mfaVerificationFactors = ['Totp']; return logtoAuthClaims({ token, context });"),
        "For a factor that was never added to the user, the script returned",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.parametrize("declared", ["DECLARED", "UNDECLARED"])
def test_broken_script_is_a_failure(case: str, declared: str, factors: Emulator, found: Found, settings: Any) -> None:
    settings.LOGTO_TENANT = f"{__name__}.{declared}"
    script, text = BROKEN[case]
    factors.tenant.jwt_customizers.clear()
    if script:
        factors.tenant.jwt_customizers[KEY] = {"script": script}
    line = only([each for each in found() if not each.startswith("warning settings")])
    assert line.startswith(FAILURE)
    assert text in line
    # The block is long. `logto_setup` prints it.
    assert "counts" not in line


def test_missing_script_that_nothing_needs_is_a_warning(factors: Emulator, found: Found, settings: Any) -> None:
    settings.LOGTO_SECOND_FACTOR = False
    factors.tenant.jwt_customizers.clear()
    assert only(found()).startswith("warning authentication-methods: The tenant has no script for custom claims")


def test_older_or_edited_block_is_a_warning(factors: Emulator, found: Found, run: Run) -> None:
    script_of(factors)["script"] = merged_script("").replace(f"version {VERSION}", "version 0")
    assert only(found()).startswith("warning authentication-methods: The block in the script for custom claims has the")
    assert run("logto_setup", "--yes").code == 0
    assert found() == []


def test_backup_code_in_tokens_is_a_warning(factors: Emulator, found: Found) -> None:
    script_of(factors)["script"] = with_function("return { all: context, ...logtoAuthClaims({ token, context }) };")
    line = only(found())
    assert line.startswith("warning authentication-methods: The script for custom claims copies a used backup code")
    assert BACKUP_CODE not in line


def test_tenant_without_custom_claims_is_a_finding(factors: Emulator, api: ManagementAPI) -> None:
    """Logto Cloud has them in some plans only."""
    factors.faults.http["management_api"] = HttpFault(
        status=403, body='{"code": "subscription.limit_exceeded", "message": "Quota limit exceeded."}'
    )
    (finding,) = script_findings(api, DECLARED)
    assert (finding.level, finding.check) == ("failure", "authentication-methods")
    assert finding.message.startswith("The script for custom claims could not be tried: http://")
    assert finding.message.endswith("answered 403: subscription.limit_exceeded: Quota limit exceeded.")
