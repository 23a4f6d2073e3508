"""Second factors at Logto (MFA): their declaration, and the part of a plan about them. A tenant has one setting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, cast, get_args

from logto_auth.exceptions import ConfigurationError
from logto_auth.management_api import ManagementAPI

from .steps import Step, change_step, list_difference, merge, value_difference

if TYPE_CHECKING:
    from logto_auth.management_api.types import Mfa as StoredMFA
    from logto_auth.management_api.types import SignInExperience

__all__ = [
    "CODE_FACTORS",
    "MANDATORY",
    "MFA",
    "MFAFactor",
    "MFAPolicy",
    "OrganizationMFAPolicy",
    "lets_users_skip",
    "mfa_errors",
    "mfa_step",
]

MFAFactor = Literal["Totp", "WebAuthn", "BackupCode", "EmailVerificationCode", "PhoneVerificationCode"]
MFAPolicy = Literal[
    "UserControlled",
    "Mandatory",
    "PromptOnlyAtSignIn",
    "PromptAtSignInAndSignUp",
    "NoPrompt",
    "PromptAtSignInAndSignUpMandatory",
    "PromptOnlyAtSignInMandatory",
]
OrganizationMFAPolicy = Literal["NoPrompt", "Mandatory"]

FACTORS: tuple[MFAFactor, ...] = get_args(MFAFactor)
POLICIES: tuple[MFAPolicy, ...] = get_args(MFAPolicy)
ORGANIZATION_POLICIES: tuple[OrganizationMFAPolicy, ...] = get_args(OrganizationMFAPolicy)
MANDATORY: Final = "Mandatory"
# Logto accepts these with adaptive MFA only, and with adaptive MFA it accepts only these.
ADAPTIVE_POLICIES = frozenset({"PromptAtSignInAndSignUpMandatory", "PromptOnlyAtSignInMandatory"})
# The factors that are codes in a message, with the identifier that they are sent to, and the type of the connector.
CODE_FACTORS = {"EmailVerificationCode": ("email", "Email"), "PhoneVerificationCode": ("phone", "Sms")}


@dataclass(frozen=True, kw_only=True)
class MFA:
    """The second factors that users may have, and when Logto asks for them."""

    factors: Sequence[MFAFactor] = ("Totp", "WebAuthn", "BackupCode")
    """They are added to those of the tenant. Empty: not changed."""
    policy: MFAPolicy | Literal[""] = MANDATORY
    """Whether users have to set up a factor. Only `Mandatory` and the policies for adaptive MFA, which end in
    `Mandatory`, do not let them turn off the question for it. Empty: not changed."""
    organization_policy: OrganizationMFAPolicy | Literal[""] = ""
    """Whether members of an organization that requires MFA have to set up a factor. Empty: not changed."""


def mfa_errors(declared: MFA | None) -> Iterator[str]:
    """Yield a sentence for each value that Logto would reject in every tenant."""
    if declared is None:
        return
    factors: Sequence[str] = declared.factors
    if isinstance(factors, str):
        yield "factors of mfa is a string, expected a list of factors."
        return
    for name in dict.fromkeys(factors):
        if name not in FACTORS:
            yield f"factors of mfa contains {name!r:.80}, expected {', '.join(FACTORS)}."
        if factors.count(name) > 1:
            yield f"factors of mfa contains {name!r:.80} twice. Remove one."
    if declared.policy and declared.policy not in POLICIES:
        yield f"policy of mfa is {declared.policy!r:.80}, expected one of {', '.join(POLICIES)}."
    if declared.organization_policy and declared.organization_policy not in ORGANIZATION_POLICIES:
        yield (
            f"organization_policy of mfa is {declared.organization_policy!r:.80}, expected "
            f"{' or '.join(ORGANIZATION_POLICIES)}."
        )


def lets_users_skip(policy: str) -> bool:
    """Return whether users who have a factor may turn off that Logto asks for it at each sign-in."""
    return policy != MANDATORY and policy not in ADAPTIVE_POLICIES


def mfa_step(api: ManagementAPI, declared: MFA, stored: SignInExperience) -> Step:
    """Return the step that changes MFA. `stored` is the sign-in experience of the tenant.

    Raise ConfigurationError if Logto would reject what is declared together with what the tenant has.
    """
    before = stored["mfa"]
    _check(_merged(before, declared), stored)
    differences = [
        list_difference("factors", before["factors"], declared.factors),
        value_difference("policy", before["policy"], declared.policy),
        value_difference(
            "organization policy", before.get("organizationRequiredMfaPolicy"), declared.organization_policy
        ),
    ]

    def send() -> None:
        # Read the current value again, to keep what was added since the plan was made.
        current = api.sign_in_experience.get()
        after = _merged(current["mfa"], declared)
        _check(after, current)
        api.sign_in_experience.update({"mfa": after})

    return change_step("MFA", "of all applications of the tenant", differences, send)


def _merged(stored: StoredMFA, declared: MFA) -> StoredMFA:
    """Return the stored value with the declared ones. Logto replaces the whole object."""
    merged = {**stored, "factors": merge(stored["factors"], declared.factors)}
    if declared.policy:
        merged["policy"] = declared.policy
    if declared.organization_policy:
        merged["organizationRequiredMfaPolicy"] = declared.organization_policy
    return cast("StoredMFA", merged)


def _check(mfa: StoredMFA, stored: SignInExperience) -> None:
    """Raise ConfigurationError if Logto would reject `mfa` in a tenant with the sign-in experience `stored`."""
    if mfa["factors"] == ["BackupCode"]:
        raise ConfigurationError(
            "factors of mfa would be BackupCode alone, which Logto refuses. Declare another factor too, such as Totp."
        )
    for factor, (identifier, _) in CODE_FACTORS.items():
        methods = (each for each in stored["signIn"]["methods"] if each["identifier"] == identifier)
        if factor in mfa["factors"] and any(each["verificationCode"] for each in methods):
            raise ConfigurationError(
                f"factors of mfa contains {factor}, but users of this tenant sign in with a code for their "
                f"{identifier}. Logto refuses one code for both. Remove the factor, or the code from the sign-in."
            )
    # Adaptive MFA ends with the last factor.
    is_adaptive = bool(mfa["factors"]) and stored.get("adaptiveMfa", {}).get("enabled", False)
    _check_policy(mfa["policy"], is_adaptive=is_adaptive)


def _check_policy(policy: str, *, is_adaptive: bool) -> None:
    if is_adaptive and policy not in ADAPTIVE_POLICIES:
        raise ConfigurationError(
            f"policy of mfa is {policy}, but adaptive MFA is on in this tenant, and Logto accepts only "
            f"{' or '.join(sorted(ADAPTIVE_POLICIES))} with it. Turn adaptive MFA off in the Logto Console, or "
            "declare one of these."
        )
    if not is_adaptive and policy in ADAPTIVE_POLICIES:
        raise ConfigurationError(
            f"policy of mfa is {policy}, which Logto accepts with adaptive MFA only, and adaptive MFA is off in this "
            f"tenant. Declare {MANDATORY}, or turn adaptive MFA on in the Logto Console."
        )
