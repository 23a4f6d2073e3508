"""Odd calls of the Management API: errors, search, pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .play import Scenario, Stage

API = "https://r3-bookstore.example/api"
_OTHER_PASSWORD = "Tr0ub4dor&3xyz!"


def _seed(stage: Stage) -> None:
    tenant = stage.emulator.tenant
    resource = tenant.add_resource(API, name="r3 Bookstore API", id="p6knziyc9wikta54aado5")
    scope = tenant.add_scope(resource, "read:books", description="read:books")
    scope.id = "ruqnl0w2zb3lnxogblt9k"
    tenant.find_resource("https://default.logto.app/api").id = "management-api"
    tenant.add_role("r3editor", scopes={API: ["read:books"]}, id="cg1deh6ihuaezuf5fjt5b")
    tenant.add_role("r3machine", type="MachineToMachine", id="xmbgxj7jlv1vw75simv8f")
    plain = tenant.add_application(
        name="r3 plain",
        id="pmnlbwb2se4ahi3ln7uux",
        redirect_uris=["http://127.0.0.1:9999/cb"],
        post_logout_redirect_uris=["http://127.0.0.1:9999/"],
    )
    for number in range(10):
        tenant.add_user(username=f"filler{number}")
    tenant.add_user(username="r3phone", primary_phone="8613422794532")
    alice = tenant.add_user(
        id="dno2js30dta3",
        username="r3alice",
        primary_email="r3alice@example.com",
        name="Alice A",
        password="a",
        roles=["r3editor"],
    )
    other = tenant.add_user(id="of936e6twivh", username="r3other", password=_OTHER_PASSWORD)
    for user, application_id in ((alice, "uqeq71fmjtp6sqdh4s8ic"), (other, plain.id)):
        user.application_id, user.last_sign_in_at = application_id, tenant.clock.now_ms()
    stage.tokens.update(
        {
            "Basic": lambda _: "Basic bm9wZTpub3Bl",
            "Bearer <expired JWT>": lambda exchange: _signed(stage, _payload(exchange)),
            "Bearer <ID token>": lambda exchange: _signed(stage, _payload(exchange)),
            "Bearer <JWT of another resource>": lambda exchange: _signed(stage, _payload(exchange)),
            "Bearer <JWT for the Management API without scope>": lambda _: _signed(stage, _claims(stage)),
        }
    )


def _payload(exchange: Mapping[str, Any]) -> dict[str, Any]:
    """Return the claims of the recorded token, which Logto repeats."""
    return dict(exchange["body"]["data"]["payload"])


def _claims(stage: Stage) -> dict[str, Any]:
    now = stage.emulator.clock.now()
    return {"aud": "https://default.logto.app/api", "sub": "machine", "iat": now, "exp": now + 3600}


def _signed(stage: Stage, claims: dict[str, Any]) -> str:
    token = stage.emulator.sign({**claims, "iss": stage.emulator.issuer}, header={"typ": "at+jwt"})
    return f"Bearer {token}"


def _delete_user(username: str) -> Callable[[Stage], None]:
    def step(stage: Stage) -> None:
        user = stage.emulator.tenant.find_user(username=username)
        assert user is not None
        stage.emulator.tenant.delete_user(user.id)

    return step


SCENARIO = Scenario(
    "errors",
    _seed,
    (
        # Tokens and routes
        "authorization_not_bearer",
        "expired_token",
        "id_token_as_access_token",
        "wrong_audience",
        "m2m_no_scope",
        "unknown_route",
        "method_not_allowed",
        # Pages and search
        "page_beyond",
        "page_huge",
        "page_page_negative",
        "page_page_zero",
        "page_text",
        "page_zero",
        "search_bad_mode",
        "search_case",
        "search_case_sensitive",
        "search_empty_value",
        "search_general",
        "search_joint_and",
        "search_many_ids",
        "search_no_mode",
        "search_one_id_exact",
        "search_two_ids_exact",
        "search_two_like",
        "search_unknown_field",
        # Applications
        "application_unknown",
        "application_bad_type",
        "application_no_name",
        "application_bad_backchannel",
        "application_bad_ttl",
        "application_refresh_ttl_days_big",
        "application_bad_cors",
        "application_cors_ok",
        "application_ttl_zero",
        "application_custom_scheme",
        "application_fragment_redirect",
        "application_http_redirect",
        "application_wildcard_redirect",
        "application_third_party_spa",
        "application_secret_created",
        "application_secret_duplicate",
        "application_secret_past",
        "application_secret_unknown",
        "application_secret_deleted",
        # Connectors and webhooks
        "connector_unknown",
        "connector_unknown_id",
        "connector_bad_config",
        "hook_bad_url",
        "hook_no_events",
        "hook_no_url",
        "hook_retries_high",
        "hook_signing_key_unknown",
        "hook_unknown",
        "hook_unknown_event",
        # Resources, permissions and roles
        "management_resource_rename",
        "management_resource_ttl_patch",
        "resource_management_api",
        "resource_bad_indicator",
        "resource_duplicate",
        "resource_unknown",
        "resource_urn",
        "scope_duplicate",
        "scope_unknown",
        "scope_unknown_resource",
        "scope_with_space",
        "role_unknown",
        "role_duplicate_name",
        "role_no_description",
        "role_unknown_scope",
        "role_scope_assign_twice",
        "role_scope_assign_unknown",
        "role_users_unknown_user",
        "role_assign_empty",
        "role_assign_twice",
        "role_assign_unknown",
        "role_m2m_to_user",
        "role_unassign_not_assigned",
        # Users
        "user_roles_unknown_user",
        "user_patch_unknown",
        "user_delete_unknown",
        "user_bad_avatar",
        "user_bad_email",
        "user_bad_phone",
        "user_phone_plus",
        "user_username_at",
        "user_username_dash",
        "user_username_digit_first",
        "user_username_dot",
        "user_username_empty",
        "user_username_long",
        "user_username_plus",
        "user_username_space",
        "user_username_unicode",
        "user_name_long",
        "user_name_257",
        "user_email_long",
        "user_duplicate_email",
        "user_duplicate_email_case",
        "user_duplicate_phone",
        "user_duplicate_username_case",
        "user_digest_without_algorithm",
        "user_password_and_digest",
        "user_empty",
        "user_weak_password",
        _delete_user("r3wa82e"),
        "user_unknown_key",
        "user_has_password",
        "user_password_verify",
        "user_password_verify_wrong",
        "user_patch_nothing",
        "user_patch_bad_json",
        "user_patch_broken_json",
        "user_patch_username_taken",
        "user_patch_form",
        "user_password_weak",
        "user_custom_data_array",
        "user_custom_data_merged",
    ),
    recorded_at=1795884450,
    auth={"authorization_not_bearer": "Basic"},
)
