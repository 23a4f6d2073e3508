"""The URLs of the endpoints: `path("api/organizations/", include("logto_auth.organizations.console.api_urls"))`.

They need Django REST framework, with the extra `drf`.
"""

from django.urls import path

from . import api

__all__ = ["app_name", "urlpatterns"]

app_name = "logto_organizations_api"

urlpatterns = [
    path("", api.OrganizationListView.as_view(), name="list"),
    # Before the ids: Logto gives no organization an id that is such a word.
    path("invitation/", api.OpenInvitationView.as_view(), name="open-invitation"),
    path("<str:organization_id>/", api.OrganizationDetailView.as_view(), name="organization"),
    path("<str:organization_id>/leave/", api.LeaveView.as_view(), name="leave"),
    path("<str:organization_id>/roles/", api.RolesView.as_view(), name="roles"),
    path("<str:organization_id>/members/", api.MemberListView.as_view(), name="members"),
    path("<str:organization_id>/members/<str:user_id>/", api.MemberView.as_view(), name="member"),
    path("<str:organization_id>/invitations/", api.InvitationListView.as_view(), name="invitations"),
    path("<str:organization_id>/invitations/<str:invitation_id>/", api.InvitationView.as_view(), name="invitation"),
    path(
        "<str:organization_id>/invitations/<str:invitation_id>/resend/",
        api.ResendView.as_view(),
        name="resend-invitation",
    ),
    path("<str:organization_id>/joining/", api.JoiningView.as_view(), name="joining"),
    path("<str:organization_id>/joining/roles/", api.DefaultRolesView.as_view(), name="default-roles"),
    path("<str:organization_id>/joining/domains/", api.DomainListView.as_view(), name="domains"),
    path("<str:organization_id>/joining/domains/<str:domain>/", api.DomainView.as_view(), name="domain"),
    path("<str:organization_id>/joining/connectors/<str:connector_id>/", api.ConnectorView.as_view(), name="connector"),
]
