"""Checks of a site with the pages of support access."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings

from .found import ids, messages

URLS = {"ROOT_URLCONF": "tests.impersonation.plain_urls"}
MACHINE = {"LOGTO_M2M_APP_ID": "stockrobotdemo0000001", "LOGTO_M2M_APP_SECRET": "stockrobotsecret00000000000000001"}
WITHOUT_SESSIONS = [name for name in settings.MIDDLEWARE if "SessionMiddleware" not in name]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({**URLS, **MACHINE}, []),
        (URLS, ["W045"]),
        ({**URLS, **MACHINE, "MIDDLEWARE": WITHOUT_SESSIONS}, ["E054"]),
        ({"ROOT_URLCONF": "tests.checks.urls_without_account_pages"}, []),
    ],
)
def test_site_has_what_support_access_needs(values: dict[str, Any], expected: list[str]) -> None:
    assert [each for each in ids(messages(values)).split() if each in ("E054", "W045")] == expected


@pytest.mark.parametrize("name", ["LOGTO_IMPERSONATION_SECONDS"])
def test_time_is_at_least_a_second(name: str) -> None:
    assert "E0" in ids(messages({name: 0}))


def test_rule_of_the_site_can_be_imported() -> None:
    assert "E0" in ids(messages({"LOGTO_IMPERSONATION_ALLOWED": "shop.nowhere.may_act_as"}))
