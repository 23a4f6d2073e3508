"""`/api/organization-invitations`."""

from __future__ import annotations

from typing import Any

from flask import request

from logto_auth.emulator.api.bodies import body
from logto_auth.emulator.api.errors import refused_input, unknown_reference
from logto_auth.emulator.api.schemas import (
    MISSING,
    Misfit,
    Path,
    choice,
    integer,
    list_of,
    nullable,
    object_of,
    optional,
    text,
    union,
)
from logto_auth.emulator.provider import current
from logto_auth.emulator.state import ids
from logto_auth.emulator.state.columns import check_length
from logto_auth.emulator.state.records import Invitation, Organization
from logto_auth.emulator.state.tenant import Tenant
from logto_auth.emulator.state.tenant_tables import DuplicateError

from .invitation_messages import send_invitation
from .lookup import existing
from .organizations import named_roles_as_json, roles_by_id
from .routing import announce, route

_MOST_CHARACTERS = 256

_known_variables = object_of(**dict.fromkeys(("code", "link", "locale", "uiLocales"), optional(text())))


def _variables(value: Any, path: Path) -> Any:
    """Accept the variables of the message template. Those that Logto does not know are passed on, too."""
    known = _known_variables(value, path)
    return {**known, **{name: each for name, each in value.items() if name not in known}}


def _no_message(value: Any, path: Path) -> Any:
    if value is False:
        return value
    received = {} if value is MISSING else {"received": value}
    message = "Invalid literal value, expected false"
    raise Misfit({**received, "code": "invalid_literal", "expected": False, "path": list(path), "message": message})


_new = object_of(
    invitee=text(email=True),
    organizationId=text(at_least=1),
    expiresAt=integer(),
    inviterId=optional(nullable(text())),
    organizationRoleIds=optional(list_of(text())),
    messagePayload=optional(union(_variables, _no_message)),
)
_status = object_of(status=choice("Accepted", "Revoked"), acceptedUserId=optional(nullable(text())))


@route("GET", "/organization-invitations")
def list_invitations(tenant: Tenant) -> list[dict[str, Any]]:
    wanted = {"organization_id": request.args.get("organizationId"), "inviter_id": request.args.get("inviterId")}
    invitee = request.args.get("invitee")
    return [
        _as_json(tenant, invitation)
        for invitation in reversed(tenant.invitations.values())
        if all(not value or value == getattr(invitation, name) for name, value in wanted.items())
        and (not invitee or invitee.lower() == invitation.invitee.lower())
    ]


@route("POST", "/organization-invitations", status=201)
def create_invitation(tenant: Tenant) -> dict[str, Any]:
    """Add an invitation. If its message fails, there is no invitation either."""
    given, provider = body(_new), current()
    now = provider.clock.now_ms()
    if given["expiresAt"] <= now:
        raise refused_input("The value of `expiresAt` must be in the future.")
    check_length(given["invitee"], _MOST_CHARACTERS)
    organization = tenant.organizations.get(given["organizationId"])
    # Unlike in the check of an acceptance, upper case counts here.
    if organization is not None and _has_member(tenant, organization, given["invitee"]):
        raise refused_input("The invitee is already a member of the organization.", 422)
    if any(_is_pending_for(each, given) for each in tenant.invitations.values()):
        raise DuplicateError("entity.unique_integrity_violation")
    if organization is None or given.get("inviterId") not in {None, *tenant.users}:
        raise unknown_reference()
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
    variables = given.get("messagePayload", False)
    if variables is not False:
        send_invitation(provider, invitation, variables)
    tenant.invitations[invitation.id] = invitation
    return _as_json(tenant, invitation)


@route("GET", "/organization-invitations/:id")
def show_invitation(tenant: Tenant, id: str) -> dict[str, Any]:
    return _as_json(tenant, existing(tenant.invitations, id))


@route("DELETE", "/organization-invitations/:id", status=204)
def delete_invitation(tenant: Tenant, id: str) -> None:
    del tenant.invitations[existing(tenant.invitations, id).id]


@route("POST", "/organization-invitations/:id/message", status=204)
def send_again(tenant: Tenant, id: str) -> None:
    variables = body(_variables)
    send_invitation(current(), existing(tenant.invitations, id), variables)


@route("PUT", "/organization-invitations/:id/status")
def change_status(tenant: Tenant, id: str) -> dict[str, Any]:
    given = body(_status)
    is_accepted, user_id = given["status"] == "Accepted", given.get("acceptedUserId")
    if is_accepted and not user_id:
        raise refused_input("The `acceptedUserId` is required when accepting an invitation.", 422)
    invitation = existing(tenant.invitations, id)
    if _current_status(invitation) != "Pending":
        raise refused_input("The status of the invitation cannot be changed anymore.", 422)
    if is_accepted:
        _accept(tenant, invitation, user_id)
    invitation.status = given["status"]
    invitation.updated_at = current().clock.now_ms()
    return _as_json(tenant, invitation)


def _accept(tenant: Tenant, invitation: Invitation, user_id: str) -> None:
    """Make the user a member with the roles of the invitation. Raise APIError if the user's e-mail was not invited."""
    user = existing(tenant.users, user_id)
    if (user.primary_email or "").lower() != invitation.invitee.lower():
        raise refused_input("The accepted user must have the same email as the invitee.", 422)
    tenant.check_user_roles(invitation.roles)
    members = tenant.organizations[invitation.organization_id].members
    is_new = user.id not in members
    members[user.id] = list(dict.fromkeys([*members.get(user.id, []), *invitation.roles]))
    invitation.accepted_user_id = user.id
    added = {"addedUserIds": [user.id]} if is_new else {}
    after = {"organizationId": invitation.organization_id, **added}
    announce("Organization.Membership.Updated", status=200, after=after)


def _has_member(tenant: Tenant, organization: Organization, email: str) -> bool:
    user = tenant.find_user(primary_email=email)
    return user is not None and user.primary_email == email and user.id in organization.members


def _is_pending_for(invitation: Invitation, given: dict[str, Any]) -> bool:
    is_same = (invitation.organization_id, invitation.invitee) == (given["organizationId"], given["invitee"])
    return is_same and _current_status(invitation) == "Pending"


def _current_status(invitation: Invitation) -> str:
    is_over = invitation.status == "Pending" and invitation.expires_at <= current().clock.now_ms()
    return "Expired" if is_over else invitation.status


def _as_json(tenant: Tenant, invitation: Invitation) -> dict[str, Any]:
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
        "organizationRoles": named_roles_as_json(tenant, invitation.roles),
    }
