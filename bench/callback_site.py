"""The site of a candidate on gunicorn and PostgreSQL, for `bench.callbacks`. It times what it does."""

from __future__ import annotations

import json
import os
import time
from typing import Any

import django
import requests
from django.conf import settings as django_settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

from . import sites

SETTINGS_VARIABLE = "BENCH_CALLBACK_SITE"


def settings(candidate: str, logto: dict[str, str], database: str) -> dict[str, Any]:
    """Return Django's settings: those of the candidate, with a database as in production."""
    connection = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": database,
        "HOST": os.environ.get("PGHOST", "127.0.0.1"),
        "USER": os.environ.get("PGUSER", "postgres"),
        "PASSWORD": os.environ.get("PGPASSWORD", ""),
        "CONN_MAX_AGE": 60,
    }
    return {**sites.settings(candidate, **logto), "DATABASES": {"default": connection}}


def migrate() -> None:
    """Create the tables."""
    _set_up()
    call_command("migrate", verbosity=0)


def _set_up() -> None:
    django_settings.configure(**json.loads(os.environ[SETTINGS_VARIABLE]))
    django.setup()


def application() -> Any:
    """Return the WSGI application for gunicorn; its settings are in the environment, as JSON.

    `/times` answers with the milliseconds of the request before it: all of it, those in calls to Logto, and CPU time.
    """
    _set_up()
    site = get_wsgi_application()
    times = {"all": 0.0, "logto": 0.0, "cpu": 0.0}
    send = requests.adapters.HTTPAdapter.send

    def timed_send(*args: Any, **kwargs: Any) -> Any:
        began_at = time.perf_counter()
        try:
            return send(*args, **kwargs)
        finally:
            times["logto"] += 1000 * (time.perf_counter() - began_at)

    requests.adapters.HTTPAdapter.send = timed_send  # type: ignore[method-assign]

    def timed(environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"] == "/times":
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(times).encode()]
        times["logto"] = 0.0
        began_at, cpu_began_at = time.perf_counter(), time.process_time()
        response = site(environ, start_response)
        response.close()  # ends the request: Django closes or keeps its connections
        times["all"] = 1000 * (time.perf_counter() - began_at)
        times["cpu"] = 1000 * (time.process_time() - cpu_began_at)
        return list(response)

    return timed
