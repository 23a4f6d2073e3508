"""What the guides to sign-in options, Alipay and the admin say."""

from __future__ import annotations

import sys
import unittest
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.urls import path

import bookstore.urls
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.testing import Browser, pytest_plugin

User = get_user_model()


def test_registration_has_its_own_url(client: Any, logto: Emulator, settings: Any, modules: Any) -> None:
    modules("docs/how-to/sign-in-options.md")
    settings.ROOT_URLCONF = "shop.urls"
    assert "first_screen=register" in client.get("/join").url


@pytest.mark.django_db
def test_view_starts_a_sign_in(client: Any, logto: Emulator, settings: Any, modules: Any) -> None:
    view = modules("docs/how-to/sign-in-options.md", "shop.views").branch_sign_in
    sys.modules["shop.urls"].urlpatterns += [path("branches/<branch>", view), *bookstore.urls.urlpatterns]
    settings.ROOT_URLCONF = "shop.urls"
    assert "organization_id=harbourbr001" in client.get("/branches/harbour").url
    logto.faults.http["discovery"] = HttpFault(status=500)
    pytest_plugin.reset_clients()
    assert client.get("/branches/harbour").status_code == 502


def test_magic_link_needs_the_setting(client: Any, logto: Emulator, apply_settings: Any) -> None:
    link = "/sign-in?one_time_token=abc&login_hint=ada%40example.com"
    assert "one_time_token" not in client.get(link).url
    apply_settings("docs/how-to/sign-in-options.md", "one_time_token")
    assert "one_time_token=abc" in client.get(link).url


@pytest.mark.django_db
def test_email_entered_on_the_site_is_kept(browser: Browser, logto: Emulator, apply_settings: Any) -> None:
    logto.tenant.add_user(username="ada")
    browser.sign_in("ada")
    User.objects.update(email="ada@example.com")
    apply_settings("docs/how-to/alipay.md", "keep_own_email")
    browser.sign_in("ada", prompt="login")
    assert User.objects.get().email == "ada@example.com"


@pytest.mark.django_db
def test_alipay_user_id_is_in_the_claims(browser: Browser, logto: Emulator, apply_settings: Any) -> None:
    apply_settings("docs/how-to/alipay.md", "LOGTO_USERINFO_CLAIMS")
    logto.tenant.sign_in_experience.connectors = ["alipay-web"]
    url = browser.start(direct_sign_in="social:alipay")
    browser.open(browser.logto.sign_in_with_alipay(url, "2088000000000002", username="reader"))
    claims = browser.client.get("/").wsgi_request.logto.claims
    assert claims["identities"]["alipay"]["userId"] == "2088000000000002"


def test_native_connector_alone_shows_no_alipay_page(browser: Browser, logto: Emulator) -> None:
    logto.tenant.sign_in_experience.connectors = ["alipay-native"]
    page = browser.logto.open(browser.start(direct_sign_in="social:alipay"))
    assert "Alipay" not in page.text
    assert "/sign-in" in page.url


@pytest.mark.django_db
def test_admin_offers_the_password_form_when_set(client: Any, logto: Emulator, apply_settings: Any) -> None:
    assert client.get("/admin/login/password/").status_code == 404
    apply_settings("docs/how-to/admin.md", "LOGTO_ADMIN_PASSWORD_SIGN_IN")
    User.objects.create_superuser("root", password="password")
    response = client.post("/admin/login/password/", {"username": "root", "password": "password", "next": "/admin/"})
    assert response.url == "/admin/"
    assert client.get("/admin/").status_code == 200


@pytest.mark.django_db
def test_receiver_runs_for_new_users(browser: Browser, logto: Emulator, modules: Any) -> None:
    modules("docs/reference/signals.md")
    logto.tenant.add_user(username="ada")
    browser.sign_in("ada")
    assert browser.client.session["show_welcome"] is True


@pytest.mark.django_db
def test_unittest_example_passes(modules: Any) -> None:
    case = modules("docs/how-to/test-your-site.md", "shop.tests").SignInTest
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    assert result.testsRun == 1
    assert not [*result.errors, *result.failures]
