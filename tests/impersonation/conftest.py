"""A site with support access, a staff member who may act as users, and a customer."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission

from logto_auth.conf import conf
from logto_auth.emulator import Emulator
from logto_auth.signals import impersonation_ended, impersonation_refused, impersonation_started
from logto_auth.testing import Browser
from tests.rights import ask_for_rights, set_up

User = get_user_model()


@pytest.fixture
def site(logto: Emulator, settings: Any) -> Emulator:
    """A site that may exchange tokens and use the Management API."""
    set_up(logto)
    ask_for_rights(settings)
    # Without the templates of the bookstore, whose pages this site does not have.
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": []}]
    machine = logto.tenant.add_application(name="Site", type="MachineToMachine", roles=["Logto Management API access"])
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    logto.tenant.applications[conf.app_id].allow_token_exchange = True
    return logto


def permit(username: str) -> Any:
    """Let a user of this site act as others."""
    user = User.objects.get(username=username)
    user.is_staff = True
    user.save()
    user.user_permissions.add(Permission.objects.get(codename="impersonate_users"))
    return user


@pytest.fixture
def customer(site: Emulator) -> Browser:
    """The browser of the user as whom the staff member acts."""
    customer = Browser(site)
    customer.sign_in("reader")
    return customer


@pytest.fixture
def staff(browser: Browser, customer: Browser) -> Browser:
    """The browser of a staff member who may act as users."""
    browser.sign_in("editor")
    permit("editor")
    return browser


NAMES: dict[object, str] = {
    impersonation_started: "started",
    impersonation_ended: "ended",
    impersonation_refused: "refused",
}


class Events(list[dict[str, Any]]):
    """What the three signals have sent."""

    def note(self, sender: object, signal: object, **values: Any) -> None:
        name = {impersonation_started: "started", impersonation_ended: "ended", impersonation_refused: "refused"}[
            signal
        ]
        self.append({"event": name, **values})

    @property
    def short(self) -> list[tuple[str, str, str | None, str]]:
        """Each event with the user, who acts, and the cause, the code or the reason."""
        return [
            (
                each["event"],
                each["user"].get_username(),
                each["impersonator"].get_username() if each["impersonator"] else None,
                each.get("cause") or each.get("code") or each["reason"],
            )
            for each in self
        ]


@pytest.fixture
def events() -> Any:
    """What the signals send in this test."""
    events = Events()
    for signal in (impersonation_started, impersonation_ended, impersonation_refused):
        signal.connect(events.note)
    yield events
    for signal in (impersonation_started, impersonation_ended, impersonation_refused):
        signal.disconnect(events.note)


@pytest.fixture
def acting(staff: Browser, events: Events) -> Browser:
    """The browser of a staff member who acts as the customer."""
    assert staff.client.post("/start/reader").status_code == 302
    return staff
