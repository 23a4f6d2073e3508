"""Settings that Logto keeps about a user: whether MFA and passkeys were skipped. They have no effect here."""

from __future__ import annotations

from typing import Any

from logto_auth.emulator.api.bodies import body
from logto_auth.emulator.api.schemas import boolean, object_of, optional
from logto_auth.emulator.state.records import User
from logto_auth.emulator.state.tenant import Tenant

from .lookup import existing
from .routing import route

_flag = optional(boolean)
_changes = object_of(
    mfa=optional(
        object_of(enabled=_flag, skipped=_flag, additionalBindingSuggestionSkipped=_flag, skipMfaOnSignIn=_flag)
    ),
    passkeySignIn=optional(object_of(skipped=_flag)),
)


@route("GET", "/users/:userId/logto-configs")
def show_configs(tenant: Tenant, user_id: str) -> dict[str, Any]:
    return _as_json(existing(tenant.users, user_id))


@route("PATCH", "/users/:userId/logto-configs")
def change_configs(tenant: Tenant, user_id: str) -> dict[str, Any]:
    user = existing(tenant.users, user_id)
    for name, values in body(_changes).items():
        user.logto_configs[name] = {**user.logto_configs.get(name, {}), **values}
    return _as_json(user)


def _as_json(user: User) -> dict[str, Any]:
    configs = user.logto_configs
    mfa = {"skipped": False, "skipMfaOnSignIn": False, **configs.get("mfa", {})}
    mfa.pop("additionalBindingSuggestionSkipped", None)
    return {"mfa": mfa, "passkeySignIn": {"skipped": False, **configs.get("passkeySignIn", {})}}
