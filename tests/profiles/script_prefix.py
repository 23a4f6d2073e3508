"""A site below the path `/shop`, with another site at `/`: `FORCE_SCRIPT_NAME`."""

from tests.profiles.site.settings import *  # noqa: F403
from tests.profiles.site.settings import PROFILE_FAULTS

FORCE_SCRIPT_NAME = "/shop"

PROFILE_FAULTS = {
    **PROFILE_FAULTS,
    "R28: links of our pages, and the sign-out without a redirect URL, lead out of the site": [
        "test_sign_in.py::test_links_of_*_page_stay_on_site",
        "test_sign_out.py::test_sign_out_without_redirect_url_stays_on_site",
    ],
}
