"""Users whose rows stay when they are deleted: the rows grant nothing, and do not block other users."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.utils.timezone import now

from logto_auth.emulator import Emulator
from logto_auth.testing import Browser
from tests.profiles.site.visitors import access_token, account, call, is_signed_in, local_user, new_browser, rows


def delete_softly(user: object) -> None:
    rows(get_user_model()).filter(pk=user.pk).update(deleted_at=now())


def test_deleted_user_is_signed_out(reader: Browser) -> None:
    delete_softly(account("reader000001"))
    assert not is_signed_in(reader)


def test_deleted_user_is_refused_at_sign_in(reader: Browser, logto: Emulator) -> None:
    delete_softly(account("reader000001"))
    assert new_browser(logto).sign_in("reader").status_code == 403


def test_deleted_user_is_refused_by_api(reader: Browser, logto: Emulator) -> None:
    delete_softly(account("reader000001"))
    for view in ("api-books", "api-shelves"):
        assert call(view, token=access_token(logto, "reader000001")).status_code == 401


def test_name_of_deleted_user_does_not_block_others(logto: Emulator) -> None:
    delete_softly(local_user("reader"))
    browser = new_browser(logto)
    assert browser.sign_in("reader").status_code == 302
    assert is_signed_in(browser)


def test_deleted_user_is_not_linked_by_email(logto: Emulator, settings: object) -> None:
    settings.LOGTO_LINK_BY_EMAIL = "tests.profiles.flows.test_sign_in.trust_all"
    local = local_user("local", email="reader@example.com")
    delete_softly(local)
    new_browser(logto).sign_in("reader")
    assert account("reader000001").pk != local.pk
