"""Settings that Logto keeps about a user: whether MFA is on, and whether MFA and passkeys were skipped."""

from __future__ import annotations

from typing import Any

from logto_auth.emulator.state.records import User

from .schemas import boolean, object_of, optional

_flag = optional(boolean)
config_changes = object_of(
    mfa=optional(
        object_of(enabled=_flag, skipped=_flag, additionalBindingSuggestionSkipped=_flag, skipMfaOnSignIn=_flag)
    ),
    passkeySignIn=optional(object_of(skipped=_flag)),
)


def changed_configs(user: User, changes: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the settings of a user with the changes merged into them."""
    return {**user.logto_configs, **{name: {**user.logto_configs.get(name, {}), **changes[name]} for name in changes}}


def configs_json(user: User) -> dict[str, Any]:
    """Return the settings as the APIs show them. `enabled` is absent until it is set."""
    mfa = user.logto_configs.get("mfa", {})
    enabled = {"enabled": mfa["enabled"]} if "enabled" in mfa else {}
    return {
        "mfa": {**enabled, **{name: mfa.get(name, False) for name in ("skipped", "skipMfaOnSignIn")}},
        "passkeySignIn": {"skipped": user.logto_configs.get("passkeySignIn", {}).get("skipped", False)},
    }
