"""Django's admin behind Logto."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from logto_auth.emulator import Emulator
from logto_auth.models import Organization
from logto_auth.testing import Browser
from tests.profiles.site.visitors import account, get, is_signed_in, rows, signed_in
from tests.rights import HARBOUR

USERS = "admin:{0.app_label}_{0.model_name}_{{}}".format(get_user_model()._meta)


@pytest.fixture
def admin(logto: Emulator) -> Browser:
    return signed_in(logto, "admin")


def test_admin_signs_in_through_logto(browser: Browser) -> None:
    location = reverse("admin:index")
    while location.startswith("/"):
        location = browser.open(location)["Location"]
    assert browser.open(browser.logto.sign_in(location, "admin"))["Location"] == reverse("admin:index")
    assert get(browser, "admin:index").status_code == 200


def test_user_without_staff_flag_is_refused(reader: Browser) -> None:
    response = reader.client.get(reverse("admin:index"), follow=True)
    assert response.status_code == 403


def test_user_page_shows_identity_and_sessions(admin: Browser, logto: Emulator) -> None:
    signed_in(logto, "reader", HTTP_USER_AGENT="Device of the reader")
    page = get(admin, USERS.format("change"), account("reader000001").pk).content.decode()
    assert "reader000001" in page
    assert "Device of the reader" in page


def test_staff_sign_user_out_everywhere(admin: Browser, reader: Browser) -> None:
    action = {"action": "sign_out_everywhere", "_selected_action": [str(account("reader000001").pk)]}
    response = admin.client.post(reverse(USERS.format("changelist")), action)
    assert response.status_code == 302
    assert not is_signed_in(reader)


def test_staff_rename_organization(admin: Browser, reader: Browser) -> None:
    organization = rows(Organization).get(logto_id=HARBOUR)
    path = reverse("admin:logto_auth_organization_change", args=[organization.pk])
    assert str(account("reader000001")) in admin.client.get(path).content.decode()
    assert admin.client.post(path, {"name": "Harbour", "subdomain": ""}).status_code == 302
    assert rows(Organization).get().name == "Harbour"


def test_staff_delete_account(admin: Browser, reader: Browser) -> None:
    user: Any = account("reader000001")
    admin.client.post(reverse(USERS.format("delete"), args=[user.pk]), {"post": "yes"})
    assert not rows(get_user_model()).filter(pk=user.pk).exists()
    assert not is_signed_in(reader)
