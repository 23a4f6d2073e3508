"""A site with a GraphQL API by Strawberry."""

from tests.profiles.packages import import_modules_of
from tests.profiles.site.settings import *  # noqa: F403

import_modules_of("docs/how-to/other-packages.md")
ROOT_URLCONF = "tests.profiles.packages.strawberry_urls"
