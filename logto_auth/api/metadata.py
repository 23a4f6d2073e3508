"""What a client can find out about this site's API: which Logto gives tokens for it, and for which permissions."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.decorators import method_decorator
from django.views.generic import View

from logto_auth.conf import conf

MAX_AGE_SECONDS = 3600


@method_decorator(login_not_required, name="dispatch")
class ProtectedResourceMetadataView(View):
    """OAuth 2.0 Protected Resource Metadata (RFC 9728), from the settings. 404 without `LOGTO_API_RESOURCE`."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest, resource_path: str = "") -> HttpResponse:
        if not conf.api_resource or resource_path.strip("/") not in ("", urlsplit(conf.api_resource).path.strip("/")):
            raise Http404("No API resource of this site is described here.")
        response = JsonResponse(
            {
                "resource": conf.api_resource,
                "authorization_servers": [conf.issuer],
                "scopes_supported": list(conf.api_scopes),
                "bearer_methods_supported": ["header"],
            }
        )
        response["Cache-Control"] = f"public, max-age={MAX_AGE_SECONDS}"
        # It says nothing that is not for everyone, and scripts of other origins look for it.
        response["Access-Control-Allow-Origin"] = "*"
        return response
