"""E-mails for invitations. The emulator sends none: `Tenant.sent_messages` lists those that Logto would have sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from logto_auth.emulator.api.errors import APIError
from logto_auth.emulator.state.message_connectors import SentMessage
from logto_auth.emulator.state.records import Invitation, User
from logto_auth.emulator.state.social_connectors import Connector
from logto_auth.emulator.state.tenant import Tenant

_USAGE = "OrganizationInvitation"


def check_email_connector(tenant: Tenant) -> Connector:
    """Return the e-mail connector. Raise 501 without one, and 400 if it has no template for invitations."""
    connectors = tenant.sign_in_experience.connector_instances.values()
    connector = next((each for each in connectors if each.factory.type == "Email"), None)
    if connector is None:
        raise APIError("connector.not_found", 501)
    if not any(template.get("usageType") == _USAGE for template in connector.config.get("templates", [])):
        raise APIError("connector.template_not_found", 400)
    return connector


def send_invitation(tenant: Tenant, invitation: Invitation, variables: Mapping[str, Any]) -> None:
    """Send the e-mail of an invitation. `variables` are those of the request for the template."""
    connector, inviter = check_email_connector(tenant), tenant.users.get(invitation.inviter_id or "")
    organization = tenant.organizations[invitation.organization_id]
    payload = {
        "organization": {"id": organization.id, "name": organization.name, "branding": organization.branding},
        **({"inviter": _inviter(inviter)} if inviter else {}),
        **variables,
    }
    tenant.sent_messages.append(SentMessage(connector.factory.id, invitation.invitee, type=_USAGE, payload=payload))


def _inviter(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "avatar": user.avatar,
        "name": user.name,
        "primaryEmail": user.primary_email,
        "primaryPhone": user.primary_phone,
        "username": user.username,
        "profile": user.profile,
    }
