"""What the tenant says about second factors at sign-in. Source: Logto 1.42, `MfaValidator` and `isNoSkipMfaPolicy`."""

from __future__ import annotations

from logto_auth.account_api.types import SignInExperience
from logto_auth.tenant.mfa import lets_users_skip

__all__ = ["is_adaptive", "may_choose_at_sign_in", "may_skip_at_sign_in"]


def is_adaptive(experience: SignInExperience) -> bool:
    """Return whether Logto asks for a second factor only if a sign-in looks unusual. The policy then does not count."""
    return (experience.get("adaptiveMfa") or {}).get("enabled") is True


def may_skip_at_sign_in(experience: SignInExperience) -> bool:
    """Return whether the policy lets users decide that Logto does not ask them for a second factor."""
    return lets_users_skip((experience.get("mfa") or {}).get("policy") or "")


def may_choose_at_sign_in(experience: SignInExperience) -> bool:
    """Return whether it has an effect at all if the user turns second factors at sign-in on or off."""
    factors = (experience.get("mfa") or {}).get("factors")
    return bool(factors) and may_skip_at_sign_in(experience) and not is_adaptive(experience)
