"""The pages of support access: `path("support-access/", include("logto_auth.impersonation.urls"))`."""

from django.urls import path

from .pages import LeavePage, StartPage, UserPage

__all__ = ["app_name", "urlpatterns"]

app_name = "logto_impersonation"
urlpatterns = [
    path("", StartPage.as_view(), name="start"),
    path("users/<str:pk>", UserPage.as_view(), name="user"),
    path("leave", LeavePage.as_view(), name="leave"),
]
