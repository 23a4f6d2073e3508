"""Checks of a site with the account pages, beside the examples in `test_messages`."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings as test_settings

from logto_auth.tenant import AccountCenter, TenantDeclaration

from .found import ids, messages

WITH_PAGES = {"ROOT_URLCONF": "tests.checks.urls_with_account_pages"}
API = {
    "LOGTO_API_RESOURCE": "https://bookstore.example/api",
    "LOGTO_APP_ID": "",
    "LOGTO_APP_SECRET": "",
    "LOGIN_URL": "/accounts/login/",
}


def delete_account(request: object) -> None:
    """The function of a site that deletes accounts."""


DELETES_ACCOUNTS = {"LOGTO_DELETE_ACCOUNT": f"{__name__}.delete_account"}
LEADS_TO_PAGE = TenantDeclaration(account_center=AccountCenter(delete_account_url="/account/delete?from=logto#x"))
LEADS_NOWHERE = TenantDeclaration(account_center=AccountCenter(delete_account_url="/account/leave"))
LEADS_ELSEWHERE = TenantDeclaration(account_center=AccountCenter(delete_account_url="https://shop.example/leave"))
LEADS_BELOW_LANGUAGE = TenantDeclaration(account_center=AccountCenter(delete_account_url="/en/account/delete"))
TURNED_OFF = TenantDeclaration(account_center=AccountCenter(enabled=False))


def without(*names: str) -> list[str]:
    """Return MIDDLEWARE without the classes of these names."""
    return [path for path in test_settings.MIDDLEWARE if path.rpartition(".")[2] not in names]


def declared(name: str) -> dict[str, str]:
    return {"LOGTO_TENANT": f"{__name__}.{name}"}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (WITH_PAGES, ""),
        # E026 reports it.
        ({**WITH_PAGES, "MIDDLEWARE": without("LogtoMiddleware")}, "E026"),
        ({**WITH_PAGES, "MIDDLEWARE": without("SessionMiddleware")}, "E039"),
        (
            {
                "ROOT_URLCONF": "tests.checks.urls_without_account_pages",
                "MIDDLEWARE": without("SessionMiddleware"),
            },
            "",
        ),
        ({**WITH_PAGES, **DELETES_ACCOUNTS, **declared("LEADS_TO_PAGE")}, ""),
        # The page needs a setting.
        ({**WITH_PAGES, **declared("LEADS_TO_PAGE")}, "W024"),
        ({**WITH_PAGES, **declared("LEADS_NOWHERE")}, "W024"),
        (declared("LEADS_NOWHERE"), "W024"),
        ({**WITH_PAGES, **declared("LEADS_ELSEWHERE")}, ""),
        ({**WITH_PAGES, **declared("TURNED_OFF")}, "W025"),
        # A site without these pages may turn it off.
        ({"ROOT_URLCONF": "tests.checks.urls_without_account_pages", **declared("TURNED_OFF")}, ""),
        # LocaleMiddleware redirects to the language.
        (
            {
                "ROOT_URLCONF": "tests.checks.urls_with_account_pages_by_language",
                **DELETES_ACCOUNTS,
                **declared("LEADS_TO_PAGE"),
            },
            "W026",
        ),
        (
            {
                "ROOT_URLCONF": "tests.checks.urls_with_account_pages_by_language",
                **DELETES_ACCOUNTS,
                **declared("LEADS_BELOW_LANGUAGE"),
            },
            "W026",
        ),
    ],
)
def test_account_pages_are_checked(settings: dict[str, Any], expected: str) -> None:
    assert ids(messages(settings)) == expected


def test_api_with_account_pages_lacks_each_part() -> None:
    settings = {
        **API,
        "ROOT_URLCONF": "tests.checks.urls_with_account_pages_alone",
        "MIDDLEWARE": without("SessionMiddleware", "AuthenticationMiddleware", "LogtoMiddleware"),
    }
    found = [message.msg for message in messages(settings) if message.id == "logto_auth.E039"]
    assert [text.partition(", which need ")[2] for text in found] == [
        "SessionMiddleware in MIDDLEWARE.",
        "AuthenticationMiddleware in MIDDLEWARE.",
        "LogtoMiddleware in MIDDLEWARE.",
        "the views of logto_auth.urls.",
    ]
