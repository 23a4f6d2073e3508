"""A site that is unusual in many ways at once: all oddities that the package supports."""

from tests.profiles.site.settings import *  # noqa: F403
from tests.profiles.site.settings import DATABASES, INSTALLED_APPS, PROFILE_FAULTS, second_database

DATABASES = {
    name: {**database, "ATOMIC_REQUESTS": True}
    for name, database in {**DATABASES, "accounts": second_database("accounts")}.items()
}
DATABASE_ROUTERS = ["tests.profiles.site.routers.AccountsRouter"]
INSTALLED_APPS = ["tests.profiles.email_users", *INSTALLED_APPS]
AUTH_USER_MODEL = "email_users.User"
FORCE_SCRIPT_NAME = "/shop"
ROOT_URLCONF = "tests.profiles.site.language_urls"
PROFILE_TRANSACTIONAL = True

PROFILE_FAULTS = {
    **PROFILE_FAULTS,
    "R28: links of our pages, and the sign-out without a redirect URL, lead out of the site": [
        "test_sign_in.py::test_links_of_*_page_stay_on_site",
        "test_sign_out.py::test_sign_out_without_redirect_url_stays_on_site",
    ],
}
