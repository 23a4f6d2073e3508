"""A site with row-level security of PostgreSQL."""

import os

os.environ["TEST_DATABASE"] = "postgresql"

from tests.profiles.packages import import_modules_of
from tests.profiles.site.settings import *  # noqa: F403
from tests.profiles.site.settings import DATABASES
from tests.profiles.site.settings import INSTALLED_APPS as USUAL_APPS

import_modules_of("docs/how-to/tenants.md", "shelves")
INSTALLED_APPS = [*USUAL_APPS, "shelves"]
DATABASES["default"]["NAME"] += "_row_security"
ROOT_URLCONF = "tests.profiles.packages.row_security_urls"
