"""Names with characters that the tables cannot store: they lock nobody out."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from logto_auth.emulator import Emulator
from logto_auth.memberships.rows import rename
from logto_auth.models import LogtoIdentity, Organization
from tests.profiles.flows.test_sync import sync  # noqa: F401  (a fixture)
from tests.profiles.site.visitors import account, deliver, is_signed_in, rows, signed_in
from tests.rights import HARBOUR
from tests.webhooks.deliveries import user_event

SUB = "reader000001"
EMOJI = "\U0001f600"
# A Japanese family name whose first character is beyond the Basic Multilingual Plane.
YOSHIDA = "\U00020bb7\u7530"


def latin1() -> None:
    """Store the first names in Latin-1, which has no Japanese either."""
    table = connection.ops.quote_name(get_user_model()._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} MODIFY first_name varchar(150) CHARACTER SET latin1 NOT NULL")


@pytest.fixture
def restored() -> Any:
    """Restore the column after the test."""
    yield
    table = connection.ops.quote_name(get_user_model()._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} MODIFY first_name varchar(150) CHARACTER SET utf8mb3 NOT NULL")


@pytest.mark.parametrize(("name", "stored"), [(f"Ann {EMOJI}", "Ann"), (EMOJI, ""), (YOSHIDA, "\u7530")])
def test_new_user_signs_in(logto: Emulator, caplog: Any, name: str, stored: str) -> None:
    logto.tenant.update_user(SUB, name=name)
    assert is_signed_in(signed_in(logto, "reader"))
    assert account(SUB).first_name == stored
    lines = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert [line for line in lines if "first_name" in line]
    assert name not in caplog.text


def test_known_user_signs_in(logto: Emulator) -> None:
    signed_in(logto, "reader")
    logto.tenant.update_user(SUB, name=f"Ann {EMOJI}")
    for _ in range(2):
        assert is_signed_in(signed_in(logto, "reader"))
        assert account(SUB).first_name == "Ann"


@pytest.mark.usefixtures("restored")
def test_text_in_other_script_is_dropped(logto: Emulator) -> None:
    latin1()
    logto.tenant.update_user(SUB, name="\u7530")
    assert is_signed_in(signed_in(logto, "reader"))
    assert account(SUB).first_name == ""


def test_username_beyond_character_set_is_shortened(logto: Emulator, settings: Any) -> None:
    settings.LOGTO_USER_FIELDS = f"{__name__}.named_by_name"
    logto.tenant.update_user(SUB, name=YOSHIDA)
    assert is_signed_in(signed_in(logto, "reader"))
    assert account(SUB).get_username() == "\u7530"


def named_by_name(claims: Any) -> dict[str, Any]:
    return {"username": claims["name"]}


def test_webhook_and_sync_update_other_fields(logto: Emulator, sync: Any) -> None:  # noqa: F811
    signed_in(logto, "reader")
    assert deliver(user_event("User.Data.Updated", SUB, name=EMOJI, primaryEmail="new@example.com")) == 204
    assert account(SUB).email == "new@example.com"
    logto.tenant.add_role(f"fan {EMOJI}")
    logto.tenant.update_user(SUB, name=f"Ann {EMOJI}", primary_email="newer@example.com", roles=[f"fan {EMOJI}"])
    sync("--create")
    assert (account(SUB).first_name, account(SUB).email) == ("Ann", "newer@example.com")
    assert rows(LogtoIdentity).get(sub=SUB).roles == [f"fan {EMOJI}"]
    assert rows(LogtoIdentity).count() == 4


def test_organization_is_renamed_without_emoji(logto: Emulator) -> None:
    signed_in(logto, "reader")
    rename(HARBOUR, f"Harbour {EMOJI}")
    assert rows(Organization).get(logto_id=HARBOUR).name == "Harbour"
