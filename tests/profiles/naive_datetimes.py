"""A site that stores local times without a time zone: `USE_TZ = False`, the default before Django 5.0."""

from tests.profiles.site.settings import *  # noqa: F403

USE_TZ = False
