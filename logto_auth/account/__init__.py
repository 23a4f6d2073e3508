"""The account centre: pages, links and the verification of users, for settings that Logto keeps.

    urlpatterns = [path("account/", include("logto_auth.account.urls"))]

A site without these pages links to Logto's own by `account_url`.
"""

from .links import PAGES, TASKS, account_url
from .navigation import account_navigation
from .other_sessions import EndedSessions, end_other_sessions
from .verification import require_verification, verification_url

__all__ = [
    "PAGES",
    "TASKS",
    "EndedSessions",
    "account_navigation",
    "account_url",
    "end_other_sessions",
    "require_verification",
    "verification_url",
]
