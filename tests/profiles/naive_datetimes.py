"""A site that stores local times without a time zone: `USE_TZ = False`, the default before Django 5.0."""

from tests.profiles.site.settings import *  # noqa: F403

USE_TZ = False

PROFILE_FAULTS = {
    "R15: aware datetimes are stored, so every sign-in is a 500": [
        "test_admin.py::*",
        "test_api.py::test_inactive_user_is_refused*",
        "test_api.py::test_known_user_calls_with_own_account*",
        "test_api.py::test_suspended_user_is_refused",
        "test_rights.py::*",
        "test_sessions.py::*",
        "test_sign_in.py::test_buttons_lead_to_pages_of_site",
        "test_sign_in.py::test_callback_cannot_be_used_twice",
        "test_sign_in.py::test_first_sign_in_creates_account",
        "test_sign_in.py::test_inactive_user_is_refused",
        "test_sign_in.py::test_links_of_403_page_stay_on_site",
        "test_sign_in.py::test_next_sign_in_updates_account",
        "test_sign_in.py::test_page_that_requires_recent_sign_in_asks_again",
        "test_sign_in.py::test_protected_page_leads_through_logto_and_back",
        "test_sign_in.py::test_roles_give_flags_and_groups",
        "test_sign_in.py::test_sign_in_again_replaces_session",
        "test_sign_in.py::test_sign_in_without_next_leads_home",
        "test_sign_in.py::test_taken_name_does_not_give_account_away",
        "test_sign_in.py::test_trusted_email_links_local_account",
        "test_sign_out.py::test_logout_token_for_other_application_is_refused",
        "test_sign_out.py::test_logout_token_with_sid_ends_one_session",
        "test_sign_out.py::test_logout_token_without_sid_ends_all_sessions",
        "test_sign_out.py::test_sign_out_ends_session_here_and_at_logto",
        "test_sign_out.py::test_sign_out_without_redirect_url_stays_on_site",
        "test_sync.py::test_sync_deactivates_users_deleted_at_logto",
        "test_sync.py::test_sync_updates_and_suspends",
        "test_sync.py::test_synced_user_signs_in_to_same_account",
        "test_webhooks.py::*",
    ],
}
