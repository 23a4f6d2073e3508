"""A site that reads from a replica of its database, which does not have the latest rows yet. SQLite only.

The router keeps reads of users and sessions on the primary, as such sites do, and knows nothing of our tables. The
replica is a copy of the primary: each test begins with an empty one, and copies it again where it wants to.
"""

from tests.profiles.site.settings import *  # noqa: F403
from tests.profiles.site.settings import DATABASES, second_database

DATABASES = {**DATABASES, "replica": second_database("replica")}
DATABASE_ROUTERS = ["tests.profiles.site.routers.ReplicaRouter"]
PROFILE_TRANSACTIONAL = True
