"""`second_database` on PostgreSQL, which refuses some queries outside of a transaction that SQLite runs."""

import os

os.environ["TEST_DATABASE"] = "postgresql"

from tests.profiles.second_database import *  # noqa: F403

# Each test empties the tables of two databases, which takes a second. These tests need transactions.
PROFILE_TESTS = [
    "tests/profiles/flows/test_sign_in.py",
    "tests/profiles/flows/test_sync.py",
    "tests/profiles/flows/test_webhooks.py",
    "tests/profiles/own/test_second_database.py",
]

PROFILE_FAULTS = {
    "R17: transactions are for the database `default`": [
        "test_sign_in.py::test_failed_first_sign_in_leaves_no_account",
        "test_sign_in.py::test_trusted_email_links_local_account",
        "test_sync.py::test_sync_deactivates_users_deleted_at_logto",
        "test_sync.py::test_sync_updates_and_suspends",
        "test_webhooks.py::test_changed_data_reaches_account",
        "test_webhooks.py::test_deleted_user_*",
        "test_webhooks.py::test_membership_events_change_rows",
        "test_webhooks.py::test_organization_events_rename_and_end_it",
        "test_webhooks.py::test_stale_event_is_ignored",
        "test_webhooks.py::test_suspended_user_is_signed_out_and_comes_back",
    ],
    "R17: no check reports that users and our tables are routed apart": [
        "test_second_database.py::test_check_reports_user_model_in_another_database",
    ],
}
