"""Logto's webhooks about users and organizations that the site knows."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from logto_auth.emulator import Emulator
from logto_auth.models import LogtoSession, Organization, OrganizationMembership
from logto_auth.testing import Browser
from tests.profiles.site.visitors import account, deliver, home, is_signed_in, rows, signed_in
from tests.rights import HARBOUR, HILL
from tests.webhooks.deliveries import event, user_event

pytestmark = pytest.mark.usefixtures("reader")
User = get_user_model()
SUB = "reader000001"


def memberships() -> set[str]:
    """The organizations of `reader000001`, as this site knows them."""
    held = rows(OrganizationMembership).filter(identity__sub=SUB)
    return set(held.values_list("organization__logto_id", flat=True))


def test_changed_data_reaches_account() -> None:
    changed = {"name": "Renamed", "primaryEmail": "new@example.com"}
    assert deliver(user_event("User.Data.Updated", SUB, **changed)) == 204
    user = account(SUB)
    assert (user.first_name, user.email) == ("Renamed", "new@example.com")


def test_stale_event_is_ignored() -> None:
    earlier = datetime.now(timezone.utc) - timedelta(seconds=60)
    assert deliver(user_event("User.Data.Updated", SUB, name="New")) == 204
    assert deliver(user_event("User.Data.Updated", SUB, name="Old", at=earlier)) == 204
    assert account(SUB).first_name == "New"


def test_suspended_user_is_signed_out_and_comes_back(reader: Browser, logto: Emulator) -> None:
    assert deliver(user_event("User.SuspensionStatus.Updated", SUB, isSuspended=True)) == 204
    assert not is_signed_in(reader)
    assert rows(LogtoSession).count() == 0
    assert not account(SUB).is_active
    assert deliver(user_event("User.SuspensionStatus.Updated", SUB, isSuspended=False)) == 204
    assert account(SUB).is_active
    assert is_signed_in(signed_in(logto, "reader"))


def test_deleted_user_is_deactivated(reader: Browser) -> None:
    assert deliver(event("User.Deleted", params={"userId": SUB})) == 204
    assert not is_signed_in(reader)
    assert not account(SUB).is_active


def test_deleted_user_is_deleted_where_site_wants_it(reader: Browser, settings: Any) -> None:
    settings.LOGTO_WEBHOOK_DELETE_USERS = True
    assert deliver(event("User.Deleted", params={"userId": SUB})) == 204
    assert not is_signed_in(reader)
    assert rows(User).count() == 0


def test_membership_events_change_rows() -> None:
    assert memberships() == {HARBOUR}
    added = event("Organization.Membership.Updated", organizationId=HILL, addedUserIds=[SUB], removedUserIds=[])
    removed = event("Organization.Membership.Updated", organizationId=HARBOUR, addedUserIds=[], removedUserIds=[SUB])
    assert (deliver(added), deliver(removed)) == (204, 204)
    assert memberships() == {HILL}


def test_organization_events_rename_and_end_it() -> None:
    path = {"params": {"id": HARBOUR}}
    assert deliver(event("Organization.Data.Updated", data={"id": HARBOUR, "name": "Old Harbour"}, **path)) == 204
    assert rows(Organization).get().name == "Old Harbour"
    assert deliver(event("Organization.Deleted", **path)) == 204
    assert memberships() == set()


def test_wrong_signature_is_refused(reader: Browser) -> None:
    suspended = user_event("User.SuspensionStatus.Updated", SUB, isSuspended=True)
    assert deliver(suspended, key="another-key-of-thirty-two-chars-") == 401
    assert is_signed_in(reader)
    assert home(reader)["sub"] == SUB
