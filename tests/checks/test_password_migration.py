"""Checks of a site that moves passwords."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from .found import ids, messages

COMPLETE = {
    "ROOT_URLCONF": "tests.password_migration.site",
    "LOGTO_PASSWORD_MIGRATION_KEY": "a-key-of-the-tests-with-enough-characters",
    "LOGTO_PASSWORD_MIGRATION_UNTIL": "2999-12-31",
    "LOGTO_M2M_APP_ID": "stockrobotdemo0000001",
    "LOGTO_M2M_APP_SECRET": "stockrobotsecret00000000000000001",
}
YESTERDAY = (date.today() - timedelta(days=1)).isoformat()


def found(**settings: Any) -> list[str]:
    return [each for each in ids(messages({**COMPLETE, **settings})).split() if each in ("E055", "W046")]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, []),
        ({"LOGTO_PASSWORD_MIGRATION_KEY": ""}, ["E055"]),
        ({"LOGTO_PASSWORD_MIGRATION_KEY": "short"}, ["E055"]),
        ({"LOGTO_PASSWORD_MIGRATION_KEY": ["n" * 40, "short"]}, ["E055"]),
        ({"LOGTO_PASSWORD_MIGRATION_UNTIL": ""}, ["E055"]),
        ({"LOGTO_PASSWORD_MIGRATION_UNTIL": "next year"}, ["E055"]),
        ({"LOGTO_PASSWORD_MIGRATION_UNTIL": YESTERDAY}, ["W046"]),
        ({"LOGTO_M2M_APP_ID": "", "LOGTO_M2M_APP_SECRET": ""}, ["E055"]),
        ({"LOGTO_PASSWORD_MIGRATION_KEY": "", "ROOT_URLCONF": "bookstore.urls"}, []),
    ],
)
def test_site_has_what_the_endpoint_needs(settings: dict[str, Any], expected: list[str]) -> None:
    assert found(**settings) == expected


def test_message_does_not_contain_the_key() -> None:
    shown = [str(each) for each in messages({**COMPLETE, "LOGTO_PASSWORD_MIGRATION_KEY": "secret-but-short"})]
    assert "secret-but-short" not in str(shown)


def test_messages_say_what_to_set_and_when_it_ended() -> None:
    texts = {
        str(each.id): each.msg
        for wrong in ({"LOGTO_PASSWORD_MIGRATION_UNTIL": ""}, {"LOGTO_PASSWORD_MIGRATION_UNTIL": "2020-01-31"})
        for each in messages({**COMPLETE, **wrong})
    }
    assert texts["logto_auth.E055"] == (
        "The site's URLs include logto_auth.password_migration.urls, which need a date such as 2027-03-31 in "
        "LOGTO_PASSWORD_MIGRATION_UNTIL."
    )
    assert texts["logto_auth.W046"] == (
        "The last day of the password migration, 2020-01-31, has passed. The site checks no passwords any more."
    )
