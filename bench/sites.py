"""The candidates: a minimal site for each, as in its documentation."""

from __future__ import annotations

from typing import Any

SITE = "http://testserver"
SCOPES = ("openid", "profile", "email")
BASE_MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
BASE_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"]

# The URLs where each candidate starts and finishes a sign-in.
START = {
    "logto_auth": "/sign-in",
    "mozilla-django-oidc": "/oidc/authenticate/",
    "django-allauth": "/accounts/oidc/logto/login/",
}
CALLBACK = {
    "logto_auth": "/callback",
    "mozilla-django-oidc": "/oidc/callback/",
    "django-allauth": "/accounts/oidc/logto/login/callback/",
}


def settings(candidate: str, *, endpoint: str, app_id: str, app_secret: str) -> dict[str, Any]:
    """Return Django's settings for the site of `candidate`."""
    own = {"logto_auth": _logto_auth, "mozilla-django-oidc": _mozilla, "django-allauth": _allauth}[candidate]
    return {
        "SECRET_KEY": "only-for-the-benchmark",
        "ALLOWED_HOSTS": ["testserver"],
        "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        "ROOT_URLCONF": "bench.urls",
        "USE_TZ": True,
        "LOGIN_REDIRECT_URL": "/",
        "LOGGING_CONFIG": None,
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
            }
        ],
        **own(endpoint, app_id, app_secret),
    }


def _logto_auth(endpoint: str, app_id: str, app_secret: str) -> dict[str, Any]:
    return {
        "INSTALLED_APPS": [*BASE_APPS, "logto_auth"],
        "MIDDLEWARE": [*BASE_MIDDLEWARE, "logto_auth.middleware.LogtoMiddleware"],
        "AUTHENTICATION_BACKENDS": ["logto_auth.backends.LogtoBackend"],
        "LOGTO_ENDPOINT": endpoint,
        "LOGTO_APP_ID": app_id,
        "LOGTO_APP_SECRET": app_secret,
        "LOGTO_SCOPES": SCOPES,
    }


def _mozilla(endpoint: str, app_id: str, app_secret: str) -> dict[str, Any]:
    return {
        "INSTALLED_APPS": [*BASE_APPS, "mozilla_django_oidc"],
        "MIDDLEWARE": BASE_MIDDLEWARE,
        "AUTHENTICATION_BACKENDS": ["mozilla_django_oidc.auth.OIDCAuthenticationBackend"],
        "OIDC_RP_CLIENT_ID": app_id,
        "OIDC_RP_CLIENT_SECRET": app_secret,
        "OIDC_RP_SIGN_ALGO": "ES384",
        "OIDC_RP_SCOPES": " ".join(SCOPES),
        "OIDC_USE_PKCE": True,
        "OIDC_OP_AUTHORIZATION_ENDPOINT": f"{endpoint}/oidc/auth",
        "OIDC_OP_TOKEN_ENDPOINT": f"{endpoint}/oidc/token",
        "OIDC_OP_USER_ENDPOINT": f"{endpoint}/oidc/me",
        "OIDC_OP_JWKS_ENDPOINT": f"{endpoint}/oidc/jwks",
    }


def _allauth(endpoint: str, app_id: str, app_secret: str) -> dict[str, Any]:
    app = {
        "provider_id": "logto",
        "name": "Logto",
        "client_id": app_id,
        "secret": app_secret,
        "settings": {"server_url": f"{endpoint}/oidc/.well-known/openid-configuration"},
    }
    return {
        "INSTALLED_APPS": [
            *BASE_APPS,
            "django.contrib.messages",
            "allauth",
            "allauth.account",
            "allauth.socialaccount",
            "allauth.socialaccount.providers.openid_connect",
        ],
        "MIDDLEWARE": [
            *BASE_MIDDLEWARE,
            "django.contrib.messages.middleware.MessageMiddleware",
            "allauth.account.middleware.AccountMiddleware",
        ],
        "AUTHENTICATION_BACKENDS": ["allauth.account.auth_backends.AuthenticationBackend"],
        "SOCIALACCOUNT_LOGIN_ON_GET": True,
        "SOCIALACCOUNT_AUTO_SIGNUP": True,
        "ACCOUNT_EMAIL_VERIFICATION": "none",
        "SOCIALACCOUNT_PROVIDERS": {
            "openid_connect": {"OAUTH_PKCE_ENABLED": True, "SCOPE": list(SCOPES), "APPS": [app]}
        },
    }
