"""`/api/my-account/password`."""

from __future__ import annotations

from flask import Response

from logto_auth.emulator.api.bodies import body
from logto_auth.emulator.api.schemas import object_of, text
from logto_auth.emulator.api.user_events import announce_change
from logto_auth.emulator.oidc.http import json_response
from logto_auth.emulator.provider import current
from logto_auth.emulator.state.account_rules import check_password
from logto_auth.emulator.state.password_policy import asks_known_passwords
from logto_auth.emulator.state.tenant import Tenant

from .caller import Caller
from .routing import route


@route("POST", "/my-account/password", status=204)
def set_password(tenant: Tenant, caller: Caller) -> Response | None:
    """Set the password. As at Logto, sessions, tokens and verification records remain."""
    password = body(object_of(password=text(at_least=1)))["password"]
    caller.require_first_party()
    caller.require_verification_if_possible()
    caller.require_edit("password")
    policy = tenant.sign_in_experience.settings["passwordPolicy"]
    if current().faults.breach_list_unreachable and asks_known_passwords(policy):
        return json_response({"message": "Internal server error."}, status=500)
    check_password(policy, caller.user, password)
    announce_change(tenant.update_user(caller.user.id, password=password, password_digest=None))
    return None
