"""A site below the path `/shop`, with another site at `/`: `FORCE_SCRIPT_NAME`."""

from tests.profiles.site.settings import *  # noqa: F403

FORCE_SCRIPT_NAME = "/shop"
