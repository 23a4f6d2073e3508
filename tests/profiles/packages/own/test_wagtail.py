"""Wagtail: who may use it, its sign-in, its sign-out and its private pages."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from logto_auth.emulator import Emulator
from tests.profiles.site.visitors import account, new_browser, signed_in


def test_visitor_signs_in_and_comes_back(logto: Emulator) -> None:
    browser = new_browser(logto)
    location = reverse("wagtailadmin_home")
    while location.startswith("/"):
        location = browser.open(location)["Location"]
    back = browser.open(browser.logto.sign_in(location, "admin"))["Location"]
    assert back == reverse("wagtailadmin_home")
    assert browser.open(back).status_code == 200


def test_role_decides_who_is_an_editor(logto: Emulator) -> None:
    editor, reader = signed_in(logto, "editor"), signed_in(logto, "reader")
    assert list(account("editor000001").groups.all()) == [Group.objects.get(name="Editors")]
    assert editor.open(reverse("wagtailadmin_home")).status_code == 200
    refused = reader.client.get(reverse("wagtailadmin_home"), follow=True)
    assert refused.status_code == 403
    assert len(refused.redirect_chain) <= 2


def test_sign_out_ends_the_session_at_logto(logto: Emulator) -> None:
    editor = signed_in(logto, "editor")
    location = editor.client.post(reverse("wagtailadmin_logout"))["Location"]
    assert urlsplit(location).path == "/oidc/session/end"


@pytest.mark.parametrize("page", ["wagtailadmin_account", "wagtailadmin_home"])
def test_account_page_offers_no_password(logto: Emulator, page: str) -> None:
    editor = signed_in(logto, "editor")
    content = editor.open(reverse(page)).content.decode()
    assert "password" not in content.lower().replace("password-", "")


def test_users_have_no_password_field(logto: Emulator) -> None:
    admin = signed_in(logto, "admin")
    content = admin.open(reverse("wagtailusers_users:edit", args=[account("admin0000001").pk])).content.decode()
    assert 'type="password"' not in content


def test_private_page_leads_to_logto(logto: Emulator) -> None:
    from wagtail.models import Page, PageViewRestriction, Site

    root = Page.objects.get(depth=1)
    page = root.add_child(instance=Page(title="Members only", slug="members-only"))
    Site.objects.update_or_create(hostname="testserver", defaults={"root_page": page, "is_default_site": True})
    PageViewRestriction.objects.create(page=page, restriction_type=PageViewRestriction.LOGIN)
    browser = new_browser(logto)
    location = "/pages/"
    while location.startswith("/"):
        location = browser.open(location)["Location"]
    assert browser.open(browser.logto.sign_in(location, "reader"))["Location"] == "/pages/"
