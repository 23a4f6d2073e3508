"""A site with Wagtail."""

from tests.profiles.packages import settings_of
from tests.profiles.site.settings import *  # noqa: F403
from tests.profiles.site.settings import INSTALLED_APPS as USUAL_APPS
from tests.profiles.site.settings import MIDDLEWARE as USUAL_MIDDLEWARE

INSTALLED_APPS = [
    *USUAL_APPS,
    "wagtail.contrib.redirects",
    "wagtail.users",
    "wagtail.images",
    "wagtail.documents",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [*USUAL_MIDDLEWARE, "wagtail.contrib.redirects.middleware.RedirectMiddleware"]
ROOT_URLCONF = "tests.profiles.packages.wagtail_urls"
WAGTAIL_SITE_NAME = "The shop"
WAGTAILADMIN_BASE_URL = "http://testserver"
globals().update(settings_of("docs/how-to/wagtail.md"))
