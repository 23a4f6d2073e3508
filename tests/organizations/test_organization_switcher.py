"""`{% logto_organization_switcher %}`."""

from __future__ import annotations

import re

import pytest
from django.template import engines

from logto_auth.emulator import Emulator
from logto_auth.testing import Browser

pytestmark = pytest.mark.django_db


@pytest.fixture
def member(browser: Browser, logto: Emulator, settings) -> Browser:
    settings.LOGTO_SCOPES = ("openid", "offline_access", "urn:logto:scope:organizations")
    settings.LOGTO_USERINFO_CLAIMS = ("organization_data",)
    person = logto.tenant.add_user(username="reader")
    for name in ("Harbour", "Hill"):
        logto.tenant.add_organization(name, id=f"{name.lower()}000001")
        logto.tenant.add_member(f"{name.lower()}000001", person.id)
    browser.sign_in("reader")
    return browser


def switcher(browser: Browser, arguments: str = "") -> str:
    request = browser.client.get("/basket/").wsgi_request
    source = "{% load logto %}{% logto_organization_switcher " + arguments + " %}"
    return engines["django"].from_string(source).render({}, request)


def options(html: str) -> list[str]:
    return re.findall("<option[^>]*>[^<]*", html)


def test_nothing_is_selected_before_a_choice(member: Browser) -> None:
    assert options(switcher(member, '"Branch"')) == [
        '<option value="" selected disabled>Branch',
        '<option value="harbour000001">Harbour',
        '<option value="hill000001">Hill',
    ]


def test_chosen_organization_is_selected(member: Browser) -> None:
    member.client.post("/choose-organization", {"organization_id": "hill000001"})
    assert options(switcher(member)) == [
        '<option value="harbour000001">Harbour',
        '<option value="hill000001" selected>Hill',
    ]


@pytest.mark.parametrize(("arguments", "next_url"), [("", "/basket/"), ('next="/branches/"', "/branches/")])
def test_switcher_returns_to_page_or_next(member: Browser, arguments: str, next_url: str) -> None:
    assert f'name="next" value="{next_url}"' in switcher(member, arguments)
