"""The URLs of a site with the endpoints of the console, and with its pages, to which the links of invitations lead."""

from django.urls import include, path

urlpatterns = [
    path("", include("logto_auth.urls")),
    path("organizations/", include("logto_auth.organizations.console.urls")),
    path("api/organizations/", include("logto_auth.organizations.console.api_urls")),
]
