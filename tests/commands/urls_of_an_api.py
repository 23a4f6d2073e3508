"""A site that signs nobody in."""

from django.urls import include, path

urlpatterns = [path("", include("logto_auth.api_urls"))]
