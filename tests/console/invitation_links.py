"""Invitations for the tests: their links, which only the e-mails contain."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from logto_auth.emulator import Emulator

from .console_site import HARBOUR, signed_in, sub_of

PAGE = f"/organizations/{HARBOUR}/invitations"
STRANGER = "stranger@bookstore.example"


def invite(logto: Emulator, email: str = STRANGER, *, roles: Any = ("staff",), by: str = "manager") -> str:
    """Invite somebody to the harbour, and return the path of the link in the e-mail."""
    response = signed_in(logto, by).client.post(PAGE, {"action": "invite", "email": email, "roles": list(roles)})
    assert response.status_code == 302, response.content.decode()
    return link_in_last_message(logto, email)


def link_in_last_message(logto: Emulator, email: str) -> str:
    """Return the path of the link in the last e-mail to an address."""
    return urlsplit(str(logto.tenant.sent_messages.to(email)[-1].payload["link"])).path


def is_member(logto: Emulator, username: str = "stranger", organization_id: str = HARBOUR) -> bool:
    """Return whether the user is a member at Logto."""
    return sub_of(username) in logto.tenant.organizations[organization_id].members
