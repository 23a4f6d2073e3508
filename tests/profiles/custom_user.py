"""A site with its own user model. Its app has no migrations."""

from tests.custom_user.settings import *  # noqa: F403

PROFILE_TESTS = ["--nomigrations", "tests/custom_user/journeys.py"]
