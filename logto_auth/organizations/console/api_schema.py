"""drf-spectacular: the OpenAPI document describes the endpoints of the console.

Loaded by `api` if `drf_spectacular` is in `INSTALLED_APPS`.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiViewExtension
from drf_spectacular.utils import OpenApiParameter

from logto_auth.contrib.user_endpoints_schema import Operation, described, prefixed_name, schema_of

from . import api
from . import api_serializers as serializers
from .api_base import ConsoleView
from .errors import (
    AlreadyInvited,
    AlreadyMember,
    ChangedMeanwhile,
    ConsoleError,
    DomainNotAllowed,
    Incomplete,
    InvalidName,
    InvitationForOther,
    InvitationInvalid,
    InvitationNotSent,
    InvitationOver,
    LastOwner,
    MemberGone,
    NotAMember,
    NotPermitted,
    RoleNotGrantable,
    TooManyOrganizations,
)

__all__ = ["OPERATIONS", "ConsoleSerializerExtension", "ConsoleViewExtension", "Operation"]

TAG = "organizations"
PREFIX = "OrganizationConsole"
IN_ORGANIZATION = (NotAMember, NotPermitted)


def _in_organization(
    id: str,
    summary: str,
    *errors: type[ConsoleError],
    takes: Any = None,
    returns: Any = None,
    status: int = 0,
    parameters: tuple[OpenApiParameter, ...] = (),
) -> Operation:
    """Return an operation in an organization. By default its status is 200, and 204 if it returns nothing."""
    return Operation(
        id=id,
        summary=summary,
        takes=takes,
        returns=returns,
        status=status or (204 if returns is None else 200),
        errors=(*IN_ORGANIZATION, *errors),
        parameters=parameters,
    )


LINK = OpenApiParameter("invitation", str, required=True, description="The last part of the link.")
SEARCH = (
    OpenApiParameter("q", str, description="A part of the name, the username, or the address."),
    OpenApiParameter("page", int, description="From 1."),
)

OPERATIONS: dict[type[ConsoleView], dict[str, Operation]] = {
    api.OrganizationListView: {
        "get": Operation(
            id="list", summary="The organizations of the user", returns=serializers.OwnOrganizationListSerializer
        ),
        "post": Operation(
            id="create",
            summary="Create an organization",
            takes=serializers.NewOrganizationSerializer,
            returns=serializers.JoinedOrganizationSerializer,
            status=201,
            errors=(NotPermitted, TooManyOrganizations, InvalidName, Incomplete),
        ),
    },
    api.OpenInvitationView: {
        "get": Operation(
            id="read_open_invitation",
            summary="The invitation of a link",
            returns=serializers.OpenInvitationSerializer,
            errors=(InvitationInvalid, InvitationOver),
            parameters=(LINK,),
        ),
        "post": Operation(
            id="accept_invitation",
            summary="Accept the invitation of a link",
            takes=serializers.InvitationLinkSerializer,
            returns=serializers.JoinedOrganizationSerializer,
            errors=(InvitationForOther, InvitationInvalid, InvitationOver),
        ),
    },
    api.OrganizationDetailView: {
        "get": _in_organization("read", "One organization", returns=serializers.OrganizationSerializer),
        "patch": _in_organization(
            "rename",
            "Rename an organization",
            InvalidName,
            takes=serializers.NameSerializer,
            returns=serializers.OrganizationSerializer,
        ),
        "delete": _in_organization("delete", "Delete an organization"),
    },
    api.LeaveView: {"post": _in_organization("leave", "Leave an organization", LastOwner)},
    api.RolesView: {
        "get": _in_organization(
            "list_roles", "The roles that the user may give and take away", returns=serializers.RoleListSerializer
        )
    },
    api.MemberListView: {
        "get": _in_organization(
            "list_members", "A page of the members", returns=serializers.MemberPageSerializer, parameters=SEARCH
        )
    },
    api.MemberView: {
        "get": _in_organization("read_member", "One member", MemberGone, returns=serializers.MemberSerializer),
        "patch": _in_organization(
            "set_member_roles",
            "Set the roles of a member",
            ChangedMeanwhile,
            MemberGone,
            RoleNotGrantable,
            LastOwner,
            Incomplete,
            takes=serializers.ChangedRolesSerializer,
            returns=serializers.MemberSerializer,
        ),
        "delete": _in_organization("remove_member", "Remove a member", MemberGone, RoleNotGrantable, LastOwner),
    },
    api.InvitationListView: {
        "get": _in_organization("list_invitations", "The invitations", returns=serializers.InvitationListSerializer),
        "post": _in_organization(
            "invite",
            "Invite a user by e-mail",
            AlreadyMember,
            AlreadyInvited,
            RoleNotGrantable,
            InvalidName,
            InvitationNotSent,
            takes=serializers.NewInvitationSerializer,
            returns=serializers.InvitationSerializer,
            status=201,
        ),
    },
    api.InvitationView: {
        "delete": _in_organization("revoke_invitation", "Revoke an invitation", InvitationOver, RoleNotGrantable)
    },
    api.ResendView: {
        "post": _in_organization(
            "resend_invitation",
            "Send the e-mail of an invitation again",
            InvitationOver,
            RoleNotGrantable,
            InvitationNotSent,
            returns=serializers.InvitationSerializer,
        )
    },
    api.JoiningView: {
        "get": _in_organization(
            "read_joining", "Who becomes a member without an invitation", returns=serializers.JoiningSerializer
        )
    },
    api.DefaultRolesView: {
        "put": _in_organization(
            "set_default_roles",
            "Set the roles of just-in-time members",
            RoleNotGrantable,
            takes=serializers.RolesSerializer,
        )
    },
    api.DomainListView: {
        "post": _in_organization(
            "add_domain", "Add an e-mail domain", DomainNotAllowed, InvalidName, takes=serializers.DomainSerializer
        )
    },
    api.DomainView: {"delete": _in_organization("remove_domain", "Remove an e-mail domain")},
    api.ConnectorView: {
        "put": _in_organization("link_connector", "Link an enterprise SSO connector", DomainNotAllowed),
        "delete": _in_organization("unlink_connector", "Unlink an enterprise SSO connector"),
    },
}


class ConsoleSerializerExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """The names of the bodies in the document."""

    target_class = serializers.ConsoleSerializer
    match_subclasses = True

    def get_name(self, auto_schema: Any, direction: Any) -> str:
        """Return the name of the class with a prefix."""
        return prefixed_name(PREFIX, self.target)

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Return the schema of the serializer. That of the base class would be empty."""
        return schema_of(auto_schema, self.target, direction)


class ConsoleViewExtension(OpenApiViewExtension):  # type: ignore[no-untyped-call]
    """The operations of each view of the console, and of a subclass of one."""

    target_class = ConsoleView
    match_subclasses = True

    def view_replacement(self) -> type:
        """Return a subclass of the view whose methods have descriptions."""
        return described(self.target, OPERATIONS, tag=TAG, error=serializers.ErrorSerializer)
