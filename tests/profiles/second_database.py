"""A site with users, sessions and our tables in a second database. `default` holds everything else."""

from tests.profiles.site.settings import *  # noqa: F403
from tests.profiles.site.settings import DATABASES, PROFILE_FAULTS, second_database

DATABASES = {**DATABASES, "accounts": second_database("accounts")}
DATABASE_ROUTERS = ["tests.profiles.site.routers.AccountsRouter"]
# In an open transaction of the test case a missing transaction would not be noticed.
PROFILE_TRANSACTIONAL = True

PROFILE_FAULTS = {
    **PROFILE_FAULTS,
    "R17: transactions are for the database `default`": [
        "test_sign_in.py::test_failed_first_sign_in_leaves_no_account",
        "test_second_database.py::test_failed_suspension_changes_nothing",
    ],
    "R17: no check reports that users and our tables are routed apart": [
        "test_second_database.py::test_check_reports_user_model_in_another_database",
    ],
}
