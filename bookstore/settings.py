"""Settings of the bookstore: everything that differs between machines comes from the environment.

The sign-in settings are under "Logto" below; the rest is an ordinary Django site.
"""

import os
from importlib.util import find_spec
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = os.environ.get("DJANGO_DEBUG", "1") != "0"

INSECURE_DEMO_KEY = "insecure-demo-key-for-this-computer-only"
SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", INSECURE_DEMO_KEY if DEBUG else "")
if not SECRET_KEY:
    raise ImproperlyConfigured("DJANGO_DEBUG=0 needs a secret key of its own: set DJANGO_SECRET_KEY.")

ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", *os.environ.get("DJANGO_ALLOWED_HOSTS", "").split()]

INSTALLED_APPS = [
    "logto_auth",
    "logto_auth.audit",
    "logto_auth.apps.LogtoAdminConfig",  # in place of "django.contrib.admin"
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "bookstore.core",
    "bookstore.catalog",
    "bookstore.orders",
    "bookstore.account",
    "bookstore.branches",
    "bookstore.api",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "bookstore.core.middleware.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "logto_auth.middleware.LogtoMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "bookstore.urls"
WSGI_APPLICATION = "bookstore.wsgi.application"
ASGI_APPLICATION = "bookstore.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "logto_auth.context_processors.logto",
                "bookstore.orders.context_processors.basket",
            ],
        },
    },
]

# SQLite needs no installation; POSTGRES_DB in the environment selects PostgreSQL instead.
if "POSTGRES_DB" in os.environ:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": os.environ["POSTGRES_DB"],
            "USER": os.environ.get("POSTGRES_USER", ""),
            "PASSWORD": os.environ.get("POSTGRES_PASSWORD", ""),
            "HOST": os.environ.get("POSTGRES_HOST", ""),
            "PORT": os.environ.get("POSTGRES_PORT", ""),
        }
    }
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ.get("SQLITE_PATH", BASE_DIR / "db.sqlite3"),
            # Take the write lock at the start of a transaction: two checkouts wait instead of failing.
            "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20},
        }
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Languages

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ja", _("Japanese")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / "bookstore" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "bookstore" / "static"]

# All ports of localhost share cookies, so these have names of their own.
SESSION_COOKIE_NAME = "bookstore_session"
CSRF_COOKIE_NAME = "bookstore_csrf"
LANGUAGE_COOKIE_NAME = "bookstore_language"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = not DEBUG
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = not DEBUG
SECURE_HSTS_SECONDS = 0 if DEBUG else 3600
X_FRAME_OPTIONS = "DENY"

# Print errors with and without DEBUG; Django's default is to mail them.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"django": {"handlers": [], "level": "INFO"}},
}

# Logto

AUTHENTICATION_BACKENDS = [
    "logto_auth.backends.LogtoBackend",
    "django.contrib.auth.backends.ModelBackend",
]
LOGIN_URL = "logto_auth:sign-in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"

PORT = os.environ.get("PORT", "8000")
EMULATOR_PORT = os.environ.get("EMULATOR_PORT", "3001")

# With none of these in the environment, the site signs in with the emulator that `manage.py demo` starts.
OWN_LOGTO_VARIABLES = ("LOGTO_ENDPOINT", "LOGTO_APP_ID", "LOGTO_APP_SECRET")
OWN_API_RESOURCE = os.environ.get("LOGTO_API_RESOURCE", "")
USES_EMULATOR = not (OWN_API_RESOURCE or any(os.environ.get(name) for name in OWN_LOGTO_VARIABLES))
if USES_EMULATOR:
    LOGTO_ENDPOINT = f"http://localhost:{EMULATOR_PORT}"
    LOGTO_APP_ID = "bookstoredemo00000001"
    LOGTO_APP_SECRET = "emulatoronlysecret00000000000001"  # noqa: S105 - valid only for the emulator
else:
    LOGTO_ENDPOINT, LOGTO_APP_ID, LOGTO_APP_SECRET = (os.environ.get(name, "") for name in OWN_LOGTO_VARIABLES)
    LOGTO_INTERNAL_ENDPOINT = os.environ.get("LOGTO_INTERNAL_ENDPOINT", "")
LOGTO_INTERNAL_BASE_URL = os.environ.get("LOGTO_INTERNAL_BASE_URL", "")
# The one origin that has to be registered. A sign-in at 127.0.0.1 goes to it first. The emulator accepts both.
LOGTO_BASE_URL = os.environ.get("LOGTO_BASE_URL", "" if USES_EMULATOR or not DEBUG else f"http://localhost:{PORT}")

LOGTO_SCOPES = (
    "openid",
    "offline_access",
    "profile",
    "email",
    "phone",
    "address",
    "custom_data",
    "identities",
    "roles",
    "urn:logto:scope:sessions",
    "urn:logto:scope:organizations",
    "urn:logto:scope:organization_roles",
    "read:books",
    "write:books",
    "manage:stock",
    "invite:members",
    "manage:members",
    "manage:joining",
)
# The names of the branches, by one call to userinfo at each sign-in: ID tokens have only ids.
LOGTO_USERINFO_CLAIMS = ("organization_data",)
# How soon a change at Logto takes effect here. The default is the lifetime of the ID token.
if os.environ.get("LOGTO_FRESHNESS_SECONDS"):
    LOGTO_FRESHNESS_SECONDS = int(os.environ["LOGTO_FRESHNESS_SECONDS"])
LOGTO_STAFF_ROLES = ("admin",)
LOGTO_SUPERUSER_ROLES = ("admin",)
LOGTO_GROUPS_BY_ROLE = {"editor": "Editors"}
LOGTO_ADMIN_PASSWORD_SIGN_IN = False

# The API. The first call of a mobile app may come from a user who never visited the website.
LOGTO_API_RESOURCE = OWN_API_RESOURCE or "https://bookstore.example/api"
LOGTO_API_SCOPES = ("read:books", "write:books")
LOGTO_API_CREATE_USERS = True
# The resources of a sign-in. Permissions in organizations need the first one, which every Logto has. Logto rejects a
# sign-in that names an unknown API resource, so with a real Logto the second one is sent only if it is configured.
LOGTO_RESOURCES = ("urn:logto:resource:organizations",)
if USES_EMULATOR or OWN_API_RESOURCE:
    LOGTO_RESOURCES += (LOGTO_API_RESOURCE,)
# The export of all orders requires a second factor. The proof is in an access token for that resource.
LOGTO_SECOND_FACTOR = LOGTO_API_RESOURCE in LOGTO_RESOURCES

# The MCP endpoint, where agents work for readers. Its URL is also the indicator of its API resource, because an MCP
# client accepts no other one. Without DEBUG, the URL is known only if LOGTO_BASE_URL is set.
SITE_URL = LOGTO_BASE_URL or (f"http://localhost:{PORT}" if DEBUG else "")
MCP_URL = f"{SITE_URL}/mcp" if SITE_URL else ""
# django-mcpz needs Python 3.11. Without it, the shop has no such endpoint.
HAS_MCP = bool(MCP_URL) and find_spec("django_mcpz") is not None
LOGTO_API_RESOURCES = {MCP_URL: ("mcp:tools", "read:orders", "write:stock")} if HAS_MCP else {}

REST_FRAMEWORK = {
    # Sessions are for the pages of the shop and the API page. A token has priority.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "logto_auth.contrib.rest_framework.LogtoAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Bookstore API",
    "VERSION": "1",
    "DESCRIPTION": "Books for everyone, orders for their users, stock for the branches.",
    "OAS_VERSION": "3.1.1",  # 3.0 cannot describe the scopes of a bearer token
    "SCHEMA_PATH_PREFIX": "/api",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "bookstore.api.schema.document_missing_sign_in",
    ],
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "AUTHENTICATION_WHITELIST": [
        "bookstore.api.base.TokenOrKeyAuthentication",
        "logto_auth.contrib.rest_framework.LogtoAuthentication",
        "logto_auth.contrib.rest_framework.LogtoOrganizationAuthentication",
        "logto_auth.organizations.console.api_base.ConsoleAuthentication",
    ],
}

# The declaration for `manage.py logto_setup`, and the machine-to-machine application that calls the Management API.
LOGTO_TENANT = "bookstore.tenant.TENANT"
if USES_EMULATOR:
    LOGTO_M2M_APP_ID = "bookstoresetup0000001"
    LOGTO_M2M_APP_SECRET = "emulatoronlysecret00000000000003"  # noqa: S105 - valid only for the emulator
else:
    LOGTO_M2M_APP_ID = os.environ.get("LOGTO_M2M_APP_ID", "")
    LOGTO_M2M_APP_SECRET = os.environ.get("LOGTO_M2M_APP_SECRET", "")
    # Only a tenant of Logto Cloud with a custom domain needs it.
    LOGTO_MANAGEMENT_API_RESOURCE = os.environ.get("LOGTO_MANAGEMENT_API_RESOURCE", "")
# The console in which owners and managers run their branches calls the Management API.
HAS_BRANCH_CONSOLE = bool(LOGTO_M2M_APP_ID)
# So do the pages for API keys, which are personal access tokens at Logto.
HAS_API_KEYS = bool(LOGTO_M2M_APP_ID)
# So does support access: staff act as a customer, with tokens that Logto issues for it.
HAS_SUPPORT_ACCESS = bool(LOGTO_M2M_APP_ID)
# Only the Management API deletes users. Without it the shop has no page for that.
LOGTO_DELETE_ACCOUNT = "bookstore.account.deletion.delete_account" if LOGTO_M2M_APP_ID else ""
LOGTO_WEBHOOK_SIGNING_KEY = os.environ.get("LOGTO_WEBHOOK_SIGNING_KEY", "")
