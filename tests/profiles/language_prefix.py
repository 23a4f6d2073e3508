"""A site with the language in each path, also in the paths of our views: `i18n_patterns`."""

from tests.profiles.site.settings import *  # noqa: F403

ROOT_URLCONF = "tests.profiles.site.language_urls"
# The URLs of all languages are registered.
SILENCED_SYSTEM_CHECKS = ["logto_auth.W014", "logto_auth.W026"]
