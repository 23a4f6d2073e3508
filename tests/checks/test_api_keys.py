"""Checks of a site with pages or endpoints for API keys, beside the examples in `test_messages`."""

from __future__ import annotations

from typing import Any

import pytest

from .found import ids, messages

MACHINE = {"LOGTO_M2M_APP_ID": "stockrobotdemo0000001", "LOGTO_M2M_APP_SECRET": "stockrobotsecret00000000000000001"}


@pytest.mark.parametrize(
    ("urls", "settings", "expected"),
    [
        ("tests.checks.urls_with_api_key_pages", MACHINE, ""),
        ("logto_auth.api_keys.api_urls", {**MACHINE, "MIDDLEWARE": []}, "E026"),
        # The name alone is not included in a namespace.
        ("tests.api_keys.urls", {}, "W042"),
        ("tests.checks.urls_without_account_pages", {}, ""),
    ],
)
def test_site_has_what_api_keys_need(urls: str, settings: dict[str, Any], expected: str) -> None:
    found = ids(messages({"ROOT_URLCONF": urls, **settings})).split()
    assert [each for each in found if each in ("E052", "W042")] == [each for each in expected.split() if each != "E026"]


@pytest.mark.parametrize("name", ["LOGTO_API_KEY_MAX_DAYS", "LOGTO_API_KEYS_PER_USER"])
def test_numbers_are_at_least_one(name: str) -> None:
    assert "E0" in ids(messages({name: 0}))
