"""Changes at the Management API arrive here by webhook, over HTTP.

One delivery at a time, because the threads of these tests share a database connection. `tests/scale` has many at once.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from logto_auth.clients import management_api
from logto_auth.emulator import Emulator
from logto_auth.emulator.state.webhook_events import events_of
from logto_auth.management_api import ManagementAPI
from logto_auth.models import LogtoIdentity, OrganizationMembership
from logto_auth.testing import Browser
from logto_auth.webhooks.signals import webhook_received
from tests.webhooks.deliveries import SUB

User = get_user_model()


@pytest.fixture
def hook(logto: Emulator, live_server: Any, settings: Any) -> Any:
    """Return Logto's webhook to this site."""
    hook = logto.tenant.add_hook(f"{live_server.url}/webhooks/logto", events_of(logto.tenant.version))
    settings.LOGTO_WEBHOOK_SIGNING_KEY = hook.signing_key
    return hook


@pytest.fixture
def api(logto: Emulator, settings: Any) -> ManagementAPI:
    """Return the Management API of this site."""
    machine = logto.tenant.add_application(name="Site", type="MachineToMachine", roles=["Logto Management API access"])
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    return management_api()


@pytest.fixture
def reader(hook: Any, logto: Emulator) -> Browser:
    """Return the browser of a signed-in user who has a role."""
    logto.tenant.add_role("editor")
    logto.tenant.add_user(id=SUB, username="reader", roles=["editor"])
    browser = Browser(logto)
    browser.sign_in("reader")
    return browser


def delivered(logto: Emulator) -> list[tuple[str, int | None]]:
    """Return the deliveries since the last call, with the status of the responses."""
    logto.webhooks.wait()
    deliveries = [(delivery.event, delivery.status) for delivery in logto.webhooks.deliveries]
    logto.webhooks.clear()
    return deliveries


def test_user_is_created_updated_suspended_and_deleted(reader: Browser, logto: Emulator, api: ManagementAPI) -> None:
    assert delivered(logto) == [("PostSignIn", 204)]
    api.users.update(SUB, {"name": "Ada Lovelace", "primaryEmail": "ada@example.com"})
    assert delivered(logto) == [("User.Data.Updated", 204)]
    account = User.objects.get()
    assert (account.first_name, account.email) == ("Ada Lovelace", "ada@example.com")
    api.users.update_profile(SUB, {"givenName": "Ada", "familyName": "Lovelace"})
    assert delivered(logto) == [("User.Data.Updated", 204)]
    api.users.update_custom_data(SUB, {"plan": "gold"})
    assert delivered(logto) == [("User.Data.Updated", 204)]
    account = User.objects.get()
    assert (account.first_name, account.last_name, account.email) == ("Ada", "Lovelace", "ada@example.com")
    api.users.suspend(SUB)
    assert delivered(logto) == [("User.SuspensionStatus.Updated", 204)]
    assert not reader.client.get("/").wsgi_request.user.is_authenticated
    assert not User.objects.get().is_active
    api.users.suspend(SUB, is_suspended=False)
    assert delivered(logto) == [("User.SuspensionStatus.Updated", 204)]
    assert reader.sign_in("reader").status_code == 302
    assert delivered(logto) == [("PostSignIn", 204)]
    assert reader.client.get("/").wsgi_request.user.is_authenticated
    api.users.delete(SUB)
    assert delivered(logto) == [("User.Deleted", 204)]
    assert not reader.client.get("/").wsgi_request.user.is_authenticated
    assert LogtoIdentity.objects.get().status == "deleted"
    assert LogtoIdentity.objects.get().roles == ["editor"]


def test_organization_is_created_updated_and_deleted(reader: Browser, logto: Emulator, api: ManagementAPI) -> None:
    organization = api.organizations.create({"name": "Harbour"})
    assert ("Organization.Created", 204) in delivered(logto)
    api.organizations.add_users(organization["id"], [SUB])
    assert delivered(logto) == [("Organization.Membership.Updated", 204)]
    membership = OrganizationMembership.objects.get()
    assert (membership.identity.sub, membership.organization.logto_id) == (SUB, organization["id"])
    api.organizations.update(organization["id"], {"name": "Old harbour"})
    assert delivered(logto) == [("Organization.Data.Updated", 204)]
    membership.organization.refresh_from_db()
    assert membership.organization.name == "Old harbour"
    api.organizations.remove_user(organization["id"], SUB)
    assert delivered(logto) == [("Organization.Membership.Updated", 204)]
    assert not OrganizationMembership.objects.exists()
    api.organizations.add_users(organization["id"], [SUB])
    assert delivered(logto) == [("Organization.Membership.Updated", 204)]
    api.organizations.delete(organization["id"])
    assert delivered(logto) == [("Organization.Deleted", 204)]
    assert not OrganizationMembership.objects.exists()


def test_role_changes_send_no_webhook(reader: Browser, logto: Emulator, api: ManagementAPI) -> None:
    delivered(logto)
    (role,) = api.users.roles(SUB)
    api.users.remove_role(SUB, role["id"])
    assert delivered(logto) == []
    assert LogtoIdentity.objects.get().roles == ["editor"]
    Browser(logto).sign_in("reader")
    assert LogtoIdentity.objects.get().roles == []


def test_all_console_test_events_are_accepted(hook: Any, logto: Emulator, api: ManagementAPI) -> None:
    # Logto returns an error if this site does.
    api.hooks.test(hook.id, {"events": hook.events, "config": hook.config})
    assert not User.objects.exists()


def test_admin_suspension_and_its_webhook_agree(
    reader: Browser, logto: Emulator, api: ManagementAPI, admin_client: Client
) -> None:
    chosen = {"_selected_action": [User.objects.get(username="reader").pk], "confirmed": "yes"}
    for action, is_active in (("suspend_at_logto", False), ("reactivate_at_logto", True)):
        admin_client.post(reverse("admin:auth_user_changelist"), {"action": action, **chosen})
        assert ("User.SuspensionStatus.Updated", 204) in delivered(logto)
        assert User.objects.get(username="reader").is_active is is_active


def test_sign_in_event_is_received(hook: Any, logto: Emulator) -> None:
    logto.tenant.add_user(id=SUB, username="reader")
    heard: list[Any] = []
    webhook_received.connect(hear := lambda event, **kwargs: heard.append(event))
    Browser(logto).sign_in("reader")
    logto.webhooks.wait()
    webhook_received.disconnect(hear)
    (event,) = heard
    assert (event.name, event.user_id, event.user["username"]) == ("PostSignIn", SUB, "reader")
