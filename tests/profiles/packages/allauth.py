"""A site that signs users in with Logto through django-allauth as well: in the middle of its move."""

from tests.profiles.site.settings import *  # noqa: F403
from tests.profiles.site.settings import AUTHENTICATION_BACKENDS as USUAL_BACKENDS
from tests.profiles.site.settings import INSTALLED_APPS as USUAL_APPS
from tests.profiles.site.settings import MIDDLEWARE as USUAL_MIDDLEWARE

INSTALLED_APPS = [
    *USUAL_APPS,
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
]
MIDDLEWARE = [*USUAL_MIDDLEWARE, "allauth.account.middleware.AccountMiddleware"]
AUTHENTICATION_BACKENDS = [*USUAL_BACKENDS, "allauth.account.auth_backends.AuthenticationBackend"]
ROOT_URLCONF = "tests.profiles.packages.allauth_urls"
