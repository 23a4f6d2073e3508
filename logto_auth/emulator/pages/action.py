"""The script of the tenant that may accept a password which Logto has refused."""

from __future__ import annotations

import logging

from logto_auth.emulator.action_scripts import EngineMissing, ScriptFailed, run_action
from logto_auth.emulator.provider import Provider
from logto_auth.emulator.state.actions import AFTER_PASSWORD, apply_result, identifier_of, user_of_action
from logto_auth.emulator.state.records import User
from logto_auth.emulator.state.sign_in_rules import SignInRefused, find_typed_user, user_with_password

_logger = logging.getLogger(__name__)


def password_user(provider: Provider, typed: str, password: str) -> User:
    """Return the user who has this password, or whom the script of the tenant accepts. Raise SignInRefused."""
    try:
        return user_with_password(provider.tenant, typed, password)
    except SignInRefused as refusal:
        if refusal.code != "session.invalid_credentials" or not typed:
            raise
        accepted = _accepted_by_script(provider, typed, password)
        if accepted is None:
            raise
        return accepted


def _accepted_by_script(provider: Provider, typed: str, password: str) -> User | None:
    """Run the script. It does not run for a suspended user. A script that fails accepts nobody."""
    tenant = provider.tenant
    action = tenant.actions.get(AFTER_PASSWORD)
    user, identifier = find_typed_user(tenant, typed), identifier_of(typed)
    if action is None or not action.get("enabled") or not tenant.version.has_actions:
        return None
    if user is not None and user.is_suspended:
        return None
    event = {
        "key": AFTER_PASSWORD,
        "interactionEvent": "SignIn",
        "verificationType": "Password",
        "identifier": identifier,
        "user": None if user is None else user_of_action(user),
        "password": password,
    }
    try:
        _, result = run_action(action["script"], event=event, environment_variables=action.get("environmentVariables"))
    except (ScriptFailed, EngineMissing) as error:
        _logger.warning("The script %s failed. The sign-in is refused. %s", AFTER_PASSWORD, error)
        return None
    return apply_result(tenant, result, identifier=identifier, user=user, password=password)
