"""A site with Django's usual middleware, sessions in the database and templates, for `bench.pages`."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import django
from django.conf import settings as django_settings

from . import sites

SETTINGS_VARIABLE = "BENCH_PAGE_SITE"
BOOKS = [{"number": number, "title": f"Book {number} & more", "price": 4 + number / 4} for number in range(10)]


def settings(logto: dict[str, str], database: str) -> dict[str, Any]:
    """Return Django's settings: those of `startproject` that a page uses."""
    bench = sites.settings("logto_auth", **logto)
    processors = ["context_processors.request", "context_processors.auth", "context_processors.messages"]
    paths = ["django.template.", "django.contrib.auth.", "django.contrib.messages."]
    return {
        **bench,
        "ALLOWED_HOSTS": ["testserver", "127.0.0.1"],
        "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database}},
        "INSTALLED_APPS": [*bench["INSTALLED_APPS"], "django.contrib.messages"],
        "MIDDLEWARE": [
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "logto_auth.middleware.LogtoMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "DIRS": [str(Path(__file__).parent / "templates")],
                "OPTIONS": {"context_processors": [path + name for path, name in zip(paths, processors, strict=True)]},
            }
        ],
        "ROOT_URLCONF": "bench.page_urls",
        "LOGTO_SCOPES": (
            *sites.SCOPES,
            "roles",
            "urn:logto:scope:organizations",
            "urn:logto:scope:organization_roles",
        ),
    }


def application() -> Any:
    """Return the WSGI application for gunicorn; its settings are in the environment, as JSON."""
    django_settings.configure(**json.loads(os.environ[SETTINGS_VARIABLE]))
    django.setup()
    from django.core.wsgi import get_wsgi_application

    site = get_wsgi_application()

    def with_clock(environ: dict[str, Any], start_response: Any) -> Any:
        """Answer `/cpu-seconds` with the CPU time of this process."""
        if environ["PATH_INFO"] != "/cpu-seconds":
            return site(environ, start_response)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [str(time.process_time()).encode()]

    return with_clock
