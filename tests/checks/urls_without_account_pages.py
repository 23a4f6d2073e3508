"""A site with sign-in, and without the account pages."""

from django.urls import include, path

urlpatterns = [path("", include("logto_auth.urls"))]
