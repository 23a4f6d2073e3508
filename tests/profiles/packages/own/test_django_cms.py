"""django CMS: its pages, its toolbar, and no password form."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from logto_auth.emulator import Emulator
from tests.profiles.site.visitors import local_user, new_browser, signed_in


@pytest.fixture(autouse=True)
def page(logto: Emulator) -> Any:
    """A page for signed-in users."""
    from cms.api import create_page

    creator = local_user("creator")
    return create_page("Members", "cms_page.html", "en", slug="club", login_required=True, created_by=creator)


def test_protected_page_leads_to_logto_and_back(logto: Emulator) -> None:
    browser = new_browser(logto)
    location = "/club/"
    while location.startswith("/"):
        location = browser.open(location)["Location"]
    back = browser.open(browser.logto.sign_in(location, "reader"))["Location"]
    assert back == "/club/"
    response = browser.open(back)
    assert response.status_code == 200
    assert "<h1>Members</h1>" in response.content.decode()


def test_author_has_toolbar_and_reader_has_not(logto: Emulator) -> None:
    logto.tenant.add_role("author")
    logto.tenant.add_user(username="author", roles=["author"])
    author, reader = signed_in(logto, "author"), signed_in(logto, "reader")
    content = author.open("/club/?toolbar_on").content.decode()
    assert 'class="cms-toolbar"' in content
    assert 'type="password"' not in content
    assert 'class="cms-toolbar"' not in reader.open("/club/?toolbar_on").content.decode()


def test_visitor_gets_no_password_form(logto: Emulator, page: Any) -> None:
    page.login_required = False
    page.save()
    content = new_browser(logto).open("/club/?toolbar_on").content.decode()
    assert "<h1>Members</h1>" in content
    assert 'type="password"' not in content


def test_password_view_is_replaced(logto: Emulator) -> None:
    local_user("ada", is_staff=True)
    browser = new_browser(logto)
    response = browser.client.post("/cms_login/", {"username": "ada", "password": "secret"})
    assert response.status_code in (302, 405)
    assert "_auth_user_id" not in browser.client.session
    assert reverse("cms_login") == "/cms_login/"


def test_administrator_opens_pages_in_the_admin(logto: Emulator) -> None:
    assert signed_in(logto, "admin").open(reverse("admin:cms_pagecontent_changelist")).status_code == 200
