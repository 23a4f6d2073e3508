"""The part of `/api/sign-in-exp` about second factors, and which combinations Logto accepts."""

from __future__ import annotations

from typing import Any, get_args

from logto_auth.emulator.api.errors import APIError
from logto_auth.emulator.api.schemas import boolean, choice, list_of, object_of, optional
from logto_auth.emulator.state.sign_in_settings import MfaPolicy

# In the order of Logto's messages.
_FACTORS = ("Totp", "WebAuthn", "BackupCode", "EmailVerificationCode", "PhoneVerificationCode")
# Policies for adaptive MFA only, which must have one of them.
_ADAPTIVE_POLICIES = {"PromptAtSignInAndSignUpMandatory", "PromptOnlyAtSignInMandatory"}

mfa_schema = object_of(
    factors=list_of(choice(*_FACTORS)),
    policy=choice(*get_args(MfaPolicy)),
    organizationRequiredMfaPolicy=optional(choice("NoPrompt", "Mandatory")),
)
adaptive_mfa_schema = object_of(enabled=optional(boolean))


def check_mfa(given: dict[str, Any], before: dict[str, Any]) -> None:
    """Raise APIError for factors and policies that Logto does not accept. `before` are the present settings.

    Adaptive MFA ends with the last factor, unless the request says otherwise.
    """
    mfa = {**before["mfa"], **given.get("mfa", {})}
    if "mfa" in given:
        _check_factors(mfa["factors"])
    if "adaptiveMfa" in given:
        is_adaptive = given["adaptiveMfa"].get("enabled")
        if is_adaptive and not mfa["factors"]:
            raise APIError("sign_in_experiences.adaptive_mfa_requires_mfa")
    elif "mfa" in given and mfa["factors"]:
        is_adaptive = bool(before["adaptiveMfa"].get("enabled"))
    else:
        given |= {"adaptiveMfa": {"enabled": False}} if "mfa" in given else {}
        return
    if is_adaptive and mfa["policy"] not in _ADAPTIVE_POLICIES:
        raise APIError("sign_in_experiences.adaptive_mfa_requires_non_skippable_policy")
    if is_adaptive is False and mfa["policy"] in _ADAPTIVE_POLICIES:
        raise APIError("sign_in_experiences.non_adaptive_mfa_requires_skippable_policy")


def _check_factors(factors: list[str]) -> None:
    if len(set(factors)) < len(factors):
        raise APIError("sign_in_experiences.duplicated_mfa_factors", 400)
    if factors == ["BackupCode"]:
        raise APIError("sign_in_experiences.backup_code_cannot_be_enabled_alone", 400)
