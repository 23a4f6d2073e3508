"""The URLs of the site of the profiles, and those of allauth."""

from django.urls import include, path

from tests.profiles.site.urls import urlpatterns as usual

urlpatterns = [*usual, path("accounts/", include("allauth.urls"))]
