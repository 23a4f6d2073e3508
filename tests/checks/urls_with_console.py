"""A site with the pages of the console of organizations."""

from django.urls import include, path

urlpatterns = [
    path("", include("logto_auth.urls")),
    path("organizations/", include("logto_auth.organizations.console.urls")),
]
