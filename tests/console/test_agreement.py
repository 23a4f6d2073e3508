"""The console, webhooks and `logto_sync` agree: in any order, the rows and the signals are the same."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any
from urllib.parse import unquote

import pytest
import requests
from django.core.management import call_command

from logto_auth.clients import management_api
from logto_auth.emulator import Emulator
from logto_auth.models import LogtoIdentity, OrganizationMembership
from logto_auth.models import Organization as OrganizationRow
from tests.webhooks.deliveries import EVENTS, SIGNING_KEY, send

from . import service
from .service import HARBOUR, HILL, Caller, Signals, sub_of

pytestmark = pytest.mark.django_db
OWNER, OTHER, STAFF = sub_of("owner"), sub_of("other"), sub_of("staff")


@pytest.fixture(autouse=True)
def site(logto: Emulator, settings: Any) -> None:
    service.set_up(logto, settings)
    logto.tenant.add_message_connectors()
    settings.LOGTO_WEBHOOK_SIGNING_KEY = SIGNING_KEY
    settings.ROOT_URLCONF = "tests.console.service_urls"


class Reports:
    """The webhooks of Logto, which this test delivers."""

    def __init__(self, logto: Emulator) -> None:
        self._logto = logto
        self._delivered = 0
        # Nothing listens there.
        logto.tenant.add_hook("http://127.0.0.1:9/", EVENTS)

    def new(self) -> list[bytes]:
        """Return what was not delivered yet, in the order of Logto."""
        self._logto.webhooks.wait()
        bodies = [delivery.body for delivery in self._logto.webhooks.deliveries][self._delivered :]
        self._delivered += len(bodies)
        return bodies

    def deliver(self, order: Callable[[list[bytes]], Any] = iter) -> None:
        """Deliver what was not delivered yet."""
        for body in order(self.new()):
            assert send(body).status_code == 204


@pytest.fixture
def reports(logto: Emulator, signals: Signals) -> Reports:
    return Reports(logto)


def at_logto(logto: Emulator) -> dict[str, dict[str, list[str]]]:
    """Return the roles of the users whom this site knows, by organization, as Logto has them."""
    known = set(LogtoIdentity.objects.values_list("sub", flat=True))
    found = {
        id: {sub: sorted(roles) for sub, roles in each.members.items() if sub in known}
        for id, each in logto.tenant.organizations.items()
    }
    return {id: members for id, members in found.items() if members}


def here() -> dict[str, dict[str, list[str]]]:
    """Return the same, as this site has stored it."""
    found: dict[str, dict[str, list[str]]] = {}
    for row in OrganizationMembership.objects.select_related("organization", "identity"):
        found.setdefault(row.organization.logto_id, {})[row.identity.sub] = row.roles
    return found


def change_much(logto: Emulator, after_each: Callable[[], Any] = lambda: None) -> str:
    """Change organizations in the console, and return the id of the one that was created and deleted."""
    owner, other, _ = Caller(logto, "owner"), Caller(logto, "other"), Caller(logto, "staff")
    created = owner.console.create("Island", key="form").id
    after_each()
    owner.at().invite("other@example.com", ["guest"])
    link = str(logto.tenant.sent_messages[-1].payload["link"])
    other.console.accept(unquote(link.rpartition("/")[2]))
    after_each()
    for change in (
        lambda: owner.at(created).rename("Isle"),
        lambda: owner.at().rename("Port"),
        lambda: owner.at().set_roles(STAFF, ["manager"]),
        lambda: owner.at().remove(STAFF),
        lambda: owner.at(created).delete(),
    ):
        change()
        after_each()
    return created


def check_end(logto: Emulator, signals: Signals, created: str) -> None:
    """Check the rows and the signals of `change_much`, also after a sync."""
    for _ in range(2):
        assert here() == at_logto(logto) == {HARBOUR: {OWNER: ["owner"], OTHER: ["guest"]}, HILL: {OTHER: ["owner"]}}
        names = OrganizationRow.objects.exclude(logto_id=HILL).values_list("logto_id", "name")
        assert dict(names) == {HARBOUR: "Port", created: "Isle"}
        assert signals.memberships == [
            (OWNER, {}, {created: ["owner"]}),
            (OTHER, {}, {HARBOUR: ["guest"]}),
            (STAFF, {HARBOUR: ["staff"]}, {HARBOUR: ["manager"]}),
            (STAFF, {HARBOUR: ["manager"]}, {}),
            (OWNER, {created: ["owner"]}, {}),
        ]
        assert len(signals.actions) == 8
        call_command("logto_sync", stdout=StringIO())


@pytest.mark.parametrize("order", [iter, reversed, lambda bodies: [*bodies[1::2], *bodies[::2]]])
def test_late_webhooks_change_nothing(logto: Emulator, signals: Signals, reports: Reports, order: Any) -> None:
    created = change_much(logto)
    reports.deliver(order)
    check_end(logto, signals, created)


def test_webhook_after_each_change_changes_nothing(logto: Emulator, signals: Signals, reports: Reports) -> None:
    check_end(logto, signals, change_much(logto, reports.deliver))


def test_webhook_that_overtakes_the_answer(
    logto: Emulator, signals: Signals, reports: Reports, monkeypatch: Any
) -> None:
    answer = requests.adapters.HTTPAdapter.send

    def send_and_deliver(*args: Any, **kwargs: Any) -> Any:
        response = answer(*args, **kwargs)
        if "/api/" in response.url and response.request.method != "GET":
            reports.deliver()
        return response

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send_and_deliver)
    created = change_much(logto)
    # A webhook about a new member has no roles. They follow at once, with a signal of their own.
    for sub, organization_id, roles in ((OWNER, created, ["owner"]), (OTHER, HARBOUR, ["guest"])):
        place = signals.memberships.index((sub, {}, {organization_id: []}))
        joined = (sub, {organization_id: []}, {organization_id: roles})
        assert signals.memberships[place + 1] == joined
        signals.memberships[place : place + 2] = [(sub, {}, {organization_id: roles})]
    check_end(logto, signals, created)


def test_newer_webhook_than_the_change_wins(
    logto: Emulator, signals: Signals, reports: Reports, monkeypatch: Any
) -> None:
    """The founder of an organization is removed elsewhere, before this site has stored the membership."""
    owner, answer = Caller(logto, "owner"), requests.adapters.HTTPAdapter.send

    def send_and_remove(*args: Any, **kwargs: Any) -> Any:
        response = answer(*args, **kwargs)
        if response.request.method == "POST" and response.url.endswith("/roles"):
            organization_id = response.url.split("/")[-4]
            management_api().organizations.remove_user(organization_id, OWNER)
            reports.deliver(reversed)
        return response

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send_and_remove)
    owner.console.create("Island", key="form")
    assert here() == at_logto(logto) == {HARBOUR: {OWNER: ["owner"]}}
    assert signals.memberships == []


def test_site_without_webhooks_agrees_with_a_sync(logto: Emulator, signals: Signals) -> None:
    check_end(logto, signals, change_much(logto))
