"""The endpoints of the console for Django REST framework: `api_urls` has their URLs.

They accept sessions and access tokens of users. Needs the extra `drf`.
"""

from __future__ import annotations

from importlib import import_module

try:
    from rest_framework.exceptions import NotFound
    from rest_framework.request import Request
    from rest_framework.response import Response
except ModuleNotFoundError as error:
    raise ImportError(f'This needs {error.name}, which is not installed: pip install "logto_auth[drf]"') from error

from django.apps import apps
from django.urls import reverse
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from .api_base import ConsoleView, OrganizationView
from .api_serializers import (
    ChangedRolesSerializer,
    DomainSerializer,
    InvitationLinkSerializer,
    InvitationListSerializer,
    InvitationSerializer,
    JoiningSerializer,
    MemberPageSerializer,
    MemberQuerySerializer,
    MemberSerializer,
    NameSerializer,
    NewInvitationSerializer,
    NewOrganizationSerializer,
    OpenInvitationSerializer,
    OrganizationSerializer,
    OwnOrganizationListSerializer,
    RoleListSerializer,
    RolesSerializer,
)
from .errors import Incomplete

__all__ = [
    "ConnectorView",
    "DefaultRolesView",
    "DomainListView",
    "DomainView",
    "InvitationListView",
    "InvitationView",
    "JoiningView",
    "LeaveView",
    "MemberListView",
    "MemberView",
    "OpenInvitationView",
    "OrganizationDetailView",
    "OrganizationListView",
    "ResendView",
    "RolesView",
]


class OrganizationListView(ConsoleView):
    """The organizations of the user."""

    # Who creates an organization owns it, which is more than an application with a token may give itself.
    session_methods = own_methods = frozenset({"POST"})

    def get(self, request: Request) -> Response:
        """Return the organizations, as Logto has them now."""
        data = {"organizations": self.console.organizations(), "may_create": self.console.may_create}
        return Response(OwnOrganizationListSerializer(data).data)

    def post(self, request: Request) -> Response:
        """Create an organization."""
        values = self.values(NewOrganizationSerializer)
        key = values.get("key") or get_random_string(32)
        try:
            created = self.console.create(values["name"], key=key)
        except Incomplete as error:
            return self.refused(error, key=key)
        match = request.resolver_match
        url = reverse(f"{match.app_name}:organization", args=[created.id], current_app=match.namespace)
        return Response(self.joined(created), status=201, headers={"Location": url})


class OpenInvitationView(ConsoleView):
    """The invitation of a link, for the user who has received it."""

    public_methods = frozenset({"GET"})
    # A user joins an organization, and its members see their name. An application must not decide that.
    session_methods = own_methods = frozenset({"POST"})

    def get(self, request: Request) -> Response:
        """Return what the invitation is for. It changes nothing."""
        values = self.values(InvitationLinkSerializer, {"invitation": request.query_params.get("invitation", "")})
        return Response(OpenInvitationSerializer(self.console.open_invitation(values["invitation"])).data)

    def post(self, request: Request) -> Response:
        """Accept the invitation."""
        accepted = self.console.accept(self.values(InvitationLinkSerializer)["invitation"])
        return Response(self.joined(accepted))


class OrganizationDetailView(OrganizationView):
    """One organization."""

    own_methods = frozenset({"DELETE"})

    def get(self, request: Request, organization_id: str) -> Response:
        """Return the organization, and what the user may do in it."""
        return Response(OrganizationSerializer(self.organization).data)

    def patch(self, request: Request, organization_id: str) -> Response:
        """Rename the organization."""
        self.organization.rename(self.values(NameSerializer)["name"])
        return Response(OrganizationSerializer(self.organization).data)

    def delete(self, request: Request, organization_id: str) -> Response:
        """Delete the organization."""
        self.organization.delete()
        return Response(status=204)


class LeaveView(OrganizationView):
    """The end of the user's own membership."""

    # Every member may leave, so there is no permission that a token could have.
    session_methods = own_methods = frozenset({"POST"})

    def post(self, request: Request, organization_id: str) -> Response:
        """Leave the organization."""
        self.organization.leave()
        return Response(status=204)


class RolesView(OrganizationView):
    """The roles that the user may give and take away."""

    def get(self, request: Request, organization_id: str) -> Response:
        """Return the roles, by name."""
        return Response(RoleListSerializer({"roles": self.organization.grantable_roles()}).data)


class MemberListView(OrganizationView):
    """The members of an organization."""

    def get(self, request: Request, organization_id: str) -> Response:
        """Return a page of the members."""
        values = self.values(MemberQuerySerializer, request.query_params)
        number = values.get("page", 1)
        page = self.organization.members(search=values.get("q", ""), page=number)
        if number > page.last_number:
            raise NotFound(_("There is no such page."), code="page_not_found")
        return Response(MemberPageSerializer(page).data)


class MemberView(OrganizationView):
    """One member."""

    def get(self, request: Request, organization_id: str, user_id: str) -> Response:
        """Return the member."""
        return Response(MemberSerializer(self.organization.member(user_id)).data)

    def patch(self, request: Request, organization_id: str, user_id: str) -> Response:
        """Give the member these roles, and take the others away."""
        values = self.values(ChangedRolesSerializer)
        member = self.organization.set_roles(user_id, values["roles"], before=values.get("before"))
        return Response(MemberSerializer(member).data)

    def delete(self, request: Request, organization_id: str, user_id: str) -> Response:
        """End the membership."""
        self.organization.remove(user_id)
        return Response(status=204)


class InvitationListView(OrganizationView):
    """The invitations of an organization."""

    def get(self, request: Request, organization_id: str) -> Response:
        """Return the invitations, the newest first."""
        return Response(InvitationListSerializer({"invitations": self.organization.invitations()}).data)

    def post(self, request: Request, organization_id: str) -> Response:
        """Send an invitation by e-mail."""
        values = self.values(NewInvitationSerializer)
        invitation = self.organization.invite(values["email"], values["roles"])
        return Response(InvitationSerializer(invitation).data, status=201)


class InvitationView(OrganizationView):
    """One invitation."""

    def delete(self, request: Request, organization_id: str, invitation_id: str) -> Response:
        """Revoke the invitation."""
        self.organization.revoke(invitation_id)
        return Response(status=204)


class ResendView(OrganizationView):
    """The e-mail of an invitation."""

    def post(self, request: Request, organization_id: str, invitation_id: str) -> Response:
        """Send the e-mail again."""
        return Response(InvitationSerializer(self.organization.resend(invitation_id)).data)


class JoiningView(OrganizationView):
    """Who becomes a member without an invitation."""

    def get(self, request: Request, organization_id: str) -> Response:
        """Return the e-mail domains, the default roles, and the enterprise SSO connectors."""
        return Response(JoiningSerializer(self.organization.joining()).data)


class DefaultRolesView(OrganizationView):
    """The roles of just-in-time members."""

    def put(self, request: Request, organization_id: str) -> Response:
        """Set the roles."""
        self.organization.set_default_roles(self.values(RolesSerializer)["roles"])
        return Response(status=204)


class DomainListView(OrganizationView):
    """The e-mail domains of just-in-time members."""

    def post(self, request: Request, organization_id: str) -> Response:
        """Add a domain."""
        self.organization.add_domain(self.values(DomainSerializer)["domain"])
        return Response(status=204)


class DomainView(OrganizationView):
    """One e-mail domain."""

    def delete(self, request: Request, organization_id: str, domain: str) -> Response:
        """Remove the domain."""
        self.organization.remove_domain(domain)
        return Response(status=204)


class ConnectorView(OrganizationView):
    """One enterprise SSO connector."""

    def put(self, request: Request, organization_id: str, connector_id: str) -> Response:
        """Link the connector."""
        self.organization.link_connector(connector_id)
        return Response(status=204)

    def delete(self, request: Request, organization_id: str, connector_id: str) -> Response:
        """Unlink the connector. It changes no membership."""
        self.organization.unlink_connector(connector_id)
        return Response(status=204)


# Register what drf-spectacular writes about the endpoints. By name, because that module imports this one.
if apps.is_installed("drf_spectacular"):
    import_module("logto_auth.organizations.console.api_schema")
