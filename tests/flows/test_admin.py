"""The admin behind Logto."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model

from logto_auth.emulator import Emulator
from logto_auth.testing import Browser

pytestmark = pytest.mark.django_db
User = get_user_model()


@pytest.fixture(autouse=True)
def roles(settings, logto: Emulator) -> None:
    settings.LOGTO_STAFF_ROLES = settings.LOGTO_SUPERUSER_ROLES = ("admin",)
    logto.tenant.add_role("admin")
    logto.tenant.add_user(username="admin", roles=["admin"])
    logto.tenant.add_user(username="reader")


def walk_to_logto(browser: Browser, path: str) -> str:
    """Follow the site's redirects from `path` until they lead to Logto."""
    location = path
    while location.startswith("/"):
        response = browser.client.get(location)
        assert response.status_code == 302, location
        location = response["Location"]
    return location


def test_an_admin_goes_through_logto_and_back(browser: Browser) -> None:
    response = browser.open(browser.logto.sign_in(walk_to_logto(browser, "/admin/auth/user/"), "admin"))
    assert response["Location"] == "/admin/auth/user/"
    assert browser.client.get("/admin/auth/user/").status_code == 200


def test_someone_who_is_no_staff_gets_one_clear_page_and_no_loop(browser: Browser) -> None:
    browser.sign_in("reader")
    response = browser.client.get("/admin/", follow=True)
    assert response.status_code == 403
    page = response.content.decode()
    assert "reader" in page
    assert 'action="/sign-out"' in page
    assert len(response.redirect_chain) == 1


def test_the_identity_stands_read_only_on_the_page_of_the_user(browser: Browser, logto: Emulator) -> None:
    browser.sign_in("admin")
    user = User.objects.get()
    page = browser.client.get(f"/admin/auth/user/{user.pk}/change/").content.decode()
    assert user.logto_identities.get().sub in page
    assert 'name="logto_identities-0-sub"' not in page


def test_the_admin_s_log_out_button_signs_out_at_logto(browser: Browser, logto: Emulator) -> None:
    browser.sign_in("admin")
    assert browser.client.post("/admin/logout/")["Location"].startswith(f"{logto.endpoint}/oidc/session/end?")


def test_the_password_form_is_there_only_when_the_site_wants_it(client, settings, db) -> None:
    assert client.get("/admin/login/password/").status_code == 404
    settings.LOGTO_ADMIN_PASSWORD_SIGN_IN = True
    User.objects.create_superuser("break-glass", password="secret")
    assert '<input type="hidden" name="next" value="/admin/">' in client.get("/admin/login/password/").content.decode()
    form = {"username": "break-glass", "password": "secret", "next": "/admin/"}
    response = client.post("/admin/login/password/", form)
    assert response["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_losing_the_role_closes_the_admin_at_the_next_sign_in(browser: Browser, logto: Emulator) -> None:
    browser.sign_in("admin")
    admin = next(user for user in logto.tenant.users.values() if user.username == "admin")
    logto.tenant.update_user(admin.id, roles=[])
    Browser(logto).sign_in("admin")
    assert browser.client.get("/admin/", follow=True).status_code == 403
