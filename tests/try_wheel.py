"""`make build` runs this in an empty environment that holds nothing but the wheel and what it depends on."""

import importlib.metadata
from importlib import resources

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="only-to-try-the-wheel",
    INSTALLED_APPS=[
        "logto_auth",
        "logto_auth.apps.LogtoAdminConfig",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "logto_auth.middleware.LogtoMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    AUTHENTICATION_BACKENDS=["logto_auth.backends.LogtoBackend"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    ROOT_URLCONF="logto_auth.urls",
    LOGIN_URL="/sign-in",
    LOGTO_ENDPOINT="https://auth.example.com",
    LOGTO_APP_ID="someapp",
    LOGTO_APP_SECRET="somesecret",
)
django.setup()

from django.core.management import call_command  # noqa: E402

call_command("migrate", verbosity=0)
call_command("makemigrations", "--check", "--dry-run", verbosity=0)

package = resources.files("logto_auth")
for needed in (
    "py.typed",
    "templates/logto_auth/error.html",
    "locale/ja/LC_MESSAGES/django.mo",
    "tenant/authentication_methods.js",
    "emulator/pages/templates/sign_in.html",
):
    assert package.joinpath(needed).is_file(), f"The wheel lacks {needed}."

try:
    import logto_auth.emulator  # noqa: F401
except ImportError as error:
    assert 'pip install "logto_auth[emulator]"' in str(error), error
else:
    raise AssertionError("The emulator needs an extra, and was imported without it.")

installed = {name.split(".")[0] for name in importlib.metadata.packages_distributions()}
assert not installed & {"bookstore", "tests", "bench", "flask", "rest_framework"}, installed
print(f"logto-auth {importlib.metadata.version('logto-auth')} is complete.")
