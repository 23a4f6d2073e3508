"""The URLs of a site with the pages for API keys, and without the account pages."""

from django.urls import include, path

urlpatterns = [
    path("", include("logto_auth.urls")),
    path("api-keys/", include("logto_auth.api_keys.urls")),
]
