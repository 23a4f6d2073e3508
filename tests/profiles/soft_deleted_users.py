"""A site that keeps the rows of deleted users: the default manager of its user model hides them."""

from tests.profiles.site.settings import *  # noqa: F403
from tests.profiles.site.settings import INSTALLED_APPS

INSTALLED_APPS = ["tests.profiles.soft_deletion", *INSTALLED_APPS]
AUTH_USER_MODEL = "soft_deletion.User"
