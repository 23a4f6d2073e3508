"""A site with `ATOMIC_REQUESTS`: each view runs in a transaction, which an error rolls back."""

from tests.profiles.site.settings import *  # noqa: F403
from tests.profiles.site.settings import DATABASES

DATABASES = {"default": {**DATABASES["default"], "ATOMIC_REQUESTS": True}}
PROFILE_TRANSACTIONAL = True
