"""The pages for API keys: `path("account/api-keys/", include("logto_auth.api_keys.urls"))`."""

from django.urls import path

from .pages import KeyPage, ListPage, NewKeyPage

__all__ = ["app_name", "urlpatterns"]

app_name = "logto_api_keys"
urlpatterns = [
    path("", ListPage.as_view(), name="list"),
    # Before the ids, which are hexadecimal.
    path("new", NewKeyPage.as_view(), name="new"),
    path("<str:key_id>", KeyPage.as_view(), name="key"),
]
