"""A site with the endpoints of the console of organizations, and without its pages."""

from django.urls import include, path

urlpatterns = [
    path("", include("logto_auth.urls")),
    path("api/organizations/", include("logto_auth.organizations.console.api_urls")),
]
