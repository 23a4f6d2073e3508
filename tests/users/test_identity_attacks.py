"""A user is found by issuer and `sub`, and never by an e-mail that the site does not trust."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from logto_auth.emulator import Emulator, run_in_thread
from logto_auth.models import LogtoIdentity, LogtoSession, make_digest
from logto_auth.testing import Browser
from logto_auth.testing.pytest_plugin import SITE
from tests import support
from tests.support import Witness, changed_claims, signed_in_user_key
from tests.users.accounts import TRUST, local_user, sign_in

pytestmark = pytest.mark.django_db
User = get_user_model()


# Issuer and sub


def test_changed_name_and_email_keep_the_account(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any
) -> None:
    before = witness.sees_signed_in(browser.sign_in("reader"))
    logto.tenant.update_user(reader.id, username="renamed", primary_email="renamed@example.com")
    after = witness.sees_signed_in(browser.sign_in(ui_locales="en"))
    assert after.pk == before.pk
    assert (after.username, after.email) == ("reader", "renamed@example.com")


@pytest.mark.parametrize("policy", ["", TRUST])
def test_reused_name_and_email_get_another_account(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, settings: Any, policy: str
) -> None:
    settings.LOGTO_LINK_BY_EMAIL = policy
    first = witness.sees_signed_in(browser.sign_in("reader"))
    logto.tenant.delete_user(reader.id)
    logto.tenant.add_user(username="reader", primary_email="reader@example.com")
    stranger = Browser(logto)
    stranger.sign_in("reader")
    second = User.objects.get(pk=signed_in_user_key(stranger.client))
    assert second.pk != first.pk
    assert second.username != first.username


@pytest.mark.parametrize("name", ["reader", "READER", "Reader"])
def test_same_username_is_not_linked(name: str) -> None:
    local = local_user("x@example.com", username=name)
    assert sign_in() != local


def test_subs_that_differ_in_case_are_two_users(logto: Emulator) -> None:
    keys = set()
    for sub in ("abcdefghijkl", "ABCDEFGHIJKL", "abcdefghijkL", "ábcdefghijkl", "abcdefghijkl "):
        logto.tenant.add_user(id=sub, username=f"user-{len(keys)}")
        browser = Browser(logto)
        browser.sign_in(f"user-{len(keys)}")
        keys.add(signed_in_user_key(browser.client))
    assert len(keys) == User.objects.count() == 5
    assert None not in keys


def test_same_sub_of_other_issuer_is_another_user(
    browser: Browser, logto: Emulator, witness: Witness, settings: Any
) -> None:
    logto.tenant.add_user(id="thesamesub01", username="reader", primary_email="reader@example.com")
    first = witness.sees_signed_in(browser.sign_in("reader"))
    with run_in_thread() as other:
        application = other.tenant.add_application(name="Site", redirect_uris=[SITE + "/callback"])
        other.tenant.add_user(id="thesamesub01", username="reader", primary_email="reader@example.com")
        settings.LOGTO_ENDPOINT, settings.LOGTO_APP_ID = other.endpoint, application.id
        settings.LOGTO_APP_SECRET = application.secret
        stranger = Browser(other)
        stranger.sign_in("reader")
    assert signed_in_user_key(stranger.client) not in (None, str(first.pk))
    assert LogtoIdentity.objects.filter(sub="thesamesub01").count() == 2


def test_digest_separates_issuer_and_sub() -> None:
    digests = {
        make_digest(issuer, sub)
        for issuer, sub in [("https://a/oidc", "bc"), ("https://a/oidcb", "c"), ("https://a/oidc\nb", "c")]
    }
    assert len(digests) == 3
    # A newline in a sub could make two pairs equal; the check of the ID token refuses it.


# Staff and inactive accounts


def test_inactive_account_gets_no_second_account(
    browser: Browser, witness: Witness, reader: Any, settings: Any
) -> None:
    settings.LOGTO_LINK_BY_EMAIL = TRUST
    local_user(is_active=False)
    witness.sees_refused(lambda: browser.sign_in("reader"), "account_disabled", 403)


def test_unknown_user_is_refused_without_account_creation(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, settings: Any
) -> None:
    settings.LOGTO_CREATE_USERS = False
    local = local_user()
    witness.sees_refused(lambda: browser.sign_in("reader"), "account_unknown", 403)
    LogtoIdentity.objects.create(user=local, issuer=logto.issuer, sub=reader.id)
    assert witness.sees_signed_in(browser.sign_in("reader")) == local


# Passwords


def test_new_account_has_no_usable_password(browser: Browser, witness: Witness, reader: Any) -> None:
    assert not witness.sees_signed_in(browser.sign_in("reader")).has_usable_password()


# Concurrent sign-ins


@pytest.fixture
def meeting(settings: Any) -> Any:
    """Make two sign-ins wait for each other after their look-up and before they create the account."""
    settings.LOGTO_USER_FIELDS = "tests.support.meet_then_map"
    support.meeting = threading.Barrier(2)
    yield
    support.meeting = None


def finish_at_once(browsers: list[Browser], urls: list[str]) -> list[Any]:
    answers: list[Any] = [None] * len(browsers)

    def finish(index: int) -> None:
        try:
            answers[index] = browsers[index].open(urls[index])
        except BaseException as error:
            answers[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=finish, args=(index,)) for index in range(len(browsers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return answers


def needs_concurrency() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time: there is no race.")


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("policy", ["", TRUST], ids=["without-linking", "with-linking"])
def test_concurrent_first_sign_ins_create_one_account(
    logto: Emulator, reader: Any, settings: Any, meeting: None, policy: str
) -> None:
    needs_concurrency()
    settings.LOGTO_LINK_BY_EMAIL = policy
    browsers = [Browser(logto), Browser(logto)]
    urls = [browser.logto.sign_in(browser.start(), "reader") for browser in browsers]
    answers = finish_at_once(browsers, urls)
    assert [getattr(answer, "status_code", answer) for answer in answers] == [302, 302]
    user = User.objects.get()
    assert LogtoIdentity.objects.get().user == user
    assert {signed_in_user_key(browser.client) for browser in browsers} == {str(user.pk)}
    assert LogtoSession.objects.count() == 2


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_concurrent_users_with_same_name_get_two_accounts(logto: Emulator, settings: Any, meeting: None) -> None:
    needs_concurrency()
    settings.LOGTO_LINK_BY_EMAIL = TRUST
    logto.tenant.add_user(id="firstperson1", username="first", primary_email="first@example.com")
    logto.tenant.add_user(id="secondperson", username="second", primary_email="second@example.com")
    browsers = [Browser(logto), Browser(logto)]
    urls = [
        browser.logto.sign_in(browser.start(), name)
        for browser, name in zip(browsers, ("first", "second"), strict=True)
    ]
    logto.faults.id_token_claims = changed_claims(username="wanted", email="shared@example.com")
    # The second sign-in starts over, and must not wait then.
    support.meeting = OnlyOnce(2)
    answers = finish_at_once(browsers, urls)
    assert [getattr(answer, "status_code", answer) for answer in answers] == [302, 302]
    keys = {signed_in_user_key(browser.client) for browser in browsers}
    assert len(keys) == User.objects.count() == 2
    owners = {identity.sub: str(identity.user_id) for identity in LogtoIdentity.objects.all()}
    assert [signed_in_user_key(browser.client) for browser in browsers] == [
        owners["firstperson1"],
        owners["secondperson"],
    ]


class OnlyOnce(threading.Barrier):
    """A barrier that stays open after its first use."""

    met = False

    def wait(self, timeout: float | None = None) -> int:
        if self.met:
            return 0
        index = super().wait(timeout)
        self.met = True
        return index
