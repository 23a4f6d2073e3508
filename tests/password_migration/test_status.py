"""How many passwords have moved, and which accounts count."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password

from logto_auth.conf import conf
from logto_auth.emulator import Emulator
from logto_auth.models import LogtoIdentity, UserStatus
from logto_auth.password_migration import find_moved, status

from .site import PASSWORD, add_account, ask

pytestmark = pytest.mark.django_db


def counts() -> tuple[int, int, int, bool]:
    found = status()
    return found.total, found.migrated, found.left, found.is_open


def test_only_linked_accounts_of_unsupported_kinds_count(moving_site: Emulator) -> None:
    add_account(moving_site, "ada")
    add_account(moving_site, "bob", hasher="bcrypt_sha256")
    # Logto takes these hashes, so the import has moved them.
    add_account(moving_site, "md5", hasher="md5")
    add_account(moving_site, "inactive", is_active=False)
    add_account(moving_site, "clerk", is_staff=True)
    add_account(moving_site, "root", is_superuser=True)
    suspended = add_account(moving_site, "suspended")
    LogtoIdentity.objects.filter(user=suspended).update(status=UserStatus.SUSPENDED)
    unusable = add_account(moving_site, "unusable")
    unusable.set_unusable_password()
    unusable.save()
    get_user_model().objects.create(username="not_imported", password=make_password(PASSWORD))
    assert counts() == (2, 0, 2, True)


def test_moved_password_is_counted_as_migrated(moving_site: Emulator) -> None:
    add_account(moving_site, "ada")
    add_account(moving_site, "bob")
    assert ask("subada") == (200, True)
    assert counts() == (2, 1, 1, True)


def test_endpoint_closes_when_no_account_is_left(moving_site: Emulator) -> None:
    add_account(moving_site, "ada")
    assert ask("subada") == (200, True)
    assert counts() == (1, 1, 0, False)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("LOGTO_PASSWORD_MIGRATION_UNTIL", "2020-01-01"),
        ("LOGTO_PASSWORD_MIGRATION_UNTIL", ""),
        ("LOGTO_PASSWORD_MIGRATION_KEY", ""),
        ("LOGTO_PASSWORD_MIGRATION_KEY", "too-short"),
    ],
)
def test_site_without_key_or_time_is_closed(moving_site: Emulator, settings: Any, setting: str, value: str) -> None:
    add_account(moving_site, "ada")
    setattr(settings, setting, value)
    assert counts() == (1, 0, 1, False)


def test_password_that_was_set_at_logto_is_found(moving_site: Emulator) -> None:
    add_account(moving_site, "ada", at_logto={"password": "New-at-Logto-1"})
    add_account(moving_site, "bob")
    assert find_moved() == 1
    assert counts() == (2, 1, 1, True)
    assert find_moved() == 0


def test_installed_is_unknown_if_logto_is_unreachable(moving_site: Emulator, settings: Any) -> None:
    settings.LOGTO_M2M_APP_ID = settings.LOGTO_M2M_APP_SECRET = ""
    assert status().is_installed is None


def test_nothing_has_moved_after_a_rollback(moving_site: Emulator) -> None:
    user = add_account(moving_site, "ada")
    add_account(moving_site, "bob")
    assert ask("subada") == (200, True)
    user.logto_identities.all().delete()
    assert counts() == (1, 0, 1, True)
    LogtoIdentity.objects.create(user=user, issuer=conf.issuer, sub="subagain")
    moving_site.tenant.delete_user("subada")
    moving_site.tenant.add_user(id="subagain", username="ada")
    assert counts() == (2, 0, 2, True)
    assert ask("subagain") == (200, True)
