"""A site with the pages of support access, without the admin."""

from django.urls import include, path

from .pages_site import page

urlpatterns = [
    path("", include("logto_auth.urls")),
    path("support-access/", include("logto_auth.impersonation.urls")),
    path("", page),
]
