"""A null at Logto empties the field here, by every entrance; a missing value changes nothing (decision 0033)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.utils.timezone import now

from logto_auth.clients import reset_clients
from logto_auth.emulator import Emulator
from logto_auth.testing import Browser
from tests.emulator.management_api_client import ROLE
from tests.webhooks.deliveries import SIGNING_KEY, deliver, event, part_event, user_event

pytestmark = pytest.mark.django_db
User = get_user_model()
SUB = "reader000001"
NAMES = {"name": "Ada Lovelace", "profile": {"givenName": "Ada", "familyName": "Lovelace"}}
NO_NAMES: dict[str, Any] = {"name": None, "profile": {}}


def fields() -> tuple[str, str, str]:
    user = User.objects.get()
    return user.email, user.first_name, user.last_name


@pytest.fixture
def reader(logto: Emulator, browser: Browser, settings: Any) -> Browser:
    """Return the browser of a user who has an e-mail and names at Logto, and is signed in."""
    settings.LOGTO_WEBHOOK_SIGNING_KEY = SIGNING_KEY
    logto.tenant.add_user(id=SUB, username="reader", primary_email="reader@example.com", **NAMES)
    browser.sign_in("reader")
    assert fields() == ("reader@example.com", "Ada", "Lovelace")
    return browser


def sign_in(reader: Browser, logto: Emulator, settings: Any) -> None:
    reader.client.post("/sign-out")
    reader.sign_in("reader")


def refresh(reader: Browser, logto: Emulator, settings: Any) -> None:
    reader.client.get("/").wsgi_request.logto.refresh()


def receive_webhook(reader: Browser, logto: Emulator, settings: Any) -> None:
    user = logto.tenant.users[SUB]
    changes = {"primaryEmail": user.primary_email, "name": user.name, "profile": user.profile}
    assert deliver(user_event("User.Data.Updated", SUB, **changes)).status_code == 204


def sync(reader: Browser, logto: Emulator, settings: Any) -> None:
    machine = logto.tenant.add_application(name="Machine", type="MachineToMachine", roles=[ROLE])
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    reset_clients()
    call_command("logto_sync", verbosity=0)


Entrance = Callable[[Browser, Emulator, Any], None]
ENTRANCES = pytest.mark.parametrize("entrance", [sign_in, refresh, receive_webhook, sync])


@ENTRANCES
def test_null_values_empty_the_fields(entrance: Entrance, reader: Browser, logto: Emulator, settings: Any) -> None:
    logto.tenant.update_user(SUB, primary_email=None, **NO_NAMES)
    entrance(reader, logto, settings)
    assert fields() == ("", "", "")


@ENTRANCES
def test_full_name_replaces_removed_names(entrance: Entrance, reader: Browser, logto: Emulator, settings: Any) -> None:
    logto.tenant.update_user(SUB, profile={})
    entrance(reader, logto, settings)
    assert fields() == ("reader@example.com", "Ada Lovelace", "")


def keep_own_names(claims: Any) -> dict[str, Any]:
    from logto_auth.users import user_fields

    return {name: value for name, value in user_fields(claims).items() if value or name == "email"}


@ENTRANCES
def test_site_can_keep_its_own_names(entrance: Entrance, reader: Browser, logto: Emulator, settings: Any) -> None:
    settings.LOGTO_USER_FIELDS = "tests.users.test_null_claims.keep_own_names"
    logto.tenant.update_user(SUB, primary_email=None, **NO_NAMES)
    entrance(reader, logto, settings)
    assert fields() == ("", "Ada", "Lovelace")


# Parts of a user


@contextmanager
def unchanged() -> Iterator[None]:
    before = fields()
    yield
    assert fields() == before


@pytest.mark.parametrize(
    "data",
    [
        {"id": SUB, "isSuspended": False},
        {"id": SUB, "name": "Another Name"},
        {"id": SUB, "name": None, "profile": None},
        {"id": SUB, "name": 5, "primaryEmail": ["x"], "profile": {"givenName": 7}},
    ],
    ids=["nothing", "name-without-profile", "null-profile", "unexpected-types"],
)
def test_webhook_with_a_part_of_the_user_changes_no_names(data: dict[str, Any], reader: Browser) -> None:
    with unchanged():
        assert deliver(event("User.Data.Updated", params={"userId": SUB}, data=data)).status_code == 204


def test_late_webhook_does_not_remove_names_of_a_newer_profile(reader: Browser) -> None:
    at = now()
    profile = {"givenName": "Augusta", "familyName": "King"}
    assert deliver(part_event("profile", SUB, profile, at=at)).status_code == 204
    assert deliver(user_event("User.Data.Updated", SUB, at=at - timedelta(seconds=2), **NO_NAMES)).status_code == 204
    assert fields()[1:] == ("Augusta", "King")
