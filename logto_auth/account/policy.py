"""What the tenant says about second factors at sign-in. Source: Logto 1.42, `MfaValidator` and `isNoSkipMfaPolicy`."""

from __future__ import annotations

from logto_auth.account_api.types import SignInExperience
from logto_auth.tenant.mfa import lets_users_skip

__all__ = ["factors_on", "has_passkey_sign_in", "is_adaptive", "may_choose_at_sign_in", "may_skip_at_sign_in"]


def factors_on(experience: SignInExperience) -> frozenset[str]:
    """Return the kinds of second factors that the tenant has switched on, by Logto's names."""
    return frozenset((experience.get("mfa") or {}).get("factors") or ())


def has_passkey_sign_in(experience: SignInExperience) -> bool:
    """Return whether users may sign in with a passkey in place of a password."""
    return bool((experience.get("passkeySignIn") or {}).get("enabled"))


def is_adaptive(experience: SignInExperience) -> bool:
    """Return whether Logto asks for a second factor only if a sign-in looks unusual. The policy then does not count."""
    return (experience.get("adaptiveMfa") or {}).get("enabled") is True


def may_skip_at_sign_in(experience: SignInExperience) -> bool:
    """Return whether the policy lets users decide that Logto does not ask them for a second factor."""
    return lets_users_skip((experience.get("mfa") or {}).get("policy") or "")


def may_choose_at_sign_in(experience: SignInExperience) -> bool:
    """Return whether it has an effect at all if the user turns second factors at sign-in on or off."""
    return bool(factors_on(experience)) and may_skip_at_sign_in(experience) and not is_adaptive(experience)
