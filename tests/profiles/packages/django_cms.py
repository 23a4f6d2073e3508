"""A site with django CMS."""

from tests.profiles.packages import settings_of
from tests.profiles.site.settings import *  # noqa: F403
from tests.profiles.site.settings import INSTALLED_APPS as USUAL_APPS
from tests.profiles.site.settings import MIDDLEWARE as USUAL_MIDDLEWARE
from tests.profiles.site.settings import TEMPLATES

INSTALLED_APPS = [
    *USUAL_APPS,
    "django.contrib.sites",
    "django.contrib.staticfiles",
    "cms",
    "menus",
    "treebeard",
    "sekizai",
]
MIDDLEWARE = [
    *USUAL_MIDDLEWARE,
    "cms.middleware.user.CurrentUserMiddleware",
    "cms.middleware.page.CurrentPageMiddleware",
    "cms.middleware.toolbar.ToolbarMiddleware",
    "cms.middleware.language.LanguageCookieMiddleware",
]
TEMPLATES[0]["DIRS"] = ["tests/profiles/packages/templates"]
TEMPLATES[0]["OPTIONS"]["context_processors"] += [
    "sekizai.context_processors.sekizai",
    "cms.context_processors.cms_settings",
]
SITE_ID = 1
CMS_CONFIRM_VERSION4 = True
CMS_TEMPLATES = [("cms_page.html", "Page")]
X_FRAME_OPTIONS = "SAMEORIGIN"
ROOT_URLCONF = "tests.profiles.packages.django_cms_urls"
globals().update(settings_of("docs/how-to/other-packages.md"))
