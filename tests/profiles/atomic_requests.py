"""A site with `ATOMIC_REQUESTS`: each view runs in a transaction, which an error rolls back."""

from tests.profiles.site.settings import *  # noqa: F403
from tests.profiles.site.settings import DATABASES, INSTALLED_APPS

DATABASES = {"default": {**DATABASES["default"], "ATOMIC_REQUESTS": True}}
INSTALLED_APPS = [*INSTALLED_APPS, "logto_auth.audit"]
PROFILE_TRANSACTIONAL = True
