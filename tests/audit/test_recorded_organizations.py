"""What users do in the console of organizations, in the audit trail."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from logto_auth.audit.models import AuditEvent
from logto_auth.conf import conf
from logto_auth.models import LogtoIdentity
from logto_auth.signals import organization_changed

from .recorded import AGENT, actions, people, written

pytestmark = pytest.mark.django_db
User = get_user_model()
OWNER, MEMBER = "owner0000001", "member000001"


@pytest.fixture
def owner() -> Any:
    return account("owner", OWNER)


def account(username: str, sub: str) -> Any:
    user = User.objects.create_user(username, f"{username}@example.com")
    LogtoIdentity.objects.create(user=user, issuer=conf.issuer, sub=sub)
    return user


def send(rf: Any, user: Any, action: str, **values: Any) -> AuditEvent:
    """Announce a change as the console does, and return the only event."""
    request = rf.get("/", REMOTE_ADDR="192.0.2.7", headers={"User-Agent": AGENT})
    request.logto = SimpleNamespace(sub=OWNER)
    arguments = {"target": "", "details": {}, **values}
    with written() as statements:
        organization_changed.send_robust(
            sender=User, request=request, user=user, organization_id="harbour", action=action, **arguments
        )
    assert len(statements) == 1
    return AuditEvent.objects.get()


def test_change_of_a_member_names_both(rf: Any, owner: Any) -> None:
    member, details = account("member", MEMBER), {"added": ["manager"], "removed": []}
    event = send(rf, owner, "member_roles_changed", target=MEMBER, details=details)
    assert actions() == ["member_roles_changed"]
    assert people(event) == (str(owner.pk), str(member.pk))
    assert (event.actor_sub, event.user_sub, event.organization_id) == (OWNER, MEMBER, "harbour")
    assert event.details == details
    assert event.actor_data == {
        "name": "owner",
        "email": "owner@example.com",
        "ip_address": "192.0.2.7",
        "user_agent": AGENT,
    }
    assert event.user_data == {"name": "member", "email": "member@example.com"}


def test_target_without_account_is_named_by_sub(rf: Any, owner: Any) -> None:
    event = send(rf, owner, "member_removed", target=MEMBER)
    assert (event.user_id, event.user_sub, event.user_data) == ("", MEMBER, {})


def test_change_without_target_has_no_user(rf: Any, owner: Any) -> None:
    event = send(rf, owner, "organization_renamed")
    assert (people(event), event.user_sub) == ((str(owner.pk), ""), "")


def test_own_membership_is_of_actor_and_user(rf: Any, owner: Any) -> None:
    event = send(rf, owner, "member_left", target=OWNER)
    assert people(event) == (str(owner.pk), str(owner.pk))
