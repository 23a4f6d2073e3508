"""Signing in to a site whose users are people by e-mail."""

import uuid

import pytest

from logto_auth.testing import Browser
from tests.custom_user.people.models import Person
from tests.deliveries import SIGNING_KEY, deliver, user_event

pytestmark = pytest.mark.django_db


def test_a_person_is_made_from_the_site_s_own_mapping(browser, logto):
    logto.tenant.add_role("admin")
    logto.tenant.add_user(
        username="r", primary_email="r@example.com", primary_phone="818012345678", name="A long name", roles=["admin"]
    )
    assert browser.sign_in("r")["Location"] == "/"
    person = Person.objects.get()
    assert isinstance(person.pk, uuid.UUID)
    assert (person.email, person.phone, person.birth_year, person.shelf) == (
        "r@example.com",
        "818012345678",
        1900,
        "A lon",
    )
    assert browser.client.get("/").content == str(person).encode()


def test_people_without_email_or_phone_sign_in_one_after_the_other(logto):
    logto.tenant.sign_in_experience.connectors = ["alipay-web"]
    for number in range(3):
        browser = Browser(logto)
        assert browser.open(browser.logto.sign_in_with_alipay(browser.start(), f"2088{number}"))["Location"] == "/"
    assert Person.objects.filter(phone=None, email__endswith="@logto.invalid").count() == 3


def test_an_email_that_is_taken_does_not_give_the_account_away(browser, logto):
    first = Person.objects.create_user("r@example.com", 1950)
    logto.tenant.add_user(username="r", primary_email="r@example.com")
    browser.sign_in("r")
    second = Person.objects.exclude(pk=first.pk).get()
    assert second.email.endswith("@logto.invalid")
    # When the address becomes free, the next sign-in brings it.
    first.delete()
    Browser(logto).sign_in("r")
    second.refresh_from_db()
    assert second.email == "r@example.com"


def test_a_new_email_at_logto_reaches_the_account(browser, logto):
    user = logto.tenant.add_user(username="r", primary_email="old@example.com")
    browser.sign_in("r")
    logto.tenant.update_user(user.id, primary_email="new@example.com")
    Browser(logto).sign_in("r")
    assert Person.objects.get().email == "new@example.com"


def test_the_mapping_can_refuse_and_say_why(browser, logto):
    logto.tenant.add_user(username="r", primary_email="r@banned.example")
    response = browser.sign_in("r")
    assert response.status_code == 403
    assert "We do not deliver there." in response.content.decode()
    assert Person.objects.count() == 0


def test_a_required_field_without_a_value_is_a_page_and_not_a_crash(browser, logto, settings, caplog):
    settings.LOGTO_USER_FIELDS = "tests.custom_user.mapping.nothing_but_email"
    logto.tenant.add_user(username="r", primary_email="r@example.com")
    response = browser.sign_in("r")
    assert response.status_code == 403
    assert "account_incomplete" in response.content.decode()
    assert "LOGTO_USER_FIELDS" in caplog.text
    assert Person.objects.count() == 0


def test_mysql_postgresql_and_sqlite_tell_subs_apart_by_case(logto):
    for sub in ("abcdefabcdef", "ABCDEFABCDEF"):
        logto.tenant.add_user(id=sub, username=f"u{sub}")
        Browser(logto).sign_in(f"u{sub}")
    assert Person.objects.count() == 2


def test_webhooks_rename_people_and_shut_out_those_who_have_no_switch(browser, logto, settings):
    settings.LOGTO_WEBHOOK_SIGNING_KEY = SIGNING_KEY
    sub = logto.tenant.add_user(username="r", primary_email="r@example.com").id
    browser.sign_in("r")
    assert deliver(user_event("User.Data.Updated", sub, primaryEmail="new@example.com")).status_code == 204
    assert Person.objects.get().email == "new@example.com"
    logto.tenant.update_user(sub, is_suspended=True)
    suspended = user_event("User.SuspensionStatus.Updated", sub, isSuspended=True)
    assert deliver(suspended).status_code == 204
    assert browser.client.get("/").content == b"AnonymousUser"
