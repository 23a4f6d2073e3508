"""A site that is unusual in many ways at once: all oddities that the package supports."""

from tests.profiles.site.settings import *  # noqa: F403
from tests.profiles.site.settings import DATABASES, INSTALLED_APPS, second_database

DATABASES = {
    name: {**database, "ATOMIC_REQUESTS": True}
    for name, database in {**DATABASES, "accounts": second_database("accounts")}.items()
}
DATABASE_ROUTERS = ["tests.profiles.site.routers.AccountsRouter"]
INSTALLED_APPS = ["tests.profiles.email_users", *INSTALLED_APPS]
AUTH_USER_MODEL = "email_users.User"
FORCE_SCRIPT_NAME = "/shop"
ROOT_URLCONF = "tests.profiles.site.language_urls"
# The URLs of all languages are registered.
SILENCED_SYSTEM_CHECKS = ["logto_auth.W014", "logto_auth.W026"]
PROFILE_TRANSACTIONAL = True
