"""Settings that Logto keeps about a user: whether MFA is on, and whether MFA and passkeys were skipped."""

from __future__ import annotations

from typing import Any

from logto_auth.emulator.api.bodies import body
from logto_auth.emulator.api.user_configs import changed_configs, config_changes, configs_json
from logto_auth.emulator.state.tenant import Tenant

from .lookup import existing
from .routing import route


@route("GET", "/users/:userId/logto-configs")
def show_configs(tenant: Tenant, user_id: str) -> dict[str, Any]:
    return configs_json(existing(tenant.users, user_id))


@route("PATCH", "/users/:userId/logto-configs")
def change_configs(tenant: Tenant, user_id: str) -> dict[str, Any]:
    user = existing(tenant.users, user_id)
    user.logto_configs = changed_configs(user, body(config_changes))
    return configs_json(user)
