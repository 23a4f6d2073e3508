"""What Logto tells by webhooks happens here: who is renamed, suspended, deleted, and who belongs where."""

from __future__ import annotations

import json
import logging
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
from tests.deliveries import deliver, event, iso, part_event, send, user, user_event
from tests.recorded import recording

pytestmark = pytest.mark.django_db
User = get_user_model()
SUB = "reader000001"


@pytest.fixture(autouse=True)
def signing_key(settings: Any) -> None:
    settings.LOGTO_WEBHOOK_SIGNING_KEY = recording("hook_created")["signingKey"]


@pytest.fixture
def person(logto: Emulator) -> Any:
    """An account at Logto."""
    return logto.tenant.add_user(id=SUB, username="reader", primary_email="reader@example.com", name="Reader")


@pytest.fixture
def reader(browser: Browser, person: Any) -> Browser:
    """Somebody signed in here."""
    browser.sign_in("reader")
    return browser


@pytest.fixture
def identity() -> LogtoIdentity:
    """Somebody whom this site knows, and who is not here."""
    account = User.objects.create_user("reader", "old@example.com", first_name="Old")
    return LogtoIdentity.objects.create(user=account, issuer=conf.issuer, sub=SUB)


def is_signed_in(browser: Browser) -> bool:
    return bool(browser.client.get("/").wsgi_request.user.is_authenticated)


def taken(payload: dict[str, Any]) -> None:
    response = deliver(payload)
    assert (response.status_code, response.content, response["Cache-Control"]) == (204, b"", "no-store")


def later(seconds: float) -> datetime:
    return now() + timedelta(seconds=seconds)


# What Logto really sent


def test_the_deliveries_of_a_real_logto_are_taken_and_followed(settings: Any) -> None:
    settings.LOGTO_ENDPOINT = "http://localhost:3001"
    account = User.objects.create_user("somebody", "old@example.com")
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
    assert account.username == "somebody"
    assert LogtoIdentity.objects.get().status == "deleted"


def test_a_test_event_of_the_console_is_taken() -> None:
    for name in ("User.Data.Updated", "User.Deleted", "Organization.Membership.Updated", "Organization.Deleted"):
        taken(event(name, path="/fake-path/:id", matchedRoute="/fake-path/:id", data={"result": "success"}))
    taken(event("PostSignIn", userId="fake-id", user={"id": "fake-id"}))
    assert not User.objects.exists()
    assert not Organization.objects.exists()


# People


def test_a_change_at_logto_reaches_the_account(identity: LogtoIdentity) -> None:
    taken(user_event("User.Data.Updated", SUB, name="New", profile={"givenName": "Ada", "familyName": "Lovelace"}))
    account = User.objects.get()
    assert (account.email, account.first_name, account.last_name) == ("reader@example.com", "Ada", "Lovelace")
    taken(user_event("User.Data.Updated", SUB, name="New", primaryEmail=None, username="other"))
    account = User.objects.get()
    assert (account.email, account.first_name, account.username) == ("", "New", "reader")


def test_what_a_sign_in_does_not_tell_no_webhook_does(identity: LogtoIdentity, settings: Any) -> None:
    settings.LOGTO_SCOPES = ("openid", "profile")
    taken(user_event("User.Data.Updated", SUB, name="New"))
    account = User.objects.get()
    assert (account.email, account.first_name) == ("old@example.com", "New")


def fields_with_defaults(claims: Any) -> dict[str, Any]:
    """A function of a site that has a default for every claim it misses."""
    plan = (claims.get("custom_data") or {}).get("plan", "free")
    roles, organizations = claims.get("roles") or ["none"], claims.get("organizations") or []
    return {
        "email": claims.get("email") or "nobody@example.com",
        "first_name": claims.get("given_name") or "Nobody",
        "last_name": " ".join([plan, *roles, *organizations]),
    }


@pytest.fixture
def _site_with_a_function(settings: Any, identity: LogtoIdentity) -> None:
    settings.LOGTO_USER_FIELDS = "tests.flows.test_webhooks.fields_with_defaults"
    settings.LOGTO_SCOPES = (*settings.LOGTO_SCOPES, "custom_data", "urn:logto:scope:organizations")
    LogtoIdentity.objects.update(roles=["editor"])
    organization = Organization.objects.create(issuer=identity.issuer, logto_id="harbour")
    OrganizationMembership.objects.create(identity=identity, organization=organization, roles=["staff"])
    User.objects.update(email="ada@example.com", first_name="Ada", last_name="free editor harbour")


@pytest.mark.usefixtures("_site_with_a_function")
def test_custom_data_and_profile_change_what_depends_on_them_and_nothing_else() -> None:
    taken(part_event("custom-data", SUB, {"plan": "gold", "id": "someone-else"}))
    account = User.objects.get()
    assert (account.email, account.first_name, account.last_name) == ("ada@example.com", "Ada", "gold editor harbour")
    taken(part_event("profile", SUB, {"givenName": "Augusta"}))
    account = User.objects.get()
    assert (account.email, account.first_name) == ("ada@example.com", "Augusta")
    assert account.last_name == "gold editor harbour"


@pytest.mark.usefixtures("_site_with_a_function")
def test_roles_and_organizations_which_no_event_tells_are_those_that_are_known() -> None:
    taken(user_event("User.Data.Updated", SUB, primaryEmail=None, customData={"plan": "gold"}))
    account = User.objects.get()
    assert (account.email, account.first_name) == ("nobody@example.com", "Nobody")
    assert account.last_name == "gold editor harbour"


def test_custom_data_that_looks_like_a_user_is_custom_data(identity: LogtoIdentity) -> None:
    taken(part_event("custom-data", SUB, user(SUB, isSuspended=True, primaryEmail="evil@example.com")))
    taken(part_event("custom-data", "other0000001", user(SUB, isSuspended=True, primaryEmail="evil@example.com")))
    account = User.objects.get()
    assert (account.email, account.is_active) == ("old@example.com", True)


def test_rights_that_roles_gave_stay(identity: LogtoIdentity, settings: Any) -> None:
    settings.LOGTO_STAFF_ROLES, settings.LOGTO_GROUPS_BY_ROLE = ("clerk",), {"clerk": "Clerks"}
    User.objects.update(is_staff=True)
    User.objects.get().groups.create(name="Clerks")
    taken(user_event("User.Data.Updated", SUB))
    account = User.objects.get()
    assert account.is_staff
    assert account.groups.count() == 1


def test_a_person_whom_the_site_refuses_is_left_to_the_next_sign_in(
    reader: Browser, settings: Any, caplog: Any
) -> None:
    settings.LOGTO_USER_FIELDS = "tests.attacks.support.refuse_everyone"
    taken(user_event("User.Data.Updated", SUB, name="New"))
    assert User.objects.get().first_name == "Reader"
    assert is_signed_in(reader)
    assert "What Logto tells of a person was not stored" in caplog.text


# Shut out


def test_C7_a_suspended_person_is_out_at_once(reader: Browser, logto: Emulator, person: Any) -> None:
    other_device = Browser(logto)
    other_device.sign_in("reader")
    logto.tenant.update_user(SUB, is_suspended=True)
    taken(user_event("User.SuspensionStatus.Updated", SUB, isSuspended=True))
    assert not LogtoSession.objects.exists()
    assert not is_signed_in(reader)
    assert not is_signed_in(other_device)
    assert not User.objects.get().is_active


def test_C7_the_access_tokens_of_a_suspended_person_are_worth_nothing_at_once(
    reader: Browser, logto: Emulator, settings: Any, bearer: Any
) -> None:
    assert bearer().status_code == 200
    taken(user_event("User.SuspensionStatus.Updated", SUB, isSuspended=True))
    assert bearer().status_code == 401
    User.objects.update(is_active=True)
    assert bearer().status_code == 401
    taken(user_event("User.SuspensionStatus.Updated", SUB, at=later(1)))
    assert bearer().status_code == 200


@pytest.fixture
def bearer(logto: Emulator, settings: Any) -> Any:
    """Calls an API with an access token that was issued before anything happened."""
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


def test_lifting_a_suspension_lets_the_person_in_again(reader: Browser) -> None:
    taken(user_event("User.SuspensionStatus.Updated", SUB, isSuspended=True))
    assert not User.objects.get().is_active
    taken(user_event("User.SuspensionStatus.Updated", SUB, at=later(0.01)))
    assert User.objects.get().is_active
    assert reader.sign_in("reader").status_code == 302
    assert is_signed_in(reader)


def test_whoever_was_disabled_by_hand_stays_so_when_a_suspension_is_lifted(identity: LogtoIdentity) -> None:
    User.objects.update(is_active=False)
    taken(user_event("User.SuspensionStatus.Updated", SUB, isSuspended=True))
    taken(user_event("User.SuspensionStatus.Updated", SUB, at=later(1)))
    assert LogtoIdentity.objects.get().status == "active"
    assert not User.objects.get().is_active


def test_a_hand_that_switches_on_and_off_again_has_the_last_word(identity: LogtoIdentity) -> None:
    taken(user_event("User.SuspensionStatus.Updated", SUB, isSuspended=True))
    for is_active in (True, False):
        account = User.objects.get()
        account.is_active = is_active
        account.save()
    taken(user_event("User.SuspensionStatus.Updated", SUB, at=later(1)))
    assert not User.objects.get().is_active


def test_what_is_told_again_undoes_no_hand(identity: LogtoIdentity) -> None:
    """Switched on for the site's other ways in, while Logto has the person suspended."""
    taken(user_event("User.SuspensionStatus.Updated", SUB, isSuspended=True))
    account = User.objects.get()
    account.is_active = True
    account.save()
    taken(user_event("User.Data.Updated", SUB, at=later(1), name="New", isSuspended=True))
    account = User.objects.get()
    assert (account.first_name, account.is_active) == ("New", True)
    taken(user_event("User.Deleted", SUB, at=later(2)))
    assert not User.objects.get().is_active


def test_a_sign_in_says_that_a_suspension_was_lifted_when_no_webhook_did(
    person: Any, identity: LogtoIdentity, browser: Browser
) -> None:
    taken(user_event("User.SuspensionStatus.Updated", SUB, at=later(-10), isSuspended=True))
    assert not User.objects.get().is_active
    assert browser.sign_in("reader").status_code == 302
    assert is_signed_in(browser)
    # It was told late, and has nothing new to say.
    taken(user_event("User.SuspensionStatus.Updated", SUB, at=later(-9), isSuspended=True))
    assert is_signed_in(browser)


def test_a_sign_in_from_before_the_suspension_says_nothing(
    person: Any, identity: LogtoIdentity, browser: Browser
) -> None:
    taken(user_event("User.SuspensionStatus.Updated", SUB, at=later(5), isSuspended=True))
    assert browser.sign_in("reader").context["code"] == "account_disabled"
    assert not User.objects.get().is_active


def test_a_deleted_person_is_out_and_the_account_stays(reader: Browser, logto: Emulator) -> None:
    logto.tenant.delete_user(SUB)
    taken(user_event("User.Deleted", SUB))
    assert not is_signed_in(reader)
    account = User.objects.get()
    assert not account.is_active
    assert account.logto_identities.get().status == "deleted"


def test_C8_a_sub_that_comes_back_after_its_deletion_at_logto_is_nobody_here(reader: Browser, logto: Emulator) -> None:
    logto.tenant.delete_user(SUB)
    taken(user_event("User.Deleted", SUB))
    logto.tenant.add_user(id=SUB, username="newcomer")
    taken(user_event("User.Created", SUB, at=later(1)))
    taken(user_event("User.Data.Updated", SUB, at=later(2), name="Newcomer"))
    # Somebody uses the account by other means.
    User.objects.update(is_active=True)
    with freeze_time(later(30)):
        assert Browser(logto).sign_in("newcomer").context["code"] == "account_disabled"
    assert User.objects.get().first_name == "Reader"


def test_accounts_are_deleted_where_the_site_says_so(reader: Browser, settings: Any) -> None:
    settings.LOGTO_WEBHOOK_DELETE_USERS = True
    taken(user_event("User.SuspensionStatus.Updated", SUB, isSuspended=True))
    assert User.objects.count() == 1
    taken(user_event("User.Deleted", SUB, at=later(1)))
    assert not User.objects.exists()
    assert not LogtoIdentity.objects.exists()


@pytest.mark.parametrize("flag", ["is_staff", "is_superuser"])
def test_staff_are_switched_off_and_never_deleted(identity: LogtoIdentity, settings: Any, flag: str) -> None:
    settings.LOGTO_WEBHOOK_DELETE_USERS = True
    User.objects.update(**{flag: True})
    taken(user_event("User.Deleted", SUB))
    assert not User.objects.get().is_active


def test_an_account_that_other_rows_need_is_switched_off_and_not_deleted(
    identity: LogtoIdentity, settings: Any, caplog: Any
) -> None:
    def need(sender: Any, instance: Any, **kwargs: Any) -> None:
        raise ProtectedError("Invoices need this account.", {instance})

    settings.LOGTO_WEBHOOK_DELETE_USERS = True
    pre_delete.connect(need, sender=User)
    try:
        taken(user_event("User.Deleted", SUB))
    finally:
        pre_delete.disconnect(need, sender=User)
    assert not User.objects.get().is_active
    assert "switched off and not deleted" in caplog.text


def test_an_account_with_another_identity_goes_on(identity: LogtoIdentity, settings: Any) -> None:
    """Two accounts at Logto that the site has made one."""
    settings.LOGTO_WEBHOOK_DELETE_USERS = True
    LogtoIdentity.objects.create(user=identity.user, issuer=identity.issuer, sub="other0000001")
    taken(user_event("User.Deleted", SUB))
    assert User.objects.get().is_active
    assert LogtoIdentity.objects.get(sub=SUB).status == "deleted"
    taken(user_event("User.SuspensionStatus.Updated", "other0000001", isSuspended=True))
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


def test_people_join_and_leave_organizations(identity: LogtoIdentity) -> None:
    other = LogtoIdentity.objects.create(user=identity.user, issuer=identity.issuer, sub="other0000001")
    taken(membership_event(added=[SUB, "unknown00001"]))
    assert members() == [(SUB, [])]
    OrganizationMembership.objects.update(roles=["manager"])
    taken(membership_event(added=[SUB, other.sub], at=later(1)))
    assert members() == [(other.sub, []), (SUB, ["manager"])]
    taken(membership_event(added=[], removed=[SUB, "unknown00001"], at=later(2)))
    assert members() == [(other.sub, [])]
    assert Organization.objects.get().logto_id == "harbour"


def test_an_organization_is_renamed_and_one_that_is_deleted_has_no_members(identity: LogtoIdentity) -> None:
    taken(membership_event(added=[SUB]))
    renamed = event("Organization.Data.Updated", params={"id": "harbour"}, data={"id": "harbour", "name": "Harbour"})
    taken(renamed)
    assert Organization.objects.get().name == "Harbour"
    deleted = event("Organization.Deleted", params={"id": "harbour"}, at=later(1))
    taken({name: value for name, value in deleted.items() if name != "data"})
    assert members() == []
    assert Organization.objects.get().name == "Harbour"
    taken(membership_event(added=[SUB], at=later(0.5)))
    assert members() == []


def test_unknown_organizations_make_no_rows() -> None:
    taken(membership_event(added=["unknown00001"]))
    taken(event("Organization.Data.Updated", params={"id": "harbour"}, data={"id": "harbour", "name": "Harbour"}))
    assert not Organization.objects.exists()


def test_the_number_of_queries_does_not_grow_with_people_sessions_and_members(identity: LogtoIdentity) -> None:
    def queries(payload: dict[str, Any]) -> int:
        with CaptureQueriesContext(connection) as captured:
            taken(payload)
        words = [query["sql"].split()[0] for query in captured]
        return len([word for word in words if word not in ("SAVEPOINT", "RELEASE")])

    organization = {"params": {"id": "harbour"}, "data": {"name": "Harbour"}}
    counts = []
    for round, people in enumerate((1, 40)):
        subs = [f"sub-{round}-{number}" for number in range(people)]
        for sub in subs:
            account = User.objects.create(username=sub)
            LogtoIdentity.objects.create(user=account, issuer=identity.issuer, sub=sub)
            LogtoSession.objects.create(identity=identity, session_key=sub, fresh_until=now())
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
    assert counts[0] == {
        "rename": 9,
        "suspend": 17,
        "lift": 11,
        "join": 8,
        "leave": 6,
        "organization renamed": 4,
        "organization deleted": 4,
        "delete": 10,
    }


# Signals


@pytest.fixture
def heard() -> Any:
    """The events that all signals bring, by the signal's name."""
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


@pytest.mark.parametrize("name", BY_EVENT)
def test_each_event_has_its_signal(heard: Any, name: str) -> None:
    at = now().replace(microsecond=0)
    taken(event(name, at=at, params={"userId": "u1", "id": "o1"}, data={"id": "d1"}, userId="p1"))
    assert [signal for signal, _ in heard] == ["webhook_received", name]
    received = heard[1][1]
    assert (received.name, received.created_at, received.data) == (name, at, {"id": "d1"})
    assert received.user_id == ("u1" if name.startswith("User.") else "p1")
    assert received.organization_id == ("o1" if name.startswith("Organization.") else None)
    assert received.params == {"userId": "u1", "id": "o1"}
    assert received.payload["hookId"] == "0r4rzemdl1wjkznh4bwk8"


def test_E1_an_event_that_nobody_knows_is_taken_and_ignored(heard: Any, identity: LogtoIdentity) -> None:
    taken(event("Moon.Phase.Updated", data=user(SUB, isSuspended=True)))
    assert [name for name, _ in heard] == ["webhook_received"]
    assert User.objects.get().is_active


def test_signals_come_after_the_rows_and_a_receiver_that_raises_stops_nothing(identity: LogtoIdentity) -> None:
    seen: list[str] = []

    def look(sender: Any, event: Any, **kwargs: Any) -> None:
        seen.append(User.objects.get().first_name)
        raise RuntimeError("broken")

    BY_EVENT["User.Data.Updated"].connect(look)
    try:
        taken(user_event("User.Data.Updated", SUB, name="New"))
    finally:
        BY_EVENT["User.Data.Updated"].disconnect(look)
    assert seen == ["New"]


def test_a_fault_of_the_site_s_own_is_told_of_and_undoes_no_suspension(
    identity: LogtoIdentity, settings: Any, heard: Any, caplog: Any
) -> None:
    settings.LOGTO_USER_FIELDS = "tests.attacks.support.fail"
    assert deliver(user_event("User.SuspensionStatus.Updated", SUB, isSuspended=True)).status_code == 500
    assert not User.objects.get().is_active
    assert [name for name, _ in heard] == ["webhook_received", "User.SuspensionStatus.Updated"]
    lines = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert {record.name for record in lines} >= {"logto_auth", "django.request"}
    assert f"'User.SuspensionStatus.Updated' about {SUB} could not be followed" in caplog.text


# Later, by a queue

queue: list[str] = []


def test_a_runner_of_the_site_has_it_done_later(identity: LogtoIdentity, settings: Any) -> None:
    queue.clear()
    settings.LOGTO_WEBHOOK_RUNNER = "tests.flows.test_webhooks.enqueue"
    taken(user_event("User.Data.Updated", SUB, name="New"))
    assert User.objects.get().first_name == "Old"
    with freeze_time(later(100_000)):
        handle(queue.pop())
    assert User.objects.get().first_name == "New"


def enqueue(body: str) -> None:
    queue.append(body)


def test_django_s_tasks_are_a_runner_where_django_has_them(identity: LogtoIdentity, settings: Any) -> None:
    pytest.importorskip("django.tasks")
    settings.LOGTO_WEBHOOK_RUNNER = "logto_auth.contrib.tasks.enqueue"
    taken(user_event("User.Data.Updated", SUB, name="New"))
    assert User.objects.get().first_name == "New"


def test_before_django_6_the_runner_says_what_is_missing() -> None:
    try:
        import django.tasks  # noqa: F401
    except ImportError:
        with pytest.raises(ConfigurationError, match=r"needs django\.tasks, which came with Django 6\.0"):
            __import__("logto_auth.contrib.tasks")
    else:
        pytest.skip("Django has tasks.")


# Tidying up


def test_marks_are_kept_for_as_long_as_something_older_may_come(identity: LogtoIdentity, capsys: Any) -> None:
    taken(user_event("User.Data.Updated", SUB))
    assert WebhookMark.objects.count() == 3
    call_command("logto_clearsessions")
    assert WebhookMark.objects.count() == 3
    WebhookMark.objects.update(at=now() - ordering.KEPT_FOR - timedelta(seconds=1))
    call_command("logto_clearsessions")
    assert not WebhookMark.objects.exists()


def test_one_url_for_sites_that_are_an_api_alone(identity: LogtoIdentity, settings: Any) -> None:
    settings.ROOT_URLCONF = "logto_auth.api_urls"
    cache.clear()
    taken(user_event("User.Data.Updated", SUB, name="New"))
    assert User.objects.get().first_name == "New"
    assert Client().get("/webhooks/logto").status_code == 405


def test_times_are_written_as_logto_writes_them() -> None:
    assert iso(datetime(2026, 11, 23, 2, 15, 27, 969_000, tzinfo=timezone.utc)) == "2026-11-23T02:15:27.969Z"
