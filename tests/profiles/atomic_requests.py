"""A site with `ATOMIC_REQUESTS`: each view runs in a transaction, which an error rolls back."""

from tests.profiles.site.settings import *  # noqa: F403
from tests.profiles.site.settings import DATABASES, PROFILE_FAULTS

DATABASES = {"default": {**DATABASES["default"], "ATOMIC_REQUESTS": True}}
PROFILE_TRANSACTIONAL = True

PROFILE_FAULTS = {
    **PROFILE_FAULTS,
    "S11: the error of a view rolls back the tokens that it has renewed": [
        "test_atomic_requests.py::test_token_of_failed_view_is_kept",
    ],
}
