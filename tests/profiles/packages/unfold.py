"""A site with the admin of Unfold."""

from tests.profiles.packages import import_modules_of
from tests.profiles.site.settings import *  # noqa: F403
from tests.profiles.site.settings import INSTALLED_APPS as USUAL_APPS

import_modules_of("docs/how-to/admin-themes.md")
INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    *(app for app in USUAL_APPS if app != "logto_auth.apps.LogtoAdminConfig"),
    "shop.apps.ShopAdminConfig",
    "django.contrib.staticfiles",
]
