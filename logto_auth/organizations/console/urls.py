"""The pages of the console: `path("organizations/", include("logto_auth.organizations.console.urls"))`."""

from django.urls import path

from .pages.invitation_link import InvitationLinkPage
from .pages.invitations import InvitationsPage
from .pages.joining import JoiningPage
from .pages.members import MemberPage, MembersPage
from .pages.overview import DeletePage, LeavePage, OverviewPage
from .pages.own import CreatePage, ListPage

__all__ = ["app_name", "urlpatterns"]

app_name = "logto_organizations"
urlpatterns = [
    path("", ListPage.as_view(), name="list"),
    path("new", CreatePage.as_view(), name="create"),
    path("invitation/<str:sealed>", InvitationLinkPage.as_view(), name="invitation"),
    path("<str:organization_id>/", OverviewPage.as_view(), name="overview"),
    path("<str:organization_id>/members", MembersPage.as_view(), name="members"),
    path("<str:organization_id>/members/<str:user_id>", MemberPage.as_view(), name="member"),
    path("<str:organization_id>/invitations", InvitationsPage.as_view(), name="invitations"),
    path("<str:organization_id>/joining", JoiningPage.as_view(), name="joining"),
    path("<str:organization_id>/leave", LeavePage.as_view(), name="leave"),
    path("<str:organization_id>/delete", DeletePage.as_view(), name="delete"),
]
