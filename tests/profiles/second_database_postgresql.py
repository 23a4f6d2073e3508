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
