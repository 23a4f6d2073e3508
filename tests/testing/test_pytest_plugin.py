"""The pytest plugin: when it is loaded, and which URLs the emulator knows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from logto_auth.emulator import Emulator, Visitor
from logto_auth.testing import Browser, register_site

SIGN_IN = """
import pytest
from django.contrib.auth import get_user_model


@pytest.mark.django_db
def test_sign_in(browser, logto):
    logto.tenant.add_user(username="reader")
    assert browser.sign_in("reader").status_code == 302
    assert get_user_model().objects.get().username == "reader"
    assert browser.sign_out() == "http://testserver/"
"""
URLS = """
from django.urls import include, path

urlpatterns = [path("", include("logto_auth.urls"))]
"""
SETTINGS_IN_CONFTEST = """
from django.conf import settings

settings.configure(
    SECRET_KEY="only-for-tests",
    ROOT_URLCONF="shop_urls",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=[
        "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "logto_auth"
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "logto_auth.middleware.LogtoMiddleware",
    ],
    AUTHENTICATION_BACKENDS=["logto_auth.backends.LogtoBackend"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    LOGIN_URL="logto_auth:sign-in",
    LOGIN_REDIRECT_URL="/",
)
"""


@pytest.mark.parametrize("is_first", [True, False], ids=["plugin first", "settings first"])
def test_plugin_works_with_settings_configured_in_conftest(tmp_path: Path, is_first: bool) -> None:
    plugin = 'pytest_plugins = ["logto_auth.testing.pytest_plugin"]\n'
    # An import, too, is often above the settings.
    imports = "from logto_auth.testing import Browser\n"
    parts = [plugin, imports, SETTINGS_IN_CONFTEST] if is_first else [SETTINGS_IN_CONFTEST, imports, plugin]
    # The folder for temporary files may be inside of this project, which has settings of its own.
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "conftest.py").write_text("".join(parts))
    (tmp_path / "shop_urls.py").write_text(URLS)
    (tmp_path / "test_site.py").write_text(SIGN_IN)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "PYTEST_"))}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "test_site.py"],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.fixture
def settings_of_a_server(settings: Any) -> None:
    settings.LOGTO_BASE_URL = "https://shop.example"
    # Nothing listens there, so a request to it would fail.
    settings.LOGTO_INTERNAL_ENDPOINT = "http://localhost:9"
    settings.LOGTO_INTERNAL_BASE_URL = "http://web:8000"
    settings.LOGTO_MANAGEMENT_API_RESOURCE = "https://abc123.logto.app/api"
    settings.LOGOUT_REDIRECT_URL = "/goodbye/"


@pytest.mark.django_db
def test_sign_out_returns_to_the_page_of_the_settings(settings_of_a_server: None, logto: Emulator) -> None:
    logto.tenant.add_user(username="reader")
    browser = Browser(logto)
    browser.sign_in("reader")
    assert browser.sign_out() == "http://testserver/goodbye/"


@pytest.mark.django_db
def test_other_hosts_can_be_registered(logto: Emulator, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["harbour.shop.example"]
    register_site(logto, "http://harbour.shop.example")
    logto.tenant.add_user(username="reader")
    browser = Browser(logto)
    browser.client.defaults["HTTP_HOST"] = "harbour.shop.example"
    assert browser.sign_in("reader").status_code == 302


@pytest.mark.django_db(transaction=True)
def test_live_server_is_registered(logto: Emulator, live_server: Any, settings: Any) -> None:
    # It speaks http.
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = False
    logto.tenant.add_user(username="reader")
    site, visitor = requests.Session(), Visitor(logto)
    site.trust_env = False

    def location(method: str, url: str, **fields: str) -> str:
        response = site.request(method, url, data=fields, allow_redirects=False, timeout=10)
        assert response.status_code == 302, response.text
        return response.headers["Location"]

    callback = visitor.sign_in(location("GET", f"{live_server.url}/sign-in?next=/orders/"), "reader")
    assert callback.startswith(f"{live_server.url}/callback?")
    assert location("GET", callback) == "/orders/"
    site.get(f"{live_server.url}/", timeout=10)
    token = site.cookies[settings.CSRF_COOKIE_NAME]
    end_session = location("POST", f"{live_server.url}/sign-out", csrfmiddlewaretoken=token)
    assert visitor.sign_out(end_session) == f"{live_server.url}/"


@pytest.mark.django_db
def test_failed_sign_in_names_the_reason(browser: Browser, logto: Emulator, settings: Any) -> None:
    settings.LOGTO_RESOURCES = ["https://shop.example/api"]
    logto.tenant.add_user(username="reader")
    response = browser.sign_in("reader", next_url="/orders/")
    assert response.context["code"] == response.error.code
    with pytest.raises(AssertionError, match=r"The sign-in failed: .*invalid_target"):
        assert response.url == "/orders/"
