"""The classes as REST framework's defaults, which it imports while it is being imported itself."""

from __future__ import annotations

import subprocess
import sys

import pytest

SITE = """
import django
from django.conf import settings

settings.configure(
    INSTALLED_APPS=[
        "django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions", {apps} "logto_auth"
    ],
    REST_FRAMEWORK={{
        "DEFAULT_AUTHENTICATION_CLASSES": ["logto_auth.contrib.rest_framework.LogtoAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["logto_auth.contrib.rest_framework.IsUser"],
    }},
)
django.setup()
import {first}
from rest_framework.views import APIView
print([each.__name__ for each in (*APIView.authentication_classes, *APIView.permission_classes)])
"""


@pytest.mark.parametrize("apps", ["", '"drf_spectacular",'], ids=["without spectacular", "with spectacular"])
@pytest.mark.parametrize("first", ["rest_framework.views", "logto_auth.contrib.rest_framework"])
def test_classes_can_be_default_in_settings(apps: str, first: str) -> None:
    site = SITE.format(apps=apps, first=first)
    run = subprocess.run([sys.executable, "-c", site], capture_output=True, text=True, timeout=60)
    assert run.stdout == "['LogtoAuthentication', 'IsUser']\n", run.stderr
