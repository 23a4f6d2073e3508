"""A site that reads from a replica of its database, which does not have the latest rows yet. SQLite only.

The router keeps reads of users and sessions on the primary, as such sites do, and knows nothing of our tables. The
replica is a copy of the primary: each test begins with an empty one, and copies it again where it wants to.
"""

from tests.profiles.site.settings import *  # noqa: F403
from tests.profiles.site.settings import DATABASES, second_database

DATABASES = {**DATABASES, "replica": second_database("replica")}
DATABASE_ROUTERS = ["tests.profiles.site.routers.ReplicaRouter"]
PROFILE_TRANSACTIONAL = True

PROFILE_FAULTS = {
    "R16: the tokens of a session are read from the replica": [
        "test_rights.py::test_chosen_organization_is_remembered",
        "test_rights.py::test_page_requires_role",
        "test_rights.py::test_sign_in_stores_memberships",
        "test_rights.py::test_url_selects_organization",
        "test_sessions.py::test_session_without_refresh_token_is_confirmed_in_silence",
        "test_sessions.py::test_stale_session_is_refreshed",
        "test_sign_in.py::test_buttons_lead_to_pages_of_site",
        "test_sign_in.py::test_page_that_requires_recent_sign_in_asks_again",
        "test_sign_in.py::test_sign_in_again_replaces_session",
        "test_sign_in.py::test_sign_in_without_next_leads_home",
        "test_sign_out.py::test_logout_token_with_sid_ends_one_session",
        "test_webhooks.py::test_wrong_signature_is_refused",
        "test_lagging_replica.py::test_session_is_refreshed_again_and_again",
    ],
}
