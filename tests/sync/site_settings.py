"""Settings of a small site that runs in another process, with a database file."""

import os

SECRET_KEY = "only-for-tests"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "tests.custom_user.urls"
LOGIN_URL = "logto_auth:sign-in"
INSTALLED_APPS = ["logto_auth", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "logto_auth.middleware.LogtoMiddleware",
]
AUTHENTICATION_BACKENDS = ["logto_auth.backends.LogtoBackend"]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["SYNC_DATABASE"],
        "OPTIONS": {"timeout": 30, "transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode = WAL"},
    }
}
LOGTO_ENDPOINT = os.environ["LOGTO_ENDPOINT"]
LOGTO_APP_ID = LOGTO_APP_SECRET = os.environ.get("LOGTO_APP_ID", "not-used-by-most-commands")
LOGTO_M2M_APP_ID = os.environ["LOGTO_M2M_APP_ID"]
LOGTO_M2M_APP_SECRET = os.environ["LOGTO_M2M_APP_SECRET"]
