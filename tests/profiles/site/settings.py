"""The settings of an ordinary site. A profile imports them all and changes one thing."""

from tests import settings as usual
from tests.rights import API, ORGANIZATIONS, SCOPES

DATABASES = usual.DATABASES
SECRET_KEY = "only-for-tests"
ALLOWED_HOSTS = ["testserver", "localhost"]
INSTALLED_APPS = [
    "logto_auth",
    "logto_auth.apps.LogtoAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "rest_framework",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "logto_auth.middleware.LogtoMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "logto_auth.context_processors.logto",
            ],
        },
    },
]
ROOT_URLCONF = "tests.profiles.site.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "Asia/Tokyo"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ja", "Japanese")]
STATIC_URL = "static/"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
AUTHENTICATION_BACKENDS = ["logto_auth.backends.LogtoBackend", "django.contrib.auth.backends.ModelBackend"]
LOGIN_URL = "logto_auth:sign-in"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "home"

# The fixture `logto` starts an emulator and sets endpoint, App ID and App secret.
LOGTO_ENDPOINT = "http://localhost:9"
LOGTO_APP_ID = "testapp00000000000001"
LOGTO_APP_SECRET = "testsecret0000000000000000000001"
LOGTO_SCOPES = (*SCOPES, "email")
LOGTO_RESOURCES = (API, ORGANIZATIONS)
LOGTO_API_RESOURCE = API
LOGTO_API_CREATE_USERS = True
LOGTO_STAFF_ROLES = LOGTO_SUPERUSER_ROLES = ("admin",)
LOGTO_GROUPS_BY_ROLE = {"editor": "Editors"}
LOGTO_WEBHOOK_SIGNING_KEY = "WZjZXvEsntxQUEKE4kYC8Ed9A8laShny"


def second_database(name: str) -> dict[str, object]:
    """Return the configuration of another database, on the same server as `default`."""
    database = dict(DATABASES["default"])
    if test := database.get("TEST"):
        database["TEST"] = {**test, "NAME": f"{test['NAME']}_{name}"}
    else:
        database["NAME"] = f"{database['NAME']}_{name}"
    return database


# What fails on every site, with the id of the fault.
PROFILE_FAULTS: dict[str, list[str]] = {}
