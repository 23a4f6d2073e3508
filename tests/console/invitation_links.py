"""Invitations for the tests: their links, which only the e-mails contain."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.urls import reverse

from logto_auth.emulator import Emulator
from logto_auth.emulator.state.ids import standard_id
from logto_auth.emulator.state.records import Invitation
from logto_auth.organizations.console.links import seal

from .console_site import HARBOUR, sub_of

PAGE = f"/organizations/{HARBOUR}/invitations"
STRANGER = "stranger@bookstore.example"


def invite(logto: Emulator, email: str = STRANGER, *, roles: Any = ("staff",)) -> str:
    """Let the harbour have an invitation, and return the path of the link in its e-mail."""
    now = logto.clock.now_ms()
    invitation = Invitation(
        id=standard_id(),
        invitee=email,
        organization_id=HARBOUR,
        inviter_id=sub_of("manager"),
        roles=list(roles),
        expires_at=now + 24 * 3600 * 1000,
        created_at=now,
        updated_at=now,
    )
    logto.tenant.invitations[invitation.id] = invitation
    return reverse("logto_organizations:invitation", args=[seal(invitation.id, email)])


def link_in_last_message(logto: Emulator, email: str) -> str:
    """Return the path of the link in the last e-mail to an address."""
    return urlsplit(str(logto.tenant.sent_messages.to(email)[-1].payload["link"])).path


def is_member(logto: Emulator, username: str = "stranger", organization_id: str = HARBOUR) -> bool:
    """Return whether the user is a member at Logto."""
    return sub_of(username) in logto.tenant.organizations[organization_id].members
