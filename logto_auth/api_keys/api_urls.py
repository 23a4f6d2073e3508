"""The URLs of the endpoints: `path("api/api-keys/", include("logto_auth.api_keys.api_urls"))`.

They need Django REST framework, with the extra `drf`.
"""

from django.urls import path

from . import api

__all__ = ["app_name", "urlpatterns"]

app_name = "logto_api_keys_api"

urlpatterns = [
    path("", api.KeyListView.as_view(), name="list"),
    path("<str:key_id>/", api.KeyView.as_view(), name="key"),
]
