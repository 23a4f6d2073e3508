"""A site with the user model of django-logto, after its move."""

from tests.profiles.packages import import_modules_of
from tests.profiles.site.settings import *  # noqa: F403
from tests.profiles.site.settings import INSTALLED_APPS as USUAL_APPS

import_modules_of("docs/how-to/move-from-other-packages.md")
INSTALLED_APPS = ["django_logto", *USUAL_APPS]
AUTH_USER_MODEL = "django_logto.LogtoUser"
LOGTO_USER_FIELDS = "shop.accounts.fields_with_sub"
ROOT_URLCONF = "tests.profiles.packages.django_logto_urls"
