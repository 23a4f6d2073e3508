"""What a site serves that signs nobody in: `path("", include("logto_auth.api_urls"))`."""

from django.urls import path

from .api.metadata import ProtectedResourceMetadataView
from .webhooks.views import WebhookView

app_name = "logto_auth"

WELL_KNOWN = ".well-known/oauth-protected-resource"

urlpatterns = [
    path(WELL_KNOWN, ProtectedResourceMetadataView.as_view(), name="protected-resource-metadata"),
    path(
        f"{WELL_KNOWN}/<path:resource_path>",
        ProtectedResourceMetadataView.as_view(),
        name="protected-resource-metadata",
    ),
    path("webhooks/logto", WebhookView.as_view(), name="webhook"),
]
