"""A site with users, sessions and our tables in a second database. `default` holds everything else."""

from tests.profiles.site.settings import *  # noqa: F403
from tests.profiles.site.settings import DATABASES, INSTALLED_APPS, second_database

DATABASES = {**DATABASES, "accounts": second_database("accounts")}
DATABASE_ROUTERS = ["tests.profiles.site.routers.AccountsRouter"]
INSTALLED_APPS = [*INSTALLED_APPS, "logto_auth.audit"]
# In an open transaction of the test case a missing transaction would not be noticed.
PROFILE_TRANSACTIONAL = True
