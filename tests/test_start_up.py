"""What `django.setup()` imports, and what a server imports before its first request."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HEAVY = {"cryptography", "jwt", "mozilla_django_oidc", "requests", "urllib3"}
HEAVY_OF_APIS = {"drf_spectacular.extensions", "rest_framework.views"}
SET_UP = f"""
import sys

from django.conf import settings

settings.configure(
    SECRET_KEY="only-for-tests",
    INSTALLED_APPS=[
        "logto_auth.apps.LogtoAdminConfig",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "rest_framework",
        "drf_spectacular",
        "logto_auth",
        "logto_auth.audit",
    ],
    AUTHENTICATION_BACKENDS=["logto_auth.backends.LogtoBackend"],
    MIDDLEWARE=["logto_auth.middleware.LogtoMiddleware"],
)
import django

django.setup()
HEAVY = {HEAVY!r}
"""


def run(code: str) -> list[str]:
    """Return the words that the code prints in a new process, after `django.setup()`."""
    done = subprocess.run(
        [sys.executable, "-c", SET_UP + code],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_set_up_imports_no_heavy_module() -> None:
    modules = set(run("print(*sys.modules)"))
    assert modules & (HEAVY | HEAVY_OF_APIS) == set()


def test_openapi_extension_is_loaded_with_the_classes_of_apis() -> None:
    code = """
import logto_auth.contrib.rest_framework
from drf_spectacular.extensions import OpenApiAuthenticationExtension

print(*(each.__name__ for each in OpenApiAuthenticationExtension._registry))
"""
    assert {"LogtoScheme", "LogtoOrganizationScheme"} <= set(run(code))


def test_set_up_imports_few_of_our_modules() -> None:
    ours = run("print(*(name for name in sys.modules if name.startswith('logto_auth')))")
    assert len(ours) <= 37, ours


def test_server_imports_everything_before_the_first_request() -> None:
    code = """
from django.core.wsgi import get_wsgi_application

get_wsgi_application()
print(*HEAVY & set(sys.modules), *({"logto_auth.backends"} & set(sys.modules)))
"""
    assert set(run(code)) == HEAVY | {"logto_auth.backends"}


def test_types_of_management_api_are_for_type_checkers_only() -> None:
    code = """
from django.core.wsgi import get_wsgi_application

import logto_auth.management.commands.logto_connectors
import logto_auth.management.commands.logto_doctor
import logto_auth.management.commands.logto_import
import logto_auth.management.commands.logto_setup
import logto_auth.management.commands.logto_sync

get_wsgi_application()
print("logto_auth.management_api.resources" in sys.modules, "logto_auth.management_api.types" in sys.modules)
"""
    assert run(code) == ["True", "False"]


def test_checks_and_receivers_run_although_imported_late() -> None:
    code = """
from django.core.checks import run_checks
from django.contrib.auth.signals import user_logged_out
from django.db.models.signals import post_save, pre_delete

print(*sorted(message.id for message in run_checks(include_deployment_checks=True) if "logto_auth" in message.id))
print(len(user_logged_out.receivers), len(post_save.receivers), len(pre_delete.receivers))
"""
    *ids, signed_out, saved, deleted = run(code)
    assert {"logto_auth.E002", "logto_auth.E030", "logto_auth.W007"} <= set(ids)
    # Three of them are of the audit trail.
    assert (signed_out, saved, deleted) == ("1", "3", "3")
