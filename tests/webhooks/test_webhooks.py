"""Webhook events are applied: users and organizations are updated, suspended and deleted."""

from __future__ import annotations

import json
import logging
import time
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.db.models import ProtectedError
from django.db.models.signals import pre_delete
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils.dateparse import parse_datetime
from django.utils.timezone import now
from freezegun import freeze_time

from logto_auth.conf import conf
from logto_auth.decorators import access_token_required
from logto_auth.emulator import Emulator
from logto_auth.exceptions import ConfigurationError
from logto_auth.models import LogtoIdentity, LogtoSession, Organization, OrganizationMembership, WebhookMark
from logto_auth.testing import Browser
from logto_auth.webhooks import handle, ordering
from logto_auth.webhooks.signals import BY_EVENT, webhook_received
from tests.recorded import recording
from tests.webhooks.deliveries import EVENTS, SUB, deliver, event, iso, part_event, send, user, user_event

pytestmark = pytest.mark.django_db
User = get_user_model()


@pytest.fixture(autouse=True)
def signing_key(settings: Any) -> None:
    settings.LOGTO_WEBHOOK_SIGNING_KEY = recording("hook_created")["signingKey"]


@pytest.fixture
def user_at_logto(logto: Emulator) -> Any:
    """Return a user at Logto."""
    return logto.tenant.add_user(id=SUB, username="reader", primary_email="reader@example.com", name="Reader")


@pytest.fixture
def reader(browser: Browser, user_at_logto: Any) -> Browser:
    """Return the browser of a user who is signed in."""
    browser.sign_in("reader")
    return browser


def is_signed_in(browser: Browser) -> bool:
    return bool(browser.client.get("/").wsgi_request.user.is_authenticated)


def accepted(payload: dict[str, Any]) -> None:
    response = deliver(payload)
    assert (response.status_code, response.content, response["Cache-Control"]) == (204, b"", "no-store")


def later(seconds: float) -> datetime:
    return now() + timedelta(seconds=seconds)


# Recorded deliveries of a real Logto


def test_recorded_deliveries_are_accepted_and_applied(settings: Any) -> None:
    settings.LOGTO_ENDPOINT = "http://localhost:3001"
    account = User.objects.create_user("local-name", "old@example.com")
    LogtoIdentity.objects.create(user=account, issuer=conf.issuer, sub="p8258v1eiise")
    after: dict[str, tuple[Any, ...]] = {}
    for delivery in recording("webhooks"):
        body = delivery["body"].encode()
        payload = json.loads(body)
        name = payload["event"]
        with freeze_time(parse_datetime(payload["createdAt"])):
            response = send(
                body,
                signed=delivery["headers"]["logto-signature-sha-256"],
                content_type=delivery["headers"]["content-type"],
            )
        assert response.status_code == 204, name
        account = User.objects.get()
        membership = OrganizationMembership.objects.filter(organization__logto_id="i138uqcgact4").exists()
        after[name] = (account.email, account.first_name, account.is_active, membership)
    assert after == {
        "PostSignIn": ("old@example.com", "", True, False),
        "User.Created": ("old@example.com", "", True, False),
        "User.Data.Updated": ("5abbfd@example.com", "Hooked", True, False),
        "User.SuspensionStatus.Updated": ("5abbfd@example.com", "Hooked", False, False),
        "Organization.Membership.Updated": ("5abbfd@example.com", "Hooked", False, True),
        "User.Deleted": ("5abbfd@example.com", "Hooked", False, True),
    }
    assert account.username == "local-name"
    assert LogtoIdentity.objects.get().status == "deleted"


def test_console_test_event_is_accepted() -> None:
    for name in ("User.Data.Updated", "User.Deleted", "Organization.Membership.Updated", "Organization.Deleted"):
        accepted(event(name, path="/fake-path/:id", matchedRoute="/fake-path/:id", data={"result": "success"}))
    accepted(event("PostSignIn", userId="fake-id", user={"id": "fake-id"}))
    assert not User.objects.exists()
    assert not Organization.objects.exists()


# Users


def test_changed_user_is_updated(identity: LogtoIdentity) -> None:
    accepted(user_event("User.Data.Updated", SUB, name="New", profile={"givenName": "Ada", "familyName": "Lovelace"}))
    account = User.objects.get()
    assert (account.email, account.first_name, account.last_name) == ("reader@example.com", "Ada", "Lovelace")
    accepted(user_event("User.Data.Updated", SUB, name="New", primaryEmail=None, username="other"))
    account = User.objects.get()
    assert (account.email, account.first_name, account.username) == ("", "New", "reader")


def test_data_outside_the_scopes_is_ignored(identity: LogtoIdentity, settings: Any) -> None:
    settings.LOGTO_SCOPES = ("openid", "profile")
    accepted(user_event("User.Data.Updated", SUB, name="New"))
    account = User.objects.get()
    assert (account.email, account.first_name) == ("old@example.com", "New")


def fields_with_defaults(claims: Any) -> dict[str, Any]:
    """Return fields with a default for each missing claim."""
    plan = (claims.get("custom_data") or {}).get("plan", "free")
    roles, organizations = claims.get("roles") or ["none"], claims.get("organizations") or []
    return {
        "email": claims.get("email") or "default@example.com",
        "first_name": claims.get("given_name") or "Default",
        "last_name": " ".join([plan, *roles, *organizations]),
    }


@pytest.fixture
def _site_with_a_function(settings: Any, identity: LogtoIdentity) -> None:
    settings.LOGTO_USER_FIELDS = "tests.webhooks.test_webhooks.fields_with_defaults"
    settings.LOGTO_SCOPES = (*settings.LOGTO_SCOPES, "custom_data", "urn:logto:scope:organizations")
    LogtoIdentity.objects.update(roles=["editor"])
    organization = Organization.objects.create(issuer=identity.issuer, logto_id="harbour")
    OrganizationMembership.objects.create(identity=identity, organization=organization, roles=["staff"])
    User.objects.update(email="ada@example.com", first_name="Ada", last_name="free editor harbour")


@pytest.mark.usefixtures("_site_with_a_function")
def test_part_of_user_updates_only_its_fields() -> None:
    accepted(part_event("custom-data", SUB, {"plan": "gold", "id": "someone-else"}))
    account = User.objects.get()
    assert (account.email, account.first_name, account.last_name) == ("ada@example.com", "Ada", "gold editor harbour")
    accepted(part_event("profile", SUB, {"givenName": "Augusta"}))
    account = User.objects.get()
    assert (account.email, account.first_name) == ("ada@example.com", "Augusta")
    assert account.last_name == "gold editor harbour"


@pytest.mark.usefixtures("_site_with_a_function")
def test_mapping_gets_stored_roles_and_organizations() -> None:
    accepted(user_event("User.Data.Updated", SUB, primaryEmail=None, customData={"plan": "gold"}))
    account = User.objects.get()
    assert (account.email, account.first_name) == ("default@example.com", "Default")
    assert account.last_name == "gold editor harbour"


def test_custom_data_with_user_id_stays_custom_data(identity: LogtoIdentity) -> None:
    accepted(part_event("custom-data", SUB, user(SUB, isSuspended=True, primaryEmail="evil@example.com")))
    accepted(part_event("custom-data", "other0000001", user(SUB, isSuspended=True, primaryEmail="evil@example.com")))
    account = User.objects.get()
    assert (account.email, account.is_active) == ("old@example.com", True)


def test_update_keeps_rights_of_roles(identity: LogtoIdentity, settings: Any) -> None:
    settings.LOGTO_STAFF_ROLES, settings.LOGTO_GROUPS_BY_ROLE = ("clerk",), {"clerk": "Clerks"}
    User.objects.update(is_staff=True)
    User.objects.get().groups.create(name="Clerks")
    accepted(user_event("User.Data.Updated", SUB))
    account = User.objects.get()
    assert account.is_staff
    assert account.groups.count() == 1


def test_user_refused_by_site_is_not_updated(reader: Browser, settings: Any, caplog: Any) -> None:
    settings.LOGTO_USER_FIELDS = "tests.support.refuse_everyone"
    accepted(user_event("User.Data.Updated", SUB, name="New"))
    assert User.objects.get().first_name == "Reader"
    # The next request asks Logto for all claims, with which the site decides.
    assert not is_signed_in(reader)
    assert "A user was not updated from a webhook" in caplog.text


# Status


def test_suspended_user_is_signed_out_at_once(reader: Browser, logto: Emulator, user_at_logto: Any) -> None:
    other_device = Browser(logto)
    other_device.sign_in("reader")
    logto.tenant.update_user(SUB, is_suspended=True)
    accepted(user_event("User.SuspensionStatus.Updated", SUB, isSuspended=True))
    assert not LogtoSession.objects.exists()
    assert not is_signed_in(reader)
    assert not is_signed_in(other_device)
    assert not User.objects.get().is_active


def test_access_tokens_of_suspended_user_are_refused(
    reader: Browser, logto: Emulator, settings: Any, bearer: Any
) -> None:
    assert bearer().status_code == 200
    accepted(user_event("User.SuspensionStatus.Updated", SUB, isSuspended=True))
    assert bearer().status_code == 401
    User.objects.update(is_active=True)
    assert bearer().status_code == 401
    accepted(user_event("User.SuspensionStatus.Updated", SUB, at=later(1)))
    assert bearer().status_code == 200


@pytest.fixture
def bearer(logto: Emulator, settings: Any) -> Any:
    """Return a function that calls an API with an access token issued before the events."""
    settings.LOGTO_API_RESOURCE = "https://shop.example/api"
    issued_at = int(now().timestamp())
    token = logto.sign(
        {
            "iss": logto.issuer,
            "aud": "https://shop.example/api",
            "sub": SUB,
            "client_id": "app",
            "scope": "read:books",
            "iat": issued_at,
            "exp": issued_at + 3600,
            "jti": "token",
        },
        header={"typ": "at+jwt"},
    )

    @access_token_required()
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(request.user.username)

    return lambda: view(RequestFactory().get("/api", headers={"Authorization": f"Bearer {token}"}))


def test_reactivated_user_can_sign_in(reader: Browser) -> None:
    accepted(user_event("User.SuspensionStatus.Updated", SUB, isSuspended=True))
    assert not User.objects.get().is_active
    accepted(user_event("User.SuspensionStatus.Updated", SUB, at=later(0.01)))
    assert User.objects.get().is_active
    assert reader.sign_in("reader").status_code == 302
    assert is_signed_in(reader)


def test_account_deactivated_by_staff_stays_inactive(identity: LogtoIdentity) -> None:
    User.objects.update(is_active=False)
    accepted(user_event("User.SuspensionStatus.Updated", SUB, isSuspended=True))
    accepted(user_event("User.SuspensionStatus.Updated", SUB, at=later(1)))
    assert LogtoIdentity.objects.get().status == "active"
    assert not User.objects.get().is_active


def test_latest_change_by_staff_wins(identity: LogtoIdentity) -> None:
    accepted(user_event("User.SuspensionStatus.Updated", SUB, isSuspended=True))
    for is_active in (True, False):
        account = User.objects.get()
        account.is_active = is_active
        account.save()
    accepted(user_event("User.SuspensionStatus.Updated", SUB, at=later(1)))
    assert not User.objects.get().is_active


def test_repeated_suspension_keeps_account_active(identity: LogtoIdentity) -> None:
    """Staff reactivated the account, while the user is still suspended at Logto."""
    accepted(user_event("User.SuspensionStatus.Updated", SUB, isSuspended=True))
    account = User.objects.get()
    account.is_active = True
    account.save()
    accepted(user_event("User.Data.Updated", SUB, at=later(1), name="New", isSuspended=True))
    account = User.objects.get()
    assert (account.first_name, account.is_active) == ("New", True)
    accepted(user_event("User.Deleted", SUB, at=later(2)))
    assert not User.objects.get().is_active


def test_sign_in_reactivates_after_lost_webhook(user_at_logto: Any, identity: LogtoIdentity, browser: Browser) -> None:
    accepted(user_event("User.SuspensionStatus.Updated", SUB, at=later(-10), isSuspended=True))
    assert not User.objects.get().is_active
    assert browser.sign_in("reader").status_code == 302
    assert is_signed_in(browser)
    # It arrives late and is ignored.
    accepted(user_event("User.SuspensionStatus.Updated", SUB, at=later(-9), isSuspended=True))
    assert is_signed_in(browser)


def test_sign_in_before_suspension_does_not_reactivate(
    user_at_logto: Any, identity: LogtoIdentity, browser: Browser
) -> None:
    accepted(user_event("User.SuspensionStatus.Updated", SUB, at=later(5), isSuspended=True))
    assert browser.sign_in("reader").context["code"] == "account_disabled"
    assert not User.objects.get().is_active


def test_deleted_user_is_signed_out_and_account_stays(reader: Browser, logto: Emulator) -> None:
    logto.tenant.delete_user(SUB)
    accepted(user_event("User.Deleted", SUB))
    assert not is_signed_in(reader)
    account = User.objects.get()
    assert not account.is_active
    assert account.logto_identities.get().status == "deleted"


def test_sub_that_returns_after_deletion_is_refused(reader: Browser, logto: Emulator) -> None:
    logto.tenant.delete_user(SUB)
    accepted(user_event("User.Deleted", SUB))
    logto.tenant.add_user(id=SUB, username="newcomer")
    accepted(user_event("User.Created", SUB, at=later(1)))
    accepted(user_event("User.Data.Updated", SUB, at=later(2), name="Newcomer"))
    # The account is in use in another way.
    User.objects.update(is_active=True)
    with freeze_time(later(30)):
        assert Browser(logto).sign_in("newcomer").context["code"] == "account_disabled"
    assert User.objects.get().first_name == "Reader"


def test_account_is_deleted_if_configured(reader: Browser, settings: Any) -> None:
    settings.LOGTO_WEBHOOK_DELETE_USERS = True
    accepted(user_event("User.SuspensionStatus.Updated", SUB, isSuspended=True))
    assert User.objects.count() == 1
    accepted(user_event("User.Deleted", SUB, at=later(1)))
    assert not User.objects.exists()
    assert not LogtoIdentity.objects.exists()


@pytest.mark.parametrize("flag", ["is_staff", "is_superuser"])
def test_staff_account_is_deactivated_not_deleted(identity: LogtoIdentity, settings: Any, flag: str) -> None:
    settings.LOGTO_WEBHOOK_DELETE_USERS = True
    User.objects.update(**{flag: True})
    accepted(user_event("User.Deleted", SUB))
    assert not User.objects.get().is_active


def test_protected_account_is_deactivated_not_deleted(identity: LogtoIdentity, settings: Any, caplog: Any) -> None:
    def need(sender: Any, instance: Any, **kwargs: Any) -> None:
        raise ProtectedError("Invoices need this account.", {instance})

    settings.LOGTO_WEBHOOK_DELETE_USERS = True
    pre_delete.connect(need, sender=User)
    try:
        accepted(user_event("User.Deleted", SUB))
    finally:
        pre_delete.disconnect(need, sender=User)
    assert not User.objects.get().is_active
    assert "deactivated, not deleted" in caplog.text


def test_account_with_another_identity_stays_active(identity: LogtoIdentity, settings: Any) -> None:
    """Return two identities of one account."""
    settings.LOGTO_WEBHOOK_DELETE_USERS = True
    LogtoIdentity.objects.create(user=identity.user, issuer=identity.issuer, sub="other0000001")
    accepted(user_event("User.Deleted", SUB))
    assert User.objects.get().is_active
    assert LogtoIdentity.objects.get(sub=SUB).status == "deleted"
    accepted(user_event("User.SuspensionStatus.Updated", "other0000001", isSuspended=True))
    assert not User.objects.get().is_active


# Organizations


def membership_event(*, added: list[str] | None = None, removed: list[str] | None = None, **members: Any) -> Any:
    lists = {"addedUserIds": added, "removedUserIds": removed}
    return event(
        "Organization.Membership.Updated",
        **{
            "params": {"id": "harbour"},
            "organizationId": "harbour",
            **{name: ids for name, ids in lists.items() if ids is not None},
            **members,
        },
    )


def members() -> list[tuple[str, list[str]]]:
    return list(OrganizationMembership.objects.order_by("identity__sub").values_list("identity__sub", "roles"))


def test_members_are_added_and_removed(identity: LogtoIdentity) -> None:
    other = LogtoIdentity.objects.create(user=identity.user, issuer=identity.issuer, sub="other0000001")
    accepted(membership_event(added=[SUB, "unknown00001"]))
    assert members() == [(SUB, [])]
    OrganizationMembership.objects.update(roles=["manager"])
    accepted(membership_event(added=[SUB, other.sub], at=later(1)))
    assert members() == [(other.sub, []), (SUB, ["manager"])]
    accepted(membership_event(added=[], removed=[SUB, "unknown00001"], at=later(2)))
    assert members() == [(other.sub, [])]
    assert Organization.objects.get().logto_id == "harbour"


def test_organization_is_renamed_and_emptied_on_deletion(identity: LogtoIdentity) -> None:
    accepted(membership_event(added=[SUB]))
    renamed = event("Organization.Data.Updated", params={"id": "harbour"}, data={"id": "harbour", "name": "Harbour"})
    accepted(renamed)
    assert Organization.objects.get().name == "Harbour"
    deleted = event("Organization.Deleted", params={"id": "harbour"}, at=later(1))
    accepted({name: value for name, value in deleted.items() if name != "data"})
    assert members() == []
    assert Organization.objects.get().name == "Harbour"
    accepted(membership_event(added=[SUB], at=later(0.5)))
    assert members() == []


def test_unknown_organization_gets_no_row() -> None:
    accepted(membership_event(added=["unknown00001"]))
    accepted(event("Organization.Data.Updated", params={"id": "harbour"}, data={"id": "harbour", "name": "Harbour"}))
    assert not Organization.objects.exists()


def test_query_count_does_not_depend_on_site_size(identity: LogtoIdentity) -> None:
    def queries(payload: dict[str, Any]) -> int:
        with CaptureQueriesContext(connection) as captured:
            accepted(payload)
        words = [query["sql"].split()[0] for query in captured]
        return len([word for word in words if word not in ("SAVEPOINT", "RELEASE")])

    organization = {"params": {"id": "harbour"}, "data": {"name": "Harbour"}}
    counts = []
    for round, users in enumerate((1, 40)):
        subs = [f"sub-{round}-{number}" for number in range(users)]
        for sub in subs:
            account = User.objects.create(username=sub)
            LogtoIdentity.objects.create(user=account, issuer=identity.issuer, sub=sub)
            LogtoSession.objects.create(identity=identity, user=identity.user, fresh_until=0, delete_after=0)
        payloads = {
            "rename": user_event("User.Data.Updated", SUB, at=later(round), name=f"New {round}"),
            "suspend": user_event("User.SuspensionStatus.Updated", SUB, at=later(round + 0.1), isSuspended=True),
            "lift": user_event("User.SuspensionStatus.Updated", SUB, at=later(round + 0.2)),
            "join": membership_event(added=subs, at=later(round)),
            "leave": membership_event(removed=subs, at=later(round + 0.1)),
            "organization renamed": event("Organization.Data.Updated", at=later(round), **organization),
            "organization deleted": event("Organization.Deleted", at=later(round + 0.2), **organization),
            "delete": user_event("User.Deleted", subs[0]),
        }
        counts.append({name: queries(payload) for name, payload in payloads.items()})
    assert counts[0] == counts[1]
    # SQLite needs no locks on rows.
    lock = int(connection.features.has_select_for_update)
    assert counts[0] == {
        "rename": 10 + lock,
        "suspend": 17 + lock,
        "lift": 12 + lock,
        "join": 9 + lock,
        "leave": 7 + lock,
        "organization renamed": 4,
        "organization deleted": 4,
        "delete": 11,
    }


# Signals


@pytest.fixture
def heard() -> Any:
    """Return the events that the signals were sent with, by event name."""
    events: list[tuple[str, Any]] = []
    signals = {"webhook_received": webhook_received, **BY_EVENT}
    receivers = {}
    for name, signal in signals.items():

        def receive(sender: Any, event: Any, name: str = name, **kwargs: Any) -> None:
            events.append((name, event))

        receivers[name] = receive
        signal.connect(receive)
    yield events
    for name, signal in signals.items():
        signal.disconnect(receivers[name])


@pytest.mark.parametrize("name", EVENTS)
def test_event_sends_its_signals(heard: Any, name: str) -> None:
    at = now().replace(microsecond=0)
    accepted(event(name, at=at, params={"userId": "u1", "id": "o1"}, data={"id": "d1"}, userId="p1"))
    assert [signal for signal, _ in heard] == ["webhook_received", *([name] if name in BY_EVENT else [])]
    received = heard[-1][1]
    assert (received.name, received.created_at, received.data) == (name, at, {"id": "d1"})
    assert received.user_id == ("u1" if name.startswith("User.") else "p1")
    assert received.organization_id == ("o1" if name.startswith("Organization.") else None)
    assert received.params == {"userId": "u1", "id": "o1"}
    assert received.payload["hookId"] == "0r4rzemdl1wjkznh4bwk8"


def test_unknown_event_is_accepted_and_ignored(heard: Any, identity: LogtoIdentity) -> None:
    accepted(event("Moon.Phase.Updated", data=user(SUB, isSuspended=True)))
    assert [name for name, _ in heard] == ["webhook_received"]
    assert User.objects.get().is_active


def test_signals_follow_writes_and_receiver_errors_are_logged(identity: LogtoIdentity) -> None:
    seen: list[str] = []

    def look(sender: Any, event: Any, **kwargs: Any) -> None:
        seen.append(User.objects.get().first_name)
        raise RuntimeError("broken")

    BY_EVENT["User.Data.Updated"].connect(look)
    try:
        accepted(user_event("User.Data.Updated", SUB, name="New"))
    finally:
        BY_EVENT["User.Data.Updated"].disconnect(look)
    assert seen == ["New"]


def test_error_in_site_function_is_logged_after_suspension(
    identity: LogtoIdentity, settings: Any, heard: Any, caplog: Any
) -> None:
    settings.LOGTO_USER_FIELDS = "tests.support.fail"
    assert deliver(user_event("User.SuspensionStatus.Updated", SUB, isSuspended=True)).status_code == 500
    assert not User.objects.get().is_active
    assert [name for name, _ in heard] == ["webhook_received", "User.SuspensionStatus.Updated"]
    lines = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert {record.name for record in lines} >= {"logto_auth", "django.request"}
    assert f"'User.SuspensionStatus.Updated' about {SUB} could not be applied" in caplog.text


# Task queues

queue: list[str] = []


def test_runner_of_site_handles_later(identity: LogtoIdentity, settings: Any) -> None:
    queue.clear()
    settings.LOGTO_WEBHOOK_RUNNER = "tests.webhooks.test_webhooks.enqueue"
    accepted(user_event("User.Data.Updated", SUB, name="New"))
    assert User.objects.get().first_name == "Old"
    with freeze_time(later(100_000)):
        handle(queue.pop())
    assert User.objects.get().first_name == "New"


def enqueue(body: str) -> None:
    queue.append(body)


def test_django_tasks_runner_handles_webhooks(identity: LogtoIdentity, settings: Any) -> None:
    pytest.importorskip("django.tasks")
    settings.LOGTO_WEBHOOK_RUNNER = "logto_auth.contrib.tasks.enqueue"
    accepted(user_event("User.Data.Updated", SUB, name="New"))
    assert User.objects.get().first_name == "New"


def test_django_tasks_runner_names_missing_requirement() -> None:
    try:
        import django.tasks  # noqa: F401
    except ImportError:
        with pytest.raises(ConfigurationError, match=r"needs django\.tasks, which is part of Django 6\.0"):
            __import__("logto_auth.contrib.tasks")
    else:
        pytest.skip("Django has tasks.")


# Old marks


def test_old_marks_are_deleted(identity: LogtoIdentity, capsys: Any) -> None:
    accepted(user_event("User.Data.Updated", SUB))
    assert WebhookMark.objects.count() == 3
    call_command("logto_clearsessions")
    assert WebhookMark.objects.count() == 3
    WebhookMark.objects.update(at=time.time() - ordering.KEPT_FOR_SECONDS - 1)
    call_command("logto_clearsessions")
    assert not WebhookMark.objects.exists()


def test_api_urls_contain_the_webhook_view(identity: LogtoIdentity, settings: Any) -> None:
    settings.ROOT_URLCONF = "logto_auth.api_urls"
    cache.clear()
    accepted(user_event("User.Data.Updated", SUB, name="New"))
    assert User.objects.get().first_name == "New"
    assert Client().get("/webhooks/logto").status_code == 405


def test_event_time_format_is_logtos() -> None:
    assert iso(datetime(2026, 11, 23, 2, 15, 27, 969_000, tzinfo=timezone.utc)) == "2026-11-23T02:15:27.969Z"
