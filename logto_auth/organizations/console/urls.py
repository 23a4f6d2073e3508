"""The pages of the console: `path("organizations/", include("logto_auth.organizations.console.urls"))`."""

from __future__ import annotations

from django.urls import URLPattern, path

from .pages.invitation_link import InvitationLinkPage
from .pages.invitations import InvitationsPage
from .pages.joining import JoiningPage

__all__ = ["app_name", "urlpatterns"]

app_name = "logto_organizations"
urlpatterns: list[URLPattern] = [
    path("invitation/<str:sealed>", InvitationLinkPage.as_view(), name="invitation"),
    path("<str:organization_id>/invitations", InvitationsPage.as_view(), name="invitations"),
    path("<str:organization_id>/joining", JoiningPage.as_view(), name="joining"),
]
