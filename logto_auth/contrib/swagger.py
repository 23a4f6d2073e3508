"""Swagger UI with a button "Authorize" that signs in at Logto. `swagger_urls` has the URLs.

The views are those of drf-spectacular, with the files of `drf_spectacular_sidecar`. The browser signs in as the
application `LOGTO_API_DOCS_APP_ID`, which has no secret, by the authorization code flow with PKCE. Its token stays in
the page.
"""

from __future__ import annotations

import json
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import (
    SpectacularSwaggerSplitView,
    SpectacularSwaggerView,
)

from logto_auth.conf import conf
from logto_auth.views.public import PublicView

from .spectacular import RESOURCE_KEY

__all__ = ["LogtoSwaggerRedirectView", "LogtoSwaggerSplitView", "LogtoSwaggerView"]

# By default, drf-spectacular loads these files of Swagger UI from another host.
FOLDER = "drf_spectacular_sidecar/swagger-ui-dist"
# With another policy, such as that of Django's SecurityMiddleware, the window of the sign-in could not reach the page.
OPENER_POLICY, SHARED = "Cross-Origin-Opener-Policy", "unsafe-none"
FILES = {
    "favicon_href": "favicon-32x32.png",
    "swagger_ui_bundle": "swagger-ui-bundle.js",
    "swagger_ui_css": "swagger-ui.css",
    "swagger_ui_standalone": "swagger-ui-standalone-preset.js",
}
for _app in ("drf_spectacular", "drf_spectacular_sidecar"):
    if not apps.is_installed(_app):
        raise ImproperlyConfigured(
            "logto_auth.contrib.swagger needs the files of Swagger UI: pip install drf-spectacular[sidecar], and add "
            f'"{_app}" to INSTALLED_APPS.'
        )


class _SignsIn:
    """Mixin for the views of drf-spectacular: the settings of Swagger UI for a sign-in at Logto."""

    @extend_schema(exclude=True)
    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Return the response of drf-spectacular, with these settings if `LOGTO_API_DOCS_APP_ID` is set."""
        response: Any = super().get(request, *args, **kwargs)  # type: ignore[misc]
        data = response.data
        data.update({name: static(f"{FOLDER}/{file}") for name, file in FILES.items() if name in data})
        if conf.api_docs_app_id and "settings" in data:
            # Both are the source of a JavaScript object, which a site may have written itself.
            plugin = render_to_string("logto_auth/api_docs/plugin.js", {"resource_key": RESOURCE_KEY})
            presets = f"presets: [...(own.presets || [SwaggerUIBundle.presets.apis]), {plugin}]"
            data["settings"] = _merged(data["settings"], presets)
            client_id = f"clientId: {_string(conf.api_docs_app_id)}"
            data["oauth2_config"] = _merged(
                data["oauth2_config"], f"{client_id}, usePkceWithAuthorizationCodeGrant: true"
            )
        response[OPENER_POLICY] = SHARED
        return response

    def _get_schema_auth_names(self) -> list[str]:
        """Return the schemes with whose tokens the page requests a document that is not public."""
        found: list[str | list[str]] = super()._get_schema_auth_names()  # type: ignore[misc]
        return [name for each in found for name in ([each] if isinstance(each, str) else each)]


def _merged(source: str, properties: str) -> str:
    """Return the source of a JavaScript object with further properties, in which `own` is the object."""
    # The source may end with a comment.
    return f"((own) => ({{...own, {properties}}}))(\n{source or '{}'}\n)"


def _string(text: str) -> str:
    """Return the source of a JavaScript string, also for a script in an HTML page."""
    return json.dumps(text).replace("<", "\\u003c")


class LogtoSwaggerView(_SignsIn, SpectacularSwaggerView):
    """The page of Swagger UI. Its URL ends with a slash, and `LogtoSwaggerRedirectView` is below it."""


class LogtoSwaggerSplitView(_SignsIn, SpectacularSwaggerSplitView):
    """The same without a script in the page, for a site whose Content Security Policy forbids it."""

    template_name = "logto_auth/api_docs/page.html"


class LogtoSwaggerRedirectView(PublicView):
    """The redirect URI `oauth2-redirect.html`, in the window that Swagger UI has opened. It passes the code to it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Return the page with the script of Swagger UI."""
        context = {"script": static(f"{FOLDER}/oauth2-redirect.js")}
        response = render(request, "logto_auth/api_docs/redirect.html", context)
        response[OPENER_POLICY] = SHARED
        return response
