"""A site with django-tenants: a schema of PostgreSQL for each organization."""

import os

os.environ["TEST_DATABASE"] = "postgresql"

from tests.profiles.packages import import_modules_of, settings_of
from tests.profiles.site.settings import *  # noqa: F403
from tests.profiles.site.settings import ALLOWED_HOSTS as USUAL_HOSTS
from tests.profiles.site.settings import DATABASES

GUIDE = "docs/how-to/tenants.md"
import_modules_of(GUIDE, "customers", "stock")
globals().update(settings_of(GUIDE))
DATABASES["default"]["ENGINE"] = "django_tenants.postgresql_backend"
# Another database than that of the other runs: its tables are in other schemas.
DATABASES["default"]["NAME"] += "_tenants"
ALLOWED_HOSTS = [*USUAL_HOSTS, ".shop.example"]
ROOT_URLCONF = "tests.profiles.packages.tenants_urls"
PUBLIC_SCHEMA_URLCONF = "tests.profiles.packages.tenants_public_urls"
# The journeys visit the host "testserver", for which they make no tenant.
SHOW_PUBLIC_IF_NO_TENANT_FOUND = True
