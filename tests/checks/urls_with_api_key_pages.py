"""A site with the pages for API keys."""

from django.urls import include, path

urlpatterns = [
    path("", include("logto_auth.urls")),
    path("account/api-keys/", include("logto_auth.api_keys.urls")),
]
