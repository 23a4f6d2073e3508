"""The API documentation: `path("api/docs/", include("logto_auth.contrib.swagger_urls"))`, with drf-spectacular.

Logto redirects the browser to `oauth2-redirect.html`, which `manage.py logto_setup` registers.
"""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView

from .swagger import LogtoSwaggerRedirectView, LogtoSwaggerSplitView

__all__ = ["app_name", "urlpatterns"]

app_name = "logto_api_docs"

urlpatterns = [
    path("", LogtoSwaggerSplitView.as_view(url_name=f"{app_name}:schema"), name="page"),
    path("schema", SpectacularAPIView.as_view(), name="schema"),
    path("oauth2-redirect.html", LogtoSwaggerRedirectView.as_view(), name="redirect"),
]
