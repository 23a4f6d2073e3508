"""The small site. Settings that differ between its instances come from the environment."""

import os

SECRET_KEY = "only-for-tests"
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "tests.scale.urls"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = ["logto_auth", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"]
MIDDLEWARE = [
    "tests.scale.urls.worker_middleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "logto_auth.middleware.LogtoMiddleware",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["SCALE_DATABASE"],
        "HOST": os.environ.get("PGHOST", "127.0.0.1"),
        "USER": os.environ.get("PGUSER", "postgres"),
        "PASSWORD": os.environ.get("PGPASSWORD", ""),
    }
}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": os.environ["SCALE_REDIS_URL"],
        "KEY_PREFIX": os.environ["SCALE_DATABASE"],
    }
}
SESSION_ENGINE = f"django.contrib.sessions.backends.{os.environ['SCALE_SESSION_ENGINE']}"

AUTHENTICATION_BACKENDS = ["logto_auth.backends.LogtoBackend"]
LOGIN_URL = "logto_auth:sign-in"
LOGIN_REDIRECT_URL = "/"
LOGTO_ENDPOINT = os.environ["LOGTO_ENDPOINT"]
LOGTO_APP_ID = os.environ["LOGTO_APP_ID"]
LOGTO_APP_SECRET = os.environ["LOGTO_APP_SECRET"]
LOGTO_WEBHOOK_SIGNING_KEY = "only-for-tests-of-many-processes"
LOGTO_RESOURCES = [f"https://api{number}.example" for number in range(4)]
LOGTO_HTTP_TIMEOUT_SECONDS = (2, float(os.environ["SCALE_TIMEOUT_SECONDS"]))
