"""An API that includes the pages of the console of organizations by mistake."""

from django.urls import include, path

urlpatterns = [
    path("organizations/", include("logto_auth.organizations.console.urls")),
]
