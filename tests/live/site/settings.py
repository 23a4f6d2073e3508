"""The settings of the site under test. What differs between sites comes from the environment."""

import os
from pathlib import Path

from .declaration import (
    API,
    HAS_ACCOUNT_PAGES,
    HAS_AGENTS,
    HAS_CONSOLE,
    HAS_SECOND_FACTOR,
    INVITE,
    MANAGE_STOCK,
    MCP,
    MCP_SCOPES,
    MOVES_PASSWORDS,
)

FOLDER = Path(os.environ["LIVE_FOLDER"])
SECRET_KEY = "only-for-tests"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "tests.live.site.urls"
USE_TZ = True
STATIC_URL = "/static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = ["logto_auth", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"]
MIDDLEWARE = [
    "tests.live.site.urls.note_calls",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "logto_auth.middleware.LogtoMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FOLDER / "site.sqlite3", "OPTIONS": {"timeout": 20}}
}
AUTHENTICATION_BACKENDS = ["logto_auth.backends.LogtoBackend", "django.contrib.auth.backends.ModelBackend"]
LOGIN_URL = "logto_auth:sign-in"
LOGIN_REDIRECT_URL = "/"

LOGTO_ENDPOINT = os.environ["LOGTO_ENDPOINT"]
LOGTO_INTERNAL_ENDPOINT = os.environ["LOGTO_INTERNAL_ENDPOINT"]
LOGTO_APP_ID = os.environ.get("LOGTO_APP_ID", "")
LOGTO_APP_SECRET = os.environ.get("LOGTO_APP_SECRET", "")
LOGTO_WEBHOOK_SIGNING_KEY = os.environ.get("LOGTO_WEBHOOK_SIGNING_KEY", "")
LOGTO_M2M_APP_ID = os.environ["LOGTO_M2M_APP_ID"]
LOGTO_M2M_APP_SECRET = os.environ["LOGTO_M2M_APP_SECRET"]
LOGTO_MANAGEMENT_API_RESOURCE = os.environ.get("LOGTO_MANAGEMENT_API_RESOURCE", "")
LOGTO_BASE_URL = os.environ["LIVE_URL"]
LOGTO_INTERNAL_BASE_URL = os.environ["LOGTO_INTERNAL_BASE_URL"]
LOGTO_TENANT = "tests.live.site.declaration.TENANT"
LOGTO_API_RESOURCE = API
LOGTO_SECOND_FACTOR = HAS_SECOND_FACTOR
LOGTO_API_SCOPES = ["read:books", "write:books"]
LOGTO_BROWSER_TOKENS = {API: ["read:books"]} if os.environ["LIVE_REFRESH_TOKENS"] else {}
LOGTO_RESOURCES = [API, "urn:logto:resource:organizations"]
LOGTO_SCOPES = [
    "openid",
    *(["offline_access"] if os.environ["LIVE_REFRESH_TOKENS"] else []),
    "profile",
    "email",
    "roles",
    "urn:logto:scope:organizations",
    "urn:logto:scope:organization_roles",
    "read:books",
    "write:books",
    MANAGE_STOCK,
]
if MOVES_PASSWORDS:
    INSTALLED_APPS += ["logto_auth.password_migration"]
    LOGTO_PASSWORD_MIGRATION_KEY = "only-for-tests-only-for-tests-only-for-tests"
    LOGTO_PASSWORD_MIGRATION_UNTIL = "2999-12-31"
    # Kinds of hashes that Logto does not take.
    PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.ScryptPasswordHasher",
        "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
    ]
if HAS_ACCOUNT_PAGES:
    # The page of the phone number has to ask for its scope.
    LOGTO_SCOPES += ["identities", "urn:logto:scope:sessions"]
if HAS_CONSOLE:
    LOGTO_SCOPES += [INVITE]
    INSTALLED_APPS += ["rest_framework"]
if HAS_AGENTS:
    LOGTO_API_RESOURCES = {MCP: list(MCP_SCOPES)}
    LOGTO_RESOURCES += [MCP]
    LOGTO_SCOPES += list(MCP_SCOPES)
    LOGTO_API_KEY_SECONDS = 1
if os.environ.get("LIVE_FRESHNESS_SECONDS"):
    LOGTO_FRESHNESS_SECONDS = int(os.environ["LIVE_FRESHNESS_SECONDS"])
