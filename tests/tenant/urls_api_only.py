"""The URLs of a site without sign-in."""

from django.urls import include, path

urlpatterns = [path("", include("logto_auth.api_urls"))]
