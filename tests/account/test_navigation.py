"""The links to the account pages for a page of the site that stands beside them."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from logto_auth.account import account_navigation
from logto_auth.sessions.outage import report_outage

from .conftest import Reader

pytestmark = pytest.mark.django_db


def names(reader: Reader) -> list[str]:
    return [entry.name for entry in account_navigation(reader.request)]


def test_pages_whose_field_is_off_are_left_out(reader: Reader) -> None:
    assert names(reader) == ["profile", "security", "linked", "sessions", "applications"]
    reader.logto.tenant.enable_account_center("Edit", social="Off", session="Off")
    cache.clear()
    assert names(reader) == ["profile", "security", "sessions"]


def test_page_beside_the_account_pages_does_not_wait_in_an_outage(reader: Reader) -> None:
    cache.clear()
    report_outage()
    reader.logto.requests.clear()
    assert names(reader) == ["profile", "security", "linked", "sessions", "applications"]
    assert len(reader.logto.requests) == 0
