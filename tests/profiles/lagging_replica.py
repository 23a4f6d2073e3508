"""A site that reads from a replica of its database, which does not have the latest rows yet. SQLite only.

The router keeps reads of users and sessions on the primary, as such sites do, and knows nothing of our tables. The
replica is a copy of the primary: each test begins with an empty one, and copies it again where it wants to.
"""

from tests.profiles.site.settings import *  # noqa: F403
from tests.profiles.site.settings import DATABASES, second_database

DATABASES = {**DATABASES, "replica": second_database("replica")}
DATABASE_ROUTERS = ["tests.profiles.site.routers.ReplicaRouter"]
PROFILE_TRANSACTIONAL = True

PROFILE_FAULTS = {
    "R16: our own tables are read from the replica": [
        "test_admin.py::test_staff_rename_organization",
        "test_admin.py::test_staff_sign_user_out_everywhere",
        "test_admin.py::test_user_page_shows_identity_and_sessions",
        "test_api.py::test_inactive_user_is_refused*",
        "test_api.py::test_known_user_calls_with_own_account*",
        "test_api.py::test_suspended_user_is_refused",
        "test_api.py::test_unknown_user_gets_account*",
        "test_rights.py::test_chosen_organization_is_remembered",
        "test_rights.py::test_page_requires_role",
        "test_rights.py::test_page_requires_scope",
        "test_rights.py::test_sign_in_stores_memberships",
        "test_rights.py::test_url_selects_organization",
        "test_sessions.py::test_access_token_for_api_is_fetched_once",
        "test_sessions.py::test_deactivated_user_is_signed_out_at_once",
        "test_sessions.py::test_other_sessions_are_listed_and_ended",
        "test_sessions.py::test_outage_keeps_stale_session",
        "test_sessions.py::test_session_without_refresh_token_is_confirmed_in_silence",
        "test_sessions.py::test_stale_session_is_refreshed",
        "test_sessions.py::test_suspended_user_is_signed_out_on_refresh",
        "test_sign_in.py::test_buttons_lead_to_pages_of_site",
        "test_sign_in.py::test_inactive_user_is_refused",
        "test_sign_in.py::test_next_sign_in_updates_account",
        "test_sign_in.py::test_page_that_requires_recent_sign_in_asks_again",
        "test_sign_in.py::test_sign_in_again_replaces_session",
        "test_sign_in.py::test_sign_in_without_next_leads_home",
        "test_sign_out.py::test_logout_token_with_sid_ends_one_session",
        "test_sign_out.py::test_logout_token_without_sid_ends_all_sessions",
        "test_sign_out.py::test_sign_out_ends_session_here_and_at_logto",
        "test_sync.py::*",
        "test_webhooks.py::test_changed_data_reaches_account",
        "test_webhooks.py::test_deleted_user_is_deactivated",
        "test_webhooks.py::test_deleted_user_is_deleted_where_site_wants_it",
        "test_webhooks.py::test_membership_events_change_rows",
        "test_webhooks.py::test_stale_event_is_ignored",
        "test_webhooks.py::test_suspended_user_is_signed_out_and_comes_back",
        "test_webhooks.py::test_wrong_signature_is_refused",
        "test_lagging_replica.py::test_session_is_refreshed_again_and_again",
    ],
}
