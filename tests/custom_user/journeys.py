"""Sign-in on a site with a user model of its own, whose username is the e-mail."""

import io
import json
import uuid

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from logto_auth.testing import Browser
from tests.custom_user.members.models import Member
from tests.sync.both_ways import sign_in_each, sync_pages
from tests.sync.odd_users import odd_users
from tests.webhooks.deliveries import SIGNING_KEY, deliver, user_event

pytestmark = pytest.mark.django_db


def test_account_is_created_by_mapping_of_site(browser, logto):
    logto.tenant.add_role("admin")
    logto.tenant.add_user(
        username="r", primary_email="r@example.com", primary_phone="818012345678", name="A long name", roles=["admin"]
    )
    assert browser.sign_in("r")["Location"] == "/"
    member = Member.objects.get()
    assert isinstance(member.pk, uuid.UUID)
    assert (member.email, member.phone, member.birth_year, member.shelf) == (
        "r@example.com",
        "818012345678",
        1900,
        "A lon",
    )
    assert browser.client.get("/").content == str(member).encode()


def test_users_without_email_or_phone_can_sign_in(logto):
    logto.tenant.sign_in_experience.connectors = ["alipay-web"]
    logto.tenant.sign_in_experience.sign_up_identifiers = []
    for number in range(3):
        browser = Browser(logto)
        assert browser.open(browser.logto.sign_in_with_alipay(browser.start(), f"2088{number}"))["Location"] == "/"
    assert Member.objects.filter(phone=None, email__endswith="@logto.invalid").count() == 3


def test_taken_email_does_not_link_the_account(browser, logto):
    first = Member.objects.create_user("r@example.com", 1950)
    logto.tenant.add_user(username="r", primary_email="r@example.com")
    browser.sign_in("r")
    second = Member.objects.exclude(pk=first.pk).get()
    assert second.email.endswith("@logto.invalid")
    # When the e-mail is free again, the next sign-in stores it.
    first.delete()
    Browser(logto).sign_in("r")
    second.refresh_from_db()
    assert second.email == "r@example.com"


def test_new_email_updates_the_account(browser, logto):
    user = logto.tenant.add_user(username="r", primary_email="old@example.com")
    browser.sign_in("r")
    logto.tenant.update_user(user.id, primary_email="new@example.com")
    Browser(logto).sign_in("r")
    assert Member.objects.get().email == "new@example.com"


def test_mapping_can_refuse_with_visitor_message(browser, logto):
    logto.tenant.add_user(username="r", primary_email="r@banned.example")
    response = browser.sign_in("r")
    assert response.status_code == 403
    assert "We do not deliver there." in response.content.decode()
    assert Member.objects.count() == 0


def test_missing_required_value_shows_error_page(browser, logto, settings, caplog):
    settings.LOGTO_USER_FIELDS = "tests.custom_user.mapping.nothing_but_email"
    logto.tenant.add_user(username="r", primary_email="r@example.com")
    response = browser.sign_in("r")
    assert response.status_code == 403
    assert "account_incomplete" in response.content.decode()
    assert "Fields without a valid value: birth_year." in caplog.text
    assert "LOGTO_USER_FIELDS" in caplog.text
    assert Member.objects.count() == 0


def test_subs_that_differ_in_case_are_two_users(logto):
    for sub in ("abcdefabcdef", "ABCDEFABCDEF"):
        logto.tenant.add_user(id=sub, username=f"u{sub}")
        Browser(logto).sign_in(f"u{sub}")
    assert Member.objects.count() == 2


def test_webhooks_update_and_sign_out_users(browser, logto, settings):
    settings.LOGTO_WEBHOOK_SIGNING_KEY = SIGNING_KEY
    sub = logto.tenant.add_user(username="r", primary_email="r@example.com").id
    browser.sign_in("r")
    assert deliver(user_event("User.Data.Updated", sub, primaryEmail="new@example.com")).status_code == 204
    assert Member.objects.get().email == "new@example.com"
    logto.tenant.update_user(sub, is_suspended=True)
    suspended = user_event("User.SuspensionStatus.Updated", sub, isSuspended=True)
    assert deliver(suspended).status_code == 204
    assert browser.client.get("/").content == b"AnonymousUser"


def test_sync_and_sign_in_give_the_same_result(settings):
    settings.LOGTO_ENDPOINT = "http://localhost:9"
    users = list(odd_users(150, seed=20261128, unique_emails=True))
    results = []
    for bring_in in (sign_in_each, sync_pages):
        with transaction.atomic():
            Member.objects.create_user("user7@example.com", 1950)
            bring_in(users)
            fields = ("logto_identities__sub", "email", "phone", "shelf", "is_active")
            results.append(sorted(Member.objects.values_list(*fields), key=str))
            transaction.set_rollback(True)
    assert len(results[0]) > 100
    assert results[0] == results[1]


def test_accounts_move_to_logto_and_back(logto, settings):
    machine = logto.tenant.add_application(
        name="Machine", type="MachineToMachine", roles=["Logto Management API access"]
    )
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    settings.LOGTO_STAFF_ROLES, settings.LOGTO_GROUPS_BY_ROLE = (), {}
    before = set(logto.tenant.users)
    # MySQL and MariaDB store such a pair only once.
    pair = ["Ada@example.com"] if connection.vendor != "mysql" else []
    for email in ("ada@example.com", *pair, "書@example.com", "inactive@example.com"):
        Member.objects.create_user(email, 1990, "old password")
    Member.objects.filter(email="inactive@example.com").update(is_active=False)

    def migrate(*arguments):
        output = io.StringIO()
        call_command("logto_migrate", *arguments, "--json", stdout=output, stderr=io.StringIO())
        return json.loads(output.getvalue())

    plan = migrate("plan", "-v", "2")
    created = migrate("import")["counts"]["created"]
    assert sum(plan["imported"].values()) == created == Member.objects.filter(logto_identities__isnull=False).count()
    # The same e-mail in another case is the same user at Logto.
    assert plan["not_imported"].get("duplicate", 0) == len(pair)
    assert migrate("status")["created"] == created
    assert migrate("rollback", "--yes")["counts"]["deleted"] == created
    assert set(logto.tenant.users) == before
    assert not Member.objects.filter(logto_identities__isnull=False).exists()
