"""`/api/organization-invitations`."""

from __future__ import annotations

from typing import Any

from flask import request

from logto_auth.emulator.api.bodies import body
from logto_auth.emulator.api.errors import APIError, refused_input, unknown_reference
from logto_auth.emulator.api.schemas import Path, choice, integer, list_of, nullable, object_of, optional, text
from logto_auth.emulator.provider import current
from logto_auth.emulator.state import ids
from logto_auth.emulator.state.records import Invitation
from logto_auth.emulator.state.tenant import Tenant

from .invitation_messages import check_email_connector, send_invitation
from .lookup import existing
from .organizations import roles_by_id
from .routing import announce, route

_ids = list_of(text(at_least=1))
_variables = object_of(code=optional(text()), link=text(), locale=optional(text()))


def _payload(value: Any, path: Path) -> Any:
    """Accept the variables of the message template, or false for no message."""
    return value if value is False else _variables(value, path)


_new = object_of(
    invitee=text(email=True),
    organizationId=text(at_least=1),
    expiresAt=integer(),
    inviterId=optional(nullable(text())),
    organizationRoleIds=optional(_ids),
    messagePayload=optional(_payload),
)
_status = object_of(status=choice("Accepted", "Revoked"), acceptedUserId=optional(text()))


@route("GET", "/organization-invitations")
def list_invitations(tenant: Tenant) -> list[dict[str, Any]]:
    wanted = {
        "organization_id": request.args.get("organizationId"),
        "inviter_id": request.args.get("inviterId"),
        "invitee": request.args.get("invitee"),
    }
    return [
        _as_json(tenant, invitation)
        for invitation in reversed(tenant.invitations.values())
        if all(value in {None, getattr(invitation, name)} for name, value in wanted.items())
    ]


@route("POST", "/organization-invitations", status=201)
def create_invitation(tenant: Tenant) -> dict[str, Any]:
    given, now = body(_new), current().clock.now_ms()
    organization = tenant.organizations.get(given["organizationId"])
    if given["expiresAt"] <= now:
        raise refused_input("The value of `expiresAt` must be in the future.")
    if organization is None or given.get("inviterId") not in {None, *tenant.users}:
        raise unknown_reference()
    if _member_with(tenant, given["invitee"], organization.members):
        raise refused_input("The invitee is already a member of the organization.", 422)
    if any(_is_pending_for(tenant, each, given) for each in tenant.invitations.values()):
        raise APIError("entity.unique_integrity_violation")
    variables = given.get("messagePayload", False)
    if variables is not False:
        check_email_connector(tenant)
    invitation = Invitation(
        id=ids.standard_id(),
        invitee=given["invitee"],
        organization_id=organization.id,
        inviter_id=given.get("inviterId"),
        roles=[role.name for role in roles_by_id(tenant, given.get("organizationRoleIds", []))],
        expires_at=given["expiresAt"],
        created_at=now,
        updated_at=now,
    )
    tenant.invitations[invitation.id] = invitation
    if variables is not False:
        send_invitation(tenant, invitation, variables)
    return _as_json(tenant, invitation)


@route("GET", "/organization-invitations/:id")
def show_invitation(tenant: Tenant, id: str) -> dict[str, Any]:
    return _as_json(tenant, existing(tenant.invitations, id))


@route("DELETE", "/organization-invitations/:id", status=204)
def delete_invitation(tenant: Tenant, id: str) -> None:
    del tenant.invitations[existing(tenant.invitations, id).id]


@route("POST", "/organization-invitations/:id/message", status=204)
def send_again(tenant: Tenant, id: str) -> None:
    invitation = existing(tenant.invitations, id)
    send_invitation(tenant, invitation, body(_variables))


@route("PUT", "/organization-invitations/:id/status")
def change_status(tenant: Tenant, id: str) -> dict[str, Any]:
    invitation, given = existing(tenant.invitations, id), body(_status)
    if _current_status(invitation) != "Pending":
        raise refused_input("The status of the invitation cannot be changed anymore.", 422)
    if given["status"] == "Accepted":
        _accept(tenant, invitation, given.get("acceptedUserId"))
    invitation.status = given["status"]
    invitation.updated_at = current().clock.now_ms()
    return _as_json(tenant, invitation)


def _accept(tenant: Tenant, invitation: Invitation, user_id: str | None) -> None:
    """Make the user a member with the roles of the invitation. Raise APIError if the user's e-mail was not invited."""
    if not user_id:
        raise refused_input("The `acceptedUserId` is required when accepting an invitation.", 422)
    user = existing(tenant.users, user_id)
    if (user.primary_email or "").lower() != invitation.invitee.lower():
        raise refused_input("The accepted user must have the same email as the invitee.", 422)
    members = tenant.organizations[invitation.organization_id].members
    is_new = user.id not in members
    members[user.id] = list(dict.fromkeys([*members.get(user.id, []), *invitation.roles]))
    invitation.accepted_user_id = user.id
    added = {"addedUserIds": [user.id]} if is_new else {}
    after = {"organizationId": invitation.organization_id, **added}
    announce("Organization.Membership.Updated", status=200, after=after)


def _member_with(tenant: Tenant, email: str, members: dict[str, list[str]]) -> bool:
    return any((tenant.users[sub].primary_email or "").lower() == email.lower() for sub in members)


def _is_pending_for(tenant: Tenant, invitation: Invitation, given: dict[str, Any]) -> bool:
    is_same = (invitation.organization_id, invitation.invitee) == (given["organizationId"], given["invitee"])
    return is_same and _current_status(invitation) == "Pending"


def _current_status(invitation: Invitation) -> str:
    is_over = invitation.status == "Pending" and invitation.expires_at <= current().clock.now_ms()
    return "Expired" if is_over else invitation.status


def _as_json(tenant: Tenant, invitation: Invitation) -> dict[str, Any]:
    roles = [role for role in map(tenant.find_organization_role, invitation.roles) if role]
    return {
        "tenantId": "default",
        "id": invitation.id,
        "inviterId": invitation.inviter_id,
        "invitee": invitation.invitee,
        "acceptedUserId": invitation.accepted_user_id,
        "organizationId": invitation.organization_id,
        "status": _current_status(invitation),
        "createdAt": invitation.created_at,
        "updatedAt": invitation.updated_at,
        "expiresAt": invitation.expires_at,
        "organizationRoles": [{"id": role.id, "name": role.name} for role in roles],
    }
