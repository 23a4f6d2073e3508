"""The URLs of a site that is an API without sign-in: `path("", include("logto_auth.api_urls"))`."""

from django.urls import path

from .api.metadata import ProtectedResourceMetadataView
from .webhooks.views import WebhookView

__all__ = ["app_name", "urlpatterns"]

app_name = "logto_auth"

# RFC 9728, section 3: the path of the resource is appended to this one.
METADATA_PATH = ".well-known/oauth-protected-resource"

urlpatterns = [
    path(METADATA_PATH, ProtectedResourceMetadataView.as_view(), name="protected-resource-metadata"),
    path(
        f"{METADATA_PATH}/<path:resource_path>",
        ProtectedResourceMetadataView.as_view(),
        name="protected-resource-metadata",
    ),
    path("webhooks/logto", WebhookView.as_view(), name="webhook"),
]
