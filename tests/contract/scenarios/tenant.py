"""Webhooks and their test, signing keys, one-time tokens, and the sign-in experience."""

from __future__ import annotations

from logto_auth.emulator.state.actions import AFTER_PASSWORD
from tests.emulator.receiver import Receiver

from .play import Scenario, Stage


def _seed(stage: Stage) -> None:
    """Add the user of the one-time tokens, and answer the webhooks of the recordings."""
    stage.emulator.tenant.add_user(username="r3alice", primary_email="r3alice@example.com")
    for path, status, answer in (("/hook", 200, b""), ("/test", 200, b""), ("/test500", 500, b"no")):
        receiver = Receiver(status=status, answer=answer)
        stage.closing.enter_context(receiver)
        stage.names.learn(f"http://127.0.0.1:9797{path}", receiver.url)


def _rotate_key(stage: Stage) -> None:
    stage.emulator.rotate_keys()
    stage.names.learn("h7x6fewuhuth5vcuryygf", stage.emulator.keys.current.id)


def _as_recorded_experience(stage: Stage) -> None:
    stage.emulator.tenant.sign_in_experience.settings |= {
        "signIn": {
            "methods": [
                {"identifier": "username", "password": True, "verificationCode": False, "isPasswordPrimary": True},
                {"identifier": "email", "password": True, "verificationCode": True, "isPasswordPrimary": True},
            ]
        },
        "passwordPolicy": {"rejects": {"pwned": False, "repetitionAndSequence": True, "userInfo": True, "words": []}},
        "mfa": {"factors": ["Totp", "BackupCode", "WebAuthn"], "policy": "NoPrompt"},
        "forgotPasswordMethods": ["EmailVerificationCode"],
    }


def _as_recorded_action(stage: Stage) -> None:
    """The recorded script was replaced by another one in between, which says what happens if it fails."""
    script = (
        "const runAction = async ({ event, environmentVariables }) => { if (!event.identifier || "
        "!String(event.identifier.value).startsWith('r3leg')) { return; } return 'yes'; };"
    )
    stage.emulator.tenant.actions[AFTER_PASSWORD] = {"script": script, "enabled": True, "onExecutionError": "block"}


SCENARIO = Scenario(
    "tenant",
    _seed,
    (
        "status",
        "well_known_change_password",
        "oauth_authorization_server_root",
        "oauth_authorization_server_root_suffix",
        # Webhooks
        "hook_created",
        "hook_test",
        "hook_test_500",
        "hook_test_unreachable",
        "hook_signing_key_changed",
        "hook_disabled",
        "hook_deleted",
        # Actions
        "action_none",
        "action_created",
        "action_read",
        "actions_list",
        "action_bad_key",
        "action_unknown",
        "action_test",
        "action_test_error",
        _as_recorded_action,
        "action_patched",
        "action_post_sign_in_created",
        "action_deleted",
        # Signing keys
        "keys_list",
        "keys_rotate_bad",
        _rotate_key,
        "keys_rotate_grace",
        "keys_list_staged",
        "key_delete_current",
        "key_delete_unknown",
        # One-time tokens
        "one_time_token_created",
        "one_time_token_wrong_email",
        "one_time_token_verified",
        "one_time_token_consumed",
        "one_time_token_unknown",
        "one_time_tokens_list",
        "one_time_token_bad_email",
        # The sign-in experience
        "sign_in_exp_bad_method",
        _as_recorded_experience,
        "sign_in_exp_bad",
    ),
    recorded_at=1795884240,
)
