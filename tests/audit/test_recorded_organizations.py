"""What users do in the console of organizations, in the audit trail."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from logto_auth.audit.models import AuditEvent
from logto_auth.conf import conf
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.models import LogtoIdentity
from logto_auth.signals import organization_changed
from logto_auth.testing import Browser
from tests.console import console_site
from tests.console.api_callers import API, by_token

from .recorded import AGENT, actions, forget, key_of, only, people, written

pytestmark = pytest.mark.django_db
User = get_user_model()
OWNER, MEMBER = "owner0000001", "member000001"


@pytest.fixture
def owner() -> Any:
    return account("owner", OWNER)


def account(username: str, sub: str) -> Any:
    user = User.objects.create_user(username, f"{username}@example.com")
    LogtoIdentity.objects.create(user=user, issuer=conf.issuer, sub=sub)
    return user


def send(rf: Any, user: Any, action: str, **values: Any) -> AuditEvent:
    """Announce a change as the console does, and return the only event."""
    request = rf.get("/", REMOTE_ADDR="192.0.2.7", headers={"User-Agent": AGENT})
    request.logto = SimpleNamespace(sub=OWNER)
    arguments = {"target": "", "details": {}, **values}
    with written() as statements:
        organization_changed.send_robust(
            sender=User, request=request, user=user, organization_id="harbour", action=action, **arguments
        )
    assert len(statements) == 1
    return AuditEvent.objects.get()


# The console


@pytest.fixture
def console(logto: Emulator, settings: Any) -> Emulator:
    console_site.set_up(logto, settings)
    return logto


def browser_of(logto: Emulator, username: str) -> Browser:
    browser = console_site.signed_in(logto, username)
    browser.client.defaults.update(REMOTE_ADDR="192.0.2.7", HTTP_USER_AGENT=AGENT)
    return browser


def press(browser: Browser, page: str, action: str, **form: Any) -> int:
    """Press a button of a page about the harbour, and return how many statements have written to the trail."""
    with written() as statements:
        response = browser.client.post(f"/organizations/{console_site.HARBOUR}/{page}", {"action": action, **form})
    assert response.status_code == 302, console_site.text_of(response)
    return len(statements)


def test_each_change_in_the_console_is_one_insert(console: Emulator) -> None:
    owner, _ = browser_of(console, "owner"), browser_of(console, "staff")
    staff = console_site.sub_of("staff")
    keys = key_of("owner"), key_of("staff")
    forget()
    assert press(owner, "", "rename", name="Port") == 1
    assert press(owner, f"members/{staff}", "roles", roles=["manager"], before=["staff"]) == 1
    assert press(owner, f"members/{staff}", "remove") == 1
    found = AuditEvent.objects.order_by("pk").values_list("action", "actor_id", "user_id", "user_sub")
    assert list(found) == [
        ("organization_renamed", keys[0], "", ""),
        ("memberships_changed", *keys, staff),
        ("member_roles_changed", *keys, staff),
        ("memberships_changed", *keys, staff),
        ("member_removed", *keys, staff),
    ]
    assert only("member_roles_changed").details == {"former": ["staff"], "current": ["manager"]}
    for event in AuditEvent.objects.all():
        assert event.actor_data is not None
        assert (event.organization_id, event.actor_data["ip_address"]) == (console_site.HARBOUR, "192.0.2.7")
    assert only("member_removed").actor_sub == console_site.sub_of("owner")
    forget()
    # Of the other members, the site knows none any more.
    assert press(owner, "delete", "delete", confirmation="Port") == 1
    assert actions() == ["memberships_changed", "organization_deleted"]


def test_owner_without_session_at_logto_leaves_a_trace(console: Emulator, monkeypatch: Any) -> None:
    """Logto has deleted the organization before it refuses to refresh the session."""
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    owner = browser_of(console, "owner")
    console.tenant.suspend_user(console_site.sub_of("owner"))
    forget()
    form = {"action": "delete", "confirmation": "Harbour Branch"}
    owner.client.post(f"/organizations/{console_site.HARBOUR}/delete", form)
    assert console_site.HARBOUR not in console.tenant.organizations
    assert "organization_deleted" in actions()


@pytest.mark.django_db(transaction=True)
def test_change_whose_request_is_broken_off_is_recorded(console: Emulator, monkeypatch: Any) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    owner = browser_of(console, "owner")

    def stop_the_worker(**kwargs: Any) -> None:
        raise SystemExit

    organization_changed.connect(stop_the_worker)
    try:
        with pytest.raises(SystemExit):
            press(owner, "", "rename", name="Port")
    finally:
        organization_changed.disconnect(stop_the_worker)
    assert console.tenant.organizations[console_site.HARBOUR].name == "Port"
    assert actions()[-1] == "organization_renamed"


def test_roles_that_were_added_before_a_failure_are_recorded(console: Emulator) -> None:
    owner, staff = browser_of(console, "owner"), console_site.sub_of("staff")
    console.faults.http["management_api"] = HttpFault(status=500, body="{}", only="DELETE .*")
    form = {"action": "roles", "roles": ["owner"], "before": ["staff"]}
    response = owner.client.post(f"/organizations/{console_site.HARBOUR}/members/{staff}", form)
    assert response.status_code == 503
    assert only("member_roles_changed").details == {"former": ["staff"], "current": ["owner", "staff"]}


def test_application_that_acts_with_an_access_token_is_named(console: Emulator, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.console.urls_of_api"
    settings.LOGTO_API_RESOURCE, settings.LOGTO_API_CREATE_USERS = API, True
    console.tenant.add_resource(API, scopes=[])
    staff = console_site.sub_of("staff")
    assert by_token(console, "manager").delete(f"members/{staff}/").status_code == 204
    [application] = [each for each in console.tenant.applications.values() if each.name == "App"]
    event = only("member_removed")
    assert (event.actor_sub, event.user_sub) == (console_site.sub_of("manager"), staff)
    assert event.actor_id == str(LogtoIdentity.objects.get(sub=event.actor_sub).user_id)
    assert event.details == {"roles": ["staff"], "client_id": application.id}


# The signal


def test_change_of_a_member_names_both(rf: Any, owner: Any) -> None:
    member, details = account("member", MEMBER), {"added": ["manager"], "removed": []}
    event = send(rf, owner, "member_roles_changed", target=MEMBER, details=details)
    assert actions() == ["member_roles_changed"]
    assert people(event) == (str(owner.pk), str(member.pk))
    assert (event.actor_sub, event.user_sub, event.organization_id) == (OWNER, MEMBER, "harbour")
    assert event.details == details
    assert event.actor_data == {
        "name": "owner",
        "email": "owner@example.com",
        "ip_address": "192.0.2.7",
        "user_agent": AGENT,
    }
    assert event.user_data == {"name": "member", "email": "member@example.com"}


def test_target_without_account_is_named_by_sub(rf: Any, owner: Any) -> None:
    event = send(rf, owner, "member_removed", target=MEMBER)
    assert (event.user_id, event.user_sub, event.user_data) == ("", MEMBER, {})


def test_change_without_target_has_no_user(rf: Any, owner: Any) -> None:
    event = send(rf, owner, "organization_renamed")
    assert (people(event), event.user_sub) == ((str(owner.pk), ""), "")


def test_own_membership_is_of_actor_and_user(rf: Any, owner: Any) -> None:
    event = send(rf, owner, "member_left", target=OWNER)
    assert people(event) == (str(owner.pk), str(owner.pk))
