"""Protected resource metadata (RFC 9728): which Logto issues access tokens for this site's APIs, with which scopes."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.decorators import method_decorator
from django.views.generic import View

from logto_auth.conf import conf

from .resources import resource_at

__all__ = ["ProtectedResourceMetadataView"]

MAX_AGE_SECONDS = 3600


@method_decorator(login_not_required, name="dispatch")
class ProtectedResourceMetadataView(View):
    """Return OAuth 2.0 Protected Resource Metadata (RFC 9728) of the API resource at the path; 404 if there is none.

    The URL without a path is that of `LOGTO_API_RESOURCE` too.
    """

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest, resource_path: str = "") -> HttpResponse:
        resource = resource_at(resource_path)
        if resource is None:
            raise Http404("This URL describes no API resource of this site.")
        response = JsonResponse(
            {
                "resource": resource,
                "authorization_servers": [conf.issuer],
                "scopes_supported": list(conf.declared_api_resources[resource]),
                "bearer_methods_supported": ["header"],
            }
        )
        response["Cache-Control"] = f"public, max-age={MAX_AGE_SECONDS}"
        # The metadata is public, and scripts of other origins read it.
        response["Access-Control-Allow-Origin"] = "*"
        return response
