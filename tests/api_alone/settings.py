"""A site that is only an API: no sessions, no middleware, no LogtoBackend, no application at Logto."""

from tests import settings as usual

DATABASES = usual.DATABASES
SECRET_KEY = "only-for-tests"
ALLOWED_HOSTS = ["testserver"]
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "rest_framework",
    "logto_auth",
]
MIDDLEWARE = []
ROOT_URLCONF = "tests.api_alone.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
LOGTO_ENDPOINT = "https://auth.bookstore.example"
LOGTO_API_RESOURCE = "https://bookstore.example/api"
LOGTO_API_CREATE_USERS = True
