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


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("LOGTO_IMPERSONATION_SECONDS", 1, ""),
        ("LOGTO_IMPERSONATION_SECONDS", 0, "E015"),
        ("LOGTO_IMPERSONATION_SECONDS", "3600", "E001"),
        ("LOGTO_IMPERSONATION_SECONDS", True, "E001"),
        ("LOGTO_IMPERSONATION_ALLOWED", "tests.checks.found.ids", ""),
        ("LOGTO_IMPERSONATION_ALLOWED", "shop.nowhere.may_act_as", "E014"),
        ("LOGTO_IMPERSONATION_ALLOWED", 5, "E001"),
        ("LOGTO_IMPERSONATION_READ_ONLY", "no", "E001"),
        ("LOGTO_IMPERSONATION_BANNER", "no", "E001"),
    ],
)
def test_values_of_settings(name: str, value: object, expected: str) -> None:
    found = [each for each in messages({name: value}) if each.msg.startswith(f"{name} is ")]
    assert ids(found) == expected
