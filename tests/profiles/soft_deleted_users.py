"""A site that keeps the rows of deleted users: the default manager of its user model hides them."""

from tests.profiles.site.settings import *  # noqa: F403
from tests.profiles.site.settings import INSTALLED_APPS, PROFILE_FAULTS

INSTALLED_APPS = ["tests.profiles.soft_deletion", *INSTALLED_APPS]
AUTH_USER_MODEL = "soft_deletion.User"

PROFILE_FAULTS = {
    **PROFILE_FAULTS,
    "R18: the name of a hidden user counts as free, and the account cannot be stored": [
        "test_soft_deleted_users.py::test_name_of_deleted_user_does_not_block_others",
    ],
}
