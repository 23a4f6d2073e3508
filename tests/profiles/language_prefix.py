"""A site with the language in each path, also in the paths of our views: `i18n_patterns`."""

from tests.profiles.site.settings import *  # noqa: F403
from tests.profiles.site.settings import PROFILE_FAULTS

ROOT_URLCONF = "tests.profiles.site.language_urls"

PROFILE_FAULTS = {
    **PROFILE_FAULTS,
    "R29: neither a check nor the doctor warns that each language has its own redirect URIs": [
        "test_language_prefix.py::test_check_or_doctor_warns_of_urls_in_many_languages",
    ],
    "New: the sign-in pages of other languages are accepted as `next`": [
        "test_language_prefix.py::test_translated_sign_in_url_is_not_next_page",
    ],
}
