"""When a sign-in asks for a second factor, and when it asks the user to set one up.

Source: Logto 1.42, tried and read. Not emulated: adaptive MFA, and the suggestions of a further factor and of a passkey
for signing in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from .factors import BackupCode, BackupCodes, Factor, Passkey, Totp
from .records import User
from .sign_in_settings import SignInExperience
from .tenant import Tenant

# The types of factors, in the order in which Logto offers them.
FACTOR_ORDER = ("WebAuthn", "Totp", "PhoneVerificationCode", "EmailVerificationCode", "BackupCode")

# The types of verification records that prove a factor.
RECORD_TYPES = {
    "WebAuthn": "WebAuthn",
    "Totp": "Totp",
    "PhoneVerificationCode": "MfaPhoneVerificationCode",
    "EmailVerificationCode": "MfaEmailVerificationCode",
    "BackupCode": "BackupCode",
}

# Policies that let nobody skip, and policies that ask nothing at registration.
_WITHOUT_SKIPPING = {"Mandatory", "PromptAtSignInAndSignUpMandatory", "PromptOnlyAtSignInMandatory"}
_ONLY_AT_SIGN_IN = {"PromptOnlyAtSignIn", "PromptOnlyAtSignInMandatory"}


@dataclass
class MfaSetUp:
    """What a sign-in stores about second factors once it is complete: the user's choices, and new factors.

    `enabled` and `skipped` are None until the user chooses.
    """

    enabled: bool | None = None
    skipped: bool | None = None
    totp_secret: str = field(default="", repr=False)
    passkeys: list[Passkey] = field(default_factory=list)
    backup_codes: list[str] = field(default_factory=list, repr=False)

    @property
    def types(self) -> set[str]:
        """The types of the new factors."""
        found = {"Totp": self.totp_secret, "WebAuthn": self.passkeys, "BackupCode": self.backup_codes}
        return {name for name, value in found.items() if value}

    def factors(self, created_at: str) -> list[Factor]:
        """Return the new factors. `created_at` is ISO text."""
        made: list[Factor] = [Totp(secret=self.totp_secret, created_at=created_at)] if self.totp_secret else []
        made += [replace(each, created_at=created_at) for each in self.passkeys]
        if self.backup_codes:
            made.append(BackupCodes(created_at=created_at, codes=[BackupCode(each) for each in self.backup_codes]))
        return made


@dataclass(frozen=True)
class MissingSetUp:
    """What the user has to set up, with Logto's error code. `factors` are the types to choose from."""

    code: Literal["user.suggest_mfa", "user.missing_mfa", "session.mfa.backup_code_required"]
    factors: tuple[str, ...] = ()
    can_be_skipped: bool = False


# Signing in with a second factor


def factors_for_sign_in(experience: SignInExperience, user: User) -> list[str]:
    """Return the types of factors with which the user can prove a sign-in, in Logto's order."""
    held: set[str] = {each.type for each in user.factors if not isinstance(each, BackupCodes) or each.remaining}
    held |= {"PhoneVerificationCode"} if user.primary_phone else set()
    held |= {"EmailVerificationCode"} if user.primary_email else set()
    return [each for each in FACTOR_ORDER if each in held and each in experience.mfa_factors]


def needs_second_factor(experience: SignInExperience, user: User, records: Mapping[str, dict[str, Any]]) -> bool:
    """Return whether a sign-in with these verification records still needs a second factor.

    The record of the last backup code does not count: the user has no unused one left.
    """
    factors = factors_for_sign_in(experience, user)
    mfa = user.logto_configs.get("mfa", {})
    is_off = mfa.get("enabled") is False or mfa.get("skipMfaOnSignIn")
    if not factors or (is_off and experience.mfa_policy not in _WITHOUT_SKIPPING):
        return False
    return not any(_proves(records.get(RECORD_TYPES[each], {})) for each in factors)


def _proves(record: Mapping[str, Any]) -> bool:
    """Return whether a record proves an existing factor, and not a new one."""
    return bool(record.get("code") or record.get("verified")) and not {"secret", "registrationRpId"} & record.keys()


# Setting up


def missing_set_up(tenant: Tenant, user: User, set_up: MfaSetUp, *, is_new: bool) -> MissingSetUp | None:
    """Return what the policy asks the user to set up, or None. `is_new` means a registration.

    For a user with a factor of the time before Logto asked, note that MFA is on.
    """
    experience = tenant.sign_in_experience
    policy, mfa = experience.mfa_policy, user.logto_configs.get("mfa", {})
    if not experience.mfa_factors or (is_new and policy in _ONLY_AT_SIGN_IN):
        return None
    held = {*factors_for_sign_in(experience, user), *(set_up.types - {"BackupCode"})}
    is_required = policy in _WITHOUT_SKIPPING or _organization_requires_mfa(tenant, user)
    if not is_required:
        if policy == "NoPrompt" or (mfa.get("skipped") is True if set_up.skipped is None else set_up.skipped):
            return None
        is_enabled = mfa.get("enabled") if set_up.enabled is None else set_up.enabled
        if is_enabled is None and held:
            is_enabled = set_up.enabled = True
        if not is_enabled:
            return MissingSetUp("user.suggest_mfa", can_be_skipped=True)
    choice = tuple(each for each in FACTOR_ORDER if each in experience.mfa_factors and each != "BackupCode")
    if not {*held, *set_up.types}.intersection(choice):
        return MissingSetUp("user.missing_mfa", choice, can_be_skipped=not is_required)
    if "BackupCode" in experience.mfa_factors and "BackupCode" not in {*held, *set_up.types}:
        return MissingSetUp("session.mfa.backup_code_required")
    return None


def store_set_up(tenant: Tenant, user: User, set_up: MfaSetUp) -> None:
    """Store the choices and the new factors of a completed sign-in. New backup codes replace the old ones."""
    chosen = {"enabled": set_up.enabled} if set_up.enabled is not None else {}
    chosen |= {"skipped": True} if set_up.skipped else {}
    kept = [each for each in user.factors if not (set_up.backup_codes and isinstance(each, BackupCodes))]
    with tenant.lock:
        user.factors = [*kept, *set_up.factors(tenant.clock.now_iso())]
        user.logto_configs = {**user.logto_configs, "mfa": {**user.logto_configs.get("mfa", {}), **chosen}}


def _organization_requires_mfa(tenant: Tenant, user: User) -> bool:
    """Return whether the user is a member of an organization that requires MFA, and the tenant makes that a policy."""
    if tenant.sign_in_experience.organization_mfa_policy != "Mandatory":
        return False
    return any(each.is_mfa_required and user.id in each.members for each in tenant.organizations.values())
