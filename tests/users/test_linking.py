"""Linking by e-mail: only one exact match of an address that the site trusts, and never an account of staff."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from logto_auth.emulator import Emulator
from logto_auth.exceptions import SignInRefused
from logto_auth.models import LogtoIdentity, UserStatus
from logto_auth.testing import Browser
from logto_auth.users.suspension import suspend
from tests.support import Witness, signed_in_user_key
from tests.users.accounts import HOUSE, TRUST, TRUTHY, local_user, sign_in

pytestmark = pytest.mark.django_db
User = get_user_model()


def test_no_account_is_linked_without_policy(browser: Browser, reader: Any, caplog: Any) -> None:
    local = local_user()
    browser.sign_in("reader")
    assert LogtoIdentity.objects.get().user != local
    local.refresh_from_db()
    assert local.check_password("secret")
    (line,) = (record.getMessage() for record in caplog.records if record.name == "logto_auth")
    assert f"The new account {LogtoIdentity.objects.get().user_id} has the same e-mail as another" in line
    assert "LOGTO_LINK_BY_EMAIL" in line
    assert "@" not in line


def test_user_model_without_email_links_nothing(settings: Any, monkeypatch: Any) -> None:
    settings.LOGTO_LINK_BY_EMAIL = TRUST
    monkeypatch.setattr(User, "EMAIL_FIELD", "no_such_field")
    local_user()
    assert sign_in().username == "reader"


@pytest.mark.parametrize(
    "email_verified",
    [
        pytest.param(False, id="unverified"),
        pytest.param(..., id="missing"),
        pytest.param(None, id="null"),
        pytest.param("true", id="text"),
        pytest.param(1, id="number"),
        pytest.param([True], id="list"),
    ],
)
def test_unverified_email_is_never_linked(settings: Any, email_verified: Any) -> None:
    settings.LOGTO_LINK_BY_EMAIL = TRUST
    local = local_user()
    assert sign_in(email_verified=email_verified) != local


@pytest.mark.parametrize(
    ("policy", "email", "is_linked"),
    [
        pytest.param("", "reader@house.example", False, id="no-policy"),
        pytest.param(TRUST, "reader@house.example", True, id="trusting"),
        pytest.param(HOUSE, "reader@house.example", True, id="house-its-own"),
        pytest.param(HOUSE, "reader@example.com", False, id="house-another"),
        pytest.param(TRUTHY, "reader@house.example", False, id="truthy-is-not-true"),
    ],
)
def test_policy_decides_about_verified_email(settings: Any, policy: str, email: str, is_linked: bool) -> None:
    settings.LOGTO_LINK_BY_EMAIL = policy
    local = local_user(email)
    assert (sign_in(email=email) == local) is is_linked


@pytest.mark.parametrize(
    ("addresses", "is_linked"),
    [
        pytest.param(["reader@example.com"], True, id="same"),
        pytest.param(["Reader@Example.COM"], True, id="other-case"),
        pytest.param(["reader@example.com", "READER@example.com"], False, id="two-by-case"),
        pytest.param(["reader@example.com", "reader@example.com"], False, id="two-the-same"),
        pytest.param(["reader+shop@example.com"], False, id="plus"),
        pytest.param(["reader@example.com "], False, id="trailing-space"),
        pytest.param([" reader@example.com"], False, id="leading-space"),
        pytest.param(["reader@example.com\u200b"], False, id="zero-width-space"),
        pytest.param(["\uff52eader@example.com"], False, id="NFKC"),
        pytest.param(["réader@example.com"], False, id="accent"),
        pytest.param(["reader@example.com", "réader@example.com"], True, id="accent-beside-the-right-one"),
        pytest.param(["reade_@example.com", "%@example.com"], False, id="wildcards"),
        pytest.param([""], False, id="empty"),
    ],
)
def test_only_single_exact_email_match_is_linked(settings: Any, addresses: list[str], is_linked: bool) -> None:
    settings.LOGTO_LINK_BY_EMAIL = TRUST
    locals_ = []
    for number, address in enumerate(addresses):
        user = local_user("x@example.com", username=f"local-{number}")
        User.objects.filter(pk=user.pk).update(email=address)
        locals_.append(user)
    assert (sign_in() in locals_) is is_linked


@pytest.mark.parametrize(
    ("claimed", "local"),
    [
        pytest.param("adm\u0131n@example.com", "admin@example.com", id="dotless-i"),
        pytest.param("ADM\u0130N@example.com", "admin@example.com", id="dotted-I"),
        pytest.param("admin@example.com", "adm\u0131n@example.com", id="dotless-i-here"),
        pytest.param("kate@example.com", "\u212aate@example.com", id="kelvin-sign-here"),
        pytest.param("\u212aate@example.com", "kate@example.com", id="kelvin-sign"),
        pytest.param("susan@example.com", "\u017fusan@example.com", id="long-s-here"),
        pytest.param("a@stra\u00dfe.example", "a@strasse.example", id="sharp-s"),
        pytest.param("\uff41dmin@example.com", "admin@example.com", id="NFKC"),
        pytest.param("admin@example.com\x00", "admin@example.com", id="nul"),
    ],
)
def test_look_alike_email_is_not_linked(settings: Any, claimed: str, local: str) -> None:
    settings.LOGTO_LINK_BY_EMAIL = TRUST
    user = local_user("x@example.com")
    User.objects.filter(pk=user.pk).update(email=local)
    # The NUL is removed, because no field stores it. The rest is the same e-mail.
    assert (sign_in(email=claimed) == user) is ("\x00" in claimed)


def test_account_with_identity_is_not_linked_again(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, settings: Any
) -> None:
    settings.LOGTO_LINK_BY_EMAIL = TRUST
    first = witness.sees_signed_in(browser.sign_in("reader"))
    logto.tenant.update_user(reader.id, primary_email="new@example.com")
    logto.tenant.add_user(username="second", primary_email="reader@example.com")
    stranger = Browser(logto)
    stranger.sign_in("second")
    assert signed_in_user_key(stranger.client) != str(first.pk)
    assert LogtoIdentity.objects.filter(user=first).count() == 1


@pytest.mark.parametrize("flag", ["is_staff", "is_superuser"])
def test_staff_account_is_never_linked(settings: Any, flag: str) -> None:
    settings.LOGTO_LINK_BY_EMAIL = TRUST
    local = local_user(**{flag: True})
    user = sign_in()
    assert user.pk != local.pk
    assert (user.is_staff, user.is_superuser) == (False, False)


def test_linking_removes_the_password(browser: Browser, witness: Witness, reader: Any, settings: Any) -> None:
    settings.LOGTO_LINK_BY_EMAIL = TRUST
    local = local_user()
    squatter = Client()
    assert squatter.login(username=local.username, password="secret")
    assert witness.sees_signed_in(browser.sign_in("reader")).pk == local.pk
    local.refresh_from_db()
    assert not local.has_usable_password()
    assert not squatter.login(username=local.username, password="secret")
    assert not squatter.get("/account/claims").wsgi_request.user.is_authenticated


# Users who were deleted at Logto and created anew


@pytest.fixture
def deleted(settings: Any) -> Any:
    """Return the account of a user who was deleted at Logto."""
    settings.LOGTO_LINK_BY_EMAIL = TRUST
    account = sign_in(sub="former000001")
    assert suspend(LogtoIdentity.objects.get(), UserStatus.DELETED, time.time())
    account.refresh_from_db()
    assert not account.is_active
    return account


def test_successor_gets_account_of_deleted_user(deleted: Any) -> None:
    assert sign_in() == deleted
    deleted.refresh_from_db()
    assert deleted.is_active
    statuses = LogtoIdentity.objects.values_list("sub", "status", "deactivated_by_logto")
    assert set(statuses) == {("former000001", "deleted", False), ("reader000001", "active", False)}
    assert sign_in() == deleted


def test_deleted_user_stays_refused_beside_successor(deleted: Any) -> None:
    sign_in()
    with pytest.raises(SignInRefused):
        sign_in(sub="former000001")
    # The event may arrive once more.
    assert not suspend(LogtoIdentity.objects.get(sub="former000001"), UserStatus.DELETED, time.time())
    assert User.objects.get().is_active


def test_account_that_staff_deactivated_stays_inactive(deleted: Any) -> None:
    LogtoIdentity.objects.update(deactivated_by_logto=False)
    with pytest.raises(SignInRefused, match="disabled"):
        sign_in()
    deleted.refresh_from_db()
    assert not deleted.is_active
    assert LogtoIdentity.objects.count() == 1


def test_successor_gets_new_account_without_policy(deleted: Any, settings: Any) -> None:
    settings.LOGTO_LINK_BY_EMAIL = ""
    assert sign_in() != deleted
    deleted.refresh_from_db()
    assert not deleted.is_active


def test_suspended_user_blocks_others_with_same_email(settings: Any) -> None:
    settings.LOGTO_LINK_BY_EMAIL = TRUST
    account = sign_in(sub="former000001")
    suspend(LogtoIdentity.objects.get(), UserStatus.SUSPENDED, time.time())
    with pytest.raises(SignInRefused):
        sign_in()
    account.refresh_from_db()
    assert not account.is_active
