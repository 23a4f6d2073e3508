"""A site with the admin, and without the pages of support access."""

from django.contrib import admin
from django.urls import include, path

from .pages_site import page

urlpatterns = [path("", include("logto_auth.urls")), path("admin/", admin.site.urls), path("", page)]
