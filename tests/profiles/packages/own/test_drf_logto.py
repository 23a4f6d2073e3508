"""The move from drf-logto: users keep their accounts, and new users get the column `sub`."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model

from logto_auth.emulator import Emulator
from tests.docs.pages import the_block
from tests.profiles.site.visitors import account, new_browser, rows, signed_in

GUIDE = "docs/how-to/move-from-other-packages.md"


def test_known_user_keeps_account(logto: Emulator) -> None:
    user = rows(get_user_model()).create(username="ada", email="ada@example.com", sub="reader000001")
    for _ in range(2):
        the_block(GUIDE, "package identities of django-logto").run()
    signed_in(logto, "reader")
    assert account("reader000001") == user
    assert rows(get_user_model()).count() == 1


def test_new_users_get_account_with_sub(logto: Emulator) -> None:
    for username in ("reader", "editor"):
        signed_in(logto, username)
    assert set(rows(get_user_model()).values_list("sub", flat=True)) == {"reader000001", "editor000001"}
    assert account("reader000001").email == "reader@example.com"


def test_second_new_user_without_sub_is_refused(logto: Emulator, settings: Any) -> None:
    settings.LOGTO_USER_FIELDS = "logto_auth.users.user_fields"
    signed_in(logto, "reader")
    assert new_browser(logto).sign_in("editor").context["code"] == "account_incomplete"
