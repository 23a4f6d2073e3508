"""A site with an admin of each kind."""

from django.contrib.admin import AdminSite
from django.urls import include, path

from logto_auth.admin_site import LogtoAdminSite

urlpatterns = [
    path("", include("logto_auth.urls")),
    path("admin/", LogtoAdminSite().urls),
    path("stock-admin/", AdminSite("stock").urls),
]
