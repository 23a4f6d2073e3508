"""A site with the account pages."""

from django.urls import include, path

urlpatterns = [
    path("", include("logto_auth.urls")),
    path("account/", include("logto_auth.account.urls")),
]
