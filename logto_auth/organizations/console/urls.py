"""The pages of the console: `path("organizations/", include("logto_auth.organizations.console.urls"))`."""

from __future__ import annotations

from django.urls import URLPattern

__all__ = ["app_name", "urlpatterns"]

app_name = "logto_organizations"
urlpatterns: list[URLPattern] = []
