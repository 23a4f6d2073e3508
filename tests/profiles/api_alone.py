"""A site that is an API and nothing else: no sessions, no middleware, no backend of the package."""

from tests.api_alone.settings import *  # noqa: F403

PROFILE_TESTS = ["tests/api_alone/journeys.py"]
