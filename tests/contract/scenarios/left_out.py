"""Recordings that no test sends to the emulator, with the reason."""

from __future__ import annotations

_ACTIONS = (
    "Without the Experience API, `tests/emulator/pages/test_actions.py` shows the effect; none run after a sign-in."
)
_EXPERIENCE = "The emulator has pages instead of the Experience API, and no sign-in by codes."
_MOCK_CONNECTORS = "The emulator has only one of the mock connectors, and no Google."
_DECODED = "A decoded token of the recording before it."

LEFT_OUT: dict[str, dict[str, str]] = {
    "console": {},
    "errors": {
        "connector_test_bad": _MOCK_CONNECTORS,
        "password_import": "Compared by `test_password_imports.py`.",
    },
    "organizations": {
        "invitation_message": "Compared by `test_scenarios.py`.",
        "m2m_organization_resource_token_decoded": _DECODED,
        "m2m_organization_token_decoded": _DECODED,
    },
    "tenant": {
        "action_test_environment": "Scripts of the emulator have the language and `fetch`, as is documented.",
        **dict.fromkeys(
            (
                "action_bad_action",
                "action_bad_type",
                "action_create_user",
                "action_email_identifier",
                "action_email_taken",
                "action_extra_fields",
                "action_http_requests",
                "action_identifier_mismatch",
                "action_no_password_verified",
                "action_post_sign_in",
                "action_post_sign_in_event",
                "action_post_sign_in_throws",
                "action_post_sign_in_throws_allow",
                "action_slow",
                "action_throws",
                "action_throws_allow",
                "action_unknown_user",
                "action_unreachable",
                "action_update_user",
                "action_update_user_with_password",
            ),
            _ACTIONS,
        ),
        **dict.fromkeys(
            (
                "email_code_sign_in_flow",
                "forgot_password_flow",
                "sign_in_locked",
                "webhook_Identifier_Lockout",
                "webhook_PostResetPassword",
            ),
            _EXPERIENCE,
        ),
        **dict.fromkeys(
            (
                "connector_mock_email_created",
                "connector_mock_sms_created",
                "connector_mock_social_created",
                "well_known_experience",
                "well_known_sign_in_exp",
            ),
            _MOCK_CONNECTORS,
        ),
        **dict.fromkeys(("cookie_keys_list", "cookie_keys_rotate"), "The emulator has no cookie keys."),
        "backchannel_blocked_by_guard": "A sign-out, not a call: the tests of back-channel logout cover it.",
        "hook_recent_logs": "The deliveries of a long session. Compared by `test_scenarios.py`.",
        "hook_test_requests": "Compared by `test_scenarios.py`.",
        "hooks_list_stats": "The counts of a long session. Compared by `test_scenarios.py`.",
        "jwks_staged": "Keys are random. `keys_list_staged` has their order.",
        "oauth_authorization_server": "A document of the OpenID Connect provider, whose tests compare it.",
        "webhook_Grant_LimitExceeded": "Compared by `test_scenarios.py`.",
        "webhook_PostSignIn_mfa": "Compared by `test_second_factor.py`.",
        "well_known_phrases": "The pages of the emulator have one language.",
    },
    "account": {
        **dict.fromkeys(
            (
                "verification_code_email_message",
                "verification_code_email_own_message",
                "verification_code_phone_message",
            ),
            "Compared by `test_scenarios.py`.",
        ),
        **dict.fromkeys(("mfa_sign_in", "mfa_sign_in_backup_code"), "Compared by `test_second_factor.py`."),
    },
    "tokens": dict.fromkeys(
        (
            "jwt_customizer_after_totp",
            "jwt_customizer_code_exchange",
            "jwt_customizer_denies",
            "jwt_customizer_m2m_decoded",
            "jwt_customizer_organization_token",
            "jwt_customizer_overrides",
            "jwt_customizer_overrides_decoded",
            "jwt_customizer_password_only",
            "jwt_customizer_refresh_after_logout",
            "jwt_customizer_silent_sso",
            "jwt_customizer_slow",
            "jwt_customizer_slow_decoded",
            "jwt_customizer_string",
            "jwt_customizer_string_decoded",
            "jwt_customizer_throws",
            "jwt_customizer_throws_decoded",
            "jwt_customizer_token_exchange",
        ),
        "A token. Compared by `test_tokens.py`.",
    ),
}
