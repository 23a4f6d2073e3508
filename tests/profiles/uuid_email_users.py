"""A site whose users have a UUID as primary key, and their e-mail address in place of a username."""

from tests.profiles.site.settings import *  # noqa: F403
from tests.profiles.site.settings import INSTALLED_APPS

INSTALLED_APPS = ["tests.profiles.email_users", *INSTALLED_APPS, "logto_auth.audit"]
AUTH_USER_MODEL = "email_users.User"
