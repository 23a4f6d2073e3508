"""A site whose admin is Django's own."""

from django.contrib.admin import AdminSite
from django.urls import include, path

urlpatterns = [
    path("", include("logto_auth.urls")),
    path("stock-admin/", AdminSite().urls),
]
