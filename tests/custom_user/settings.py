from tests import settings as usual

DATABASES = usual.DATABASES
SECRET_KEY = "only-for-tests"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "logto_auth",
    "tests.custom_user.members",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
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
ROOT_URLCONF = "tests.custom_user.urls"
AUTH_USER_MODEL = "members.Member"
AUTHENTICATION_BACKENDS = ["logto_auth.backends.LogtoBackend"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
LOGIN_URL = "logto_auth:sign-in"
LOGIN_REDIRECT_URL = "/"
LOGTO_SCOPES = ("openid", "profile", "email", "phone", "roles")
LOGTO_USER_FIELDS = "tests.custom_user.mapping.member_fields"
# This model has no such flags and no groups.
LOGTO_STAFF_ROLES = ("admin",)
LOGTO_GROUPS_BY_ROLE = {"editor": "Editors"}
