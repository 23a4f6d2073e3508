"""A site with the admin of Jazzmin."""

from tests.profiles.site.settings import *  # noqa: F403
from tests.profiles.site.settings import INSTALLED_APPS as USUAL_APPS

INSTALLED_APPS = ["jazzmin", *USUAL_APPS, "django.contrib.staticfiles"]
