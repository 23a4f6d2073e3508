"""Changes of accounts in the audit trail: each place at which Logto, staff or users make them."""

from __future__ import annotations

import time
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client
from django.urls import reverse

from logto_auth.audit import record_event
from logto_auth.audit.models import AuditEvent
from logto_auth.clients import reset_clients
from logto_auth.conf import conf
from logto_auth.emulator import Emulator
from logto_auth.models import LogtoIdentity, LogtoSession, Organization, OrganizationMembership, SyncRun, UserStatus
from logto_auth.signals import user_suspended
from logto_auth.testing import Browser
from logto_auth.users.suspension import suspend
from tests.api.callers import App
from tests.rights import API, ask_for_rights, set_up
from tests.users.accounts import TRUST, local_user
from tests.webhooks.deliveries import SIGNING_KEY, deliver, event, user_event

from .recorded import AGENT, actions, forget, key_of, only, people, refused, written

pytestmark = pytest.mark.django_db
User = get_user_model()
SUB = "reader000001"


@pytest.fixture
def machine(logto: Emulator, settings: Any) -> Any:
    machine = logto.tenant.add_application(name="Site", type="MachineToMachine", roles=["Logto Management API access"])
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    reset_clients()
    return machine


@pytest.fixture
def reader(logto: Emulator) -> Browser:
    """The browser of a signed-in user."""
    logto.tenant.add_user(id=SUB, username="reader", primary_email="reader@example.com", name="Reader")
    browser = Browser(logto)
    browser.sign_in("reader")
    forget()
    return browser


@pytest.fixture
def staff(client: Client) -> Client:
    user = User.objects.create_superuser("clerk")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    client.defaults.update(REMOTE_ADDR="192.0.2.9", HTTP_USER_AGENT=AGENT)
    forget()
    return client


def run(*arguments: str) -> str:
    output = StringIO()
    call_command(*arguments, stdout=output, stderr=output)
    return output.getvalue()


# Webhooks


@pytest.fixture
def hook(settings: Any) -> None:
    settings.LOGTO_WEBHOOK_SIGNING_KEY = SIGNING_KEY
    cache.clear()


def deliver_one(payload: Any) -> list[str]:
    with written() as statements:
        assert deliver(payload).status_code == 204
    return statements


@pytest.mark.usefixtures("hook")
def test_suspension_by_webhook_is_one_insert_without_actor(reader: Browser) -> None:
    statements = deliver_one(user_event("User.SuspensionStatus.Updated", SUB, isSuspended=True))
    assert len(statements) == 1
    assert actions() == ["session_ended", "suspended"]
    event = only("suspended")
    assert (people(event), event.user_sub) == (("", key_of("reader")), SUB)
    assert (event.details, event.actor_data) == ({"status": "suspended"}, {})
    forget()
    assert deliver_one(user_event("User.SuspensionStatus.Updated", SUB, isSuspended=True)) == []
    deliver_one(user_event("User.SuspensionStatus.Updated", SUB, isSuspended=False))
    assert actions() == ["reactivated"]


@pytest.mark.usefixtures("hook")
def test_deletion_by_webhook_is_recorded(reader: Browser) -> None:
    key = key_of("reader")
    record_event("shop.sold", user=User.objects.get())
    deliver_one(event("User.Deleted", params={"userId": SUB}))
    assert actions() == ["shop.sold", "session_ended", "suspended"]
    assert (only("suspended").details, only("suspended").user_id) == ({"status": "deleted"}, key)
    # Its personal data is erased.
    assert [only(action).user_data or {} for action in actions()] == [{}, {}, {}]


@pytest.mark.usefixtures("hook")
def test_memberships_by_webhook_are_recorded_if_they_change(reader: Browser) -> None:
    add = {"organizationId": "harbour", "addedUserIds": [SUB]}
    assert len(deliver_one(event("Organization.Membership.Updated", **add))) == 1
    joined = only("memberships_changed")
    assert (joined.organization_id, people(joined)) == ("harbour", ("", key_of("reader")))
    assert joined.details == {"former": {}, "current": {"harbour": []}}
    forget()
    assert deliver_one(event("Organization.Membership.Updated", **add)) == []
    OrganizationMembership.objects.update(roles=["staff"])
    remove = {"organizationId": "harbour", "removedUserIds": [SUB]}
    assert len(deliver_one(event("Organization.Membership.Updated", **remove))) == 1
    assert only("memberships_changed").details == {"former": {"harbour": ["staff"]}, "current": {}}
    forget()
    assert deliver_one(event("Organization.Membership.Updated", **remove)) == []


@pytest.mark.usefixtures("hook")
def test_deleted_organization_is_one_insert_for_all_members(reader: Browser) -> None:
    organization = Organization.objects.create(issuer=conf.issuer, logto_id="harbour")
    for number in range(3):
        account = User.objects.create_user(f"member{number}")
        identity = LogtoIdentity.objects.create(user=account, issuer=conf.issuer, sub=f"member{number}")
        OrganizationMembership.objects.create(organization=organization, identity=identity)
    assert len(deliver_one(event("Organization.Deleted", params={"id": "harbour"}))) == 1
    assert actions() == ["memberships_changed"] * 3


# Commands


@pytest.mark.usefixtures("machine")
def test_page_of_a_sync_is_one_insert(logto: Emulator, settings: Any) -> None:
    settings.LOGTO_STAFF_ROLES, settings.LOGTO_GROUPS_BY_ROLE = ["editor"], {"editor": "Editors"}
    logto.tenant.add_role("editor")
    users = [logto.tenant.add_user(username=f"user{number}") for number in range(5)]
    with written() as statements:
        run("logto_sync", "--create")
    assert len(statements) == 1
    assert actions() == ["account_created"] * 5
    assert set(AuditEvent.objects.values_list("actor_id", "user_sub")) == {("", user.id) for user in users}
    forget()
    logto.tenant.update_user(users[0].id, roles=["editor"])
    logto.tenant.update_user(users[1].id, is_suspended=True)
    with written() as statements:
        run("logto_sync")
    assert len(statements) == 1
    assert sorted(actions()) == ["rights_changed", "suspended"]
    assert only("rights_changed").details == {
        "former": {"groups": [], "is_staff": False, "roles": []},
        "current": {"groups": ["Editors"], "is_staff": True, "roles": ["editor"]},
    }
    forget()
    logto.tenant.update_user(users[1].id, is_suspended=False)
    logto.tenant.delete_user(users[2].id)
    run("logto_sync")
    assert sorted(actions()) == ["reactivated", "suspended"]
    assert only("suspended").details == {"status": "deleted"}
    forget()
    with written() as statements:
        run("logto_sync")
    assert statements == []


@pytest.mark.usefixtures("machine")
def test_changed_memberships_of_a_sync_are_recorded(logto: Emulator, settings: Any) -> None:
    settings.LOGTO_SCOPES = (*settings.LOGTO_SCOPES, "urn:logto:scope:organizations")
    user = logto.tenant.add_user(username="user")
    run("logto_sync", "--create")
    logto.tenant.add_organization("Harbour", id="harbour")
    logto.tenant.add_member("harbour", user.id)
    forget()
    run("logto_sync")
    assert actions() == ["memberships_changed"]
    assert only("memberships_changed").details == {"former": {}, "current": {"harbour": []}}


@pytest.mark.usefixtures("machine")
def test_account_linked_by_a_sync_is_recorded(logto: Emulator, settings: Any) -> None:
    settings.LOGTO_LINK_BY_EMAIL = TRUST
    local = local_user("reader@example.com", username="local")
    logto.tenant.add_user(username="reader", primary_email="reader@example.com")
    run("logto_sync", "--create")
    assert "identity_linked" in actions()
    assert people(only("identity_linked")) == ("", str(local.pk))


@pytest.mark.usefixtures("machine")
def test_dry_run_records_nothing(logto: Emulator) -> None:
    logto.tenant.add_user(username="user")
    run("logto_sync", "--create", "--dry-run")
    local_user(username="local")
    run("logto_import", "--dry-run")
    assert actions() == []


@pytest.mark.usefixtures("machine")
def test_imported_accounts_are_linked_in_one_insert(logto: Emulator) -> None:
    for number in range(5):
        local_user(f"local{number}@example.com", username=f"local{number}")
    inactive = local_user("inactive@example.com", username="inactive", is_active=False)
    with written() as statements:
        run("logto_import")
    assert actions().count("identity_linked") == 6
    assert set(AuditEvent.objects.values_list("actor_id", flat=True)) == {""}
    assert only("suspended").user_id == str(inactive.pk)
    # One for the links, whose answers have come together, and one for the suspension.
    assert 2 <= len(statements) <= 7


@pytest.mark.usefixtures("machine")
def test_adopted_user_is_recorded(logto: Emulator) -> None:
    local = local_user("reader@example.com", username="local")
    sub = logto.tenant.add_user(username="reader", primary_email="reader@example.com").id
    run("logto_import", "--adopt-by-email")
    event = only("identity_linked")
    assert (people(event), event.user_sub) == (("", str(local.pk)), sub)


def test_moved_issuer_is_recorded(settings: Any, logto: Emulator) -> None:
    settings.LOGTO_FORMER_ENDPOINTS = ["https://former.example"]
    for number in range(3):
        account = local_user(username=f"local{number}")
        LogtoIdentity.objects.create(user=account, issuer="https://former.example/oidc", sub=f"sub{number}")
    run("logto_move_issuer", "--dry-run")
    assert actions() == []
    with written() as statements:
        run("logto_move_issuer")
    assert len(statements) == 1
    event = only("issuer_changed")
    assert (people(event), event.details) == (("", ""), {"issuer": conf.issuer, "identities": 3, "organizations": 0})


# API


def test_account_of_an_api_call_is_recorded(logto: Emulator, settings: Any) -> None:
    set_up(logto)
    ask_for_rights(settings)
    settings.LOGTO_API_CREATE_USERS = True
    settings.ROOT_URLCONF = "tests.api.test_users_and_machines"
    app = App(logto)
    try:
        token = app.token("customer", resource=API)
    finally:
        app.close()
    for _ in range(2):
        Client(REMOTE_ADDR="192.0.2.5").get("/who/", headers={"authorization": f"Bearer {token}"})
    event = only("account_created")
    key = str(User.objects.get().pk)
    assert (people(event), event.actor_sub) == ((key, key), "customer0001")
    assert event.actor_data is not None
    assert event.actor_data["ip_address"] == "192.0.2.5"
    assert actions() == ["account_created"]


# Staff


def act(staff: Client, action: str, username: str) -> list[str]:
    user = User.objects.get(username=username)
    form = {"action": action, "_selected_action": [user.pk], "confirmed": "yes"}
    with written() as statements:
        assert staff.post(reverse("admin:auth_user_changelist"), form).status_code == 302
    return statements


@pytest.mark.usefixtures("machine")
def test_staff_are_the_actors_of_admin_actions(reader: Browser, staff: Client) -> None:
    both = key_of("clerk"), key_of("reader")
    assert len(act(staff, "suspend_at_logto", "reader")) == 1
    assert actions() == ["session_ended", "suspended"]
    assert {people(event) for event in AuditEvent.objects.all()} == {both}
    data = only("suspended").actor_data
    assert data is not None
    assert (data["name"], data["ip_address"], data["user_agent"]) == ("clerk", "192.0.2.9", AGENT)
    forget()
    assert len(act(staff, "reactivate_at_logto", "reader")) == 1
    assert [people(event) for event in AuditEvent.objects.all()] == [both]
    assert actions() == ["reactivated"]
    for action in ("sign_out_everywhere", "sign_out_at_logto"):
        reader.sign_in("reader")
        forget()
        assert len(act(staff, action, "reader")) == 1
        event = only("session_ended")
        assert (people(event), event.details) == (both, {"reason": "ended_by_staff"})


def change(staff: Client, user: Any, **values: Any) -> None:
    joined = user.date_joined
    form = {
        "username": user.username,
        "date_joined_0": joined.date().isoformat(),
        "date_joined_1": joined.time().isoformat("seconds"),
        "is_active": "on",
        "logto_identities-TOTAL_FORMS": "0",
        "logto_identities-INITIAL_FORMS": "0",
        **values,
    }
    form = {name: value for name, value in form.items() if value is not None}
    response = staff.post(reverse("admin:auth_user_change", args=[user.pk]), form)
    assert response.status_code == 302, response.context["errors"]


def test_flags_that_staff_change_by_hand_are_recorded(staff: Client) -> None:
    user = local_user(username="local")
    change(staff, user)
    assert actions() == []
    change(staff, user, is_staff="on")
    event = only("rights_changed")
    assert people(event) == (key_of("clerk"), str(user.pk))
    assert event.details == {"former": {"is_staff": False}, "current": {"is_staff": True}}
    forget()
    change(staff, user, is_active=None)
    assert only("rights_changed").details == {
        "former": {"is_active": True, "is_staff": True},
        "current": {"is_active": False, "is_staff": False},
    }


def test_groups_that_staff_change_by_hand_are_recorded(staff: Client) -> None:
    user, group = local_user(username="local"), Group.objects.create(name="Volunteers")
    permission = Permission.objects.get(codename="view_group")
    change(staff, user, groups=[group.pk], user_permissions=[permission.pk])
    found = [event.details for event in AuditEvent.objects.order_by("id")]
    assert {"groups_added": ["Volunteers"]} in found
    assert {"permissions_added": ["auth.view_group"]} in found
    forget()
    change(staff, user)
    found = [event.details for event in AuditEvent.objects.order_by("id")]
    assert {"groups_removed": ["Volunteers"]} in found
    assert {people(event) for event in AuditEvent.objects.all()} == {(key_of("clerk"), str(user.pk))}


@pytest.mark.parametrize("page", ["delete", "action"])
def test_accounts_that_staff_delete_are_recorded_and_erased(reader: Browser, staff: Client, page: str) -> None:
    former, clerk = key_of("reader"), key_of("clerk")
    record_event("shop.sold", user=User.objects.get(username="reader"))
    if page == "delete":
        staff.post(reverse("admin:auth_user_delete", args=[former]), {"post": "yes"})
    else:
        form = {"action": "delete_selected", "_selected_action": [former], "post": "yes"}
        staff.post(reverse("admin:auth_user_changelist"), form)
    assert not User.objects.filter(username="reader").exists()
    event = only("account_deleted")
    assert (people(event), event.user_sub) == ((clerk, former), SUB)
    assert event.actor_data == {"name": "clerk", "ip_address": "192.0.2.9", "user_agent": AGENT}
    assert not event.user_data
    assert only("shop.sold").user_data is None


def test_own_account_that_staff_delete_is_recorded_without_name(staff: Client) -> None:
    clerk = key_of("clerk")
    staff.post(reverse("admin:auth_user_delete", args=[clerk]), {"post": "yes"})
    event = only("account_deleted")
    assert people(event) == (clerk, clerk)
    assert "clerk" not in event.actor_json + event.user_json


def test_code_without_request_records_no_flags() -> None:
    user = local_user(username="local")
    user.is_staff = True
    user.save()
    user.groups.add(Group.objects.create(name="Volunteers"))
    user.delete()
    assert actions() == []


def test_session_that_staff_deactivate_names_them(reader: Browser, staff: Client) -> None:
    change(staff, User.objects.get(username="reader"), is_active=None)
    assert LogtoSession.objects.count() == 0
    assert people(only("session_ended")) == (key_of("clerk"), key_of("reader"))


@pytest.mark.usefixtures("machine")
@pytest.mark.django_db(transaction=True)
def test_page_that_was_rolled_back_records_nothing(logto: Emulator, monkeypatch: Any) -> None:
    """The second process has taken over the run before the page was stored."""
    user = logto.tenant.add_user(username="user")
    run("logto_sync", "--create")
    forget()
    logto.tenant.update_user(user.id, is_suspended=True)

    def take_over(sender: Any, **arguments: Any) -> None:
        SyncRun.objects.update(holder="another", turn=99)

    user_suspended.connect(take_over)
    try:
        with pytest.raises(CommandError):
            run("logto_sync")
    finally:
        user_suspended.disconnect(take_over)
    assert LogtoIdentity.objects.get().status == "active"
    assert actions() == []


def test_deletion_in_a_transaction_survives_a_missing_table(reader: Browser) -> None:
    identity = LogtoIdentity.objects.get(sub=SUB)
    with transaction.atomic():
        with refused("logto_audit_auditevent"):
            suspend(identity, UserStatus.DELETED, time.time())
        LogtoIdentity.objects.get(sub=SUB)
    assert LogtoIdentity.objects.get(sub=SUB).status == UserStatus.DELETED
