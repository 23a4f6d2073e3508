"""What all views have in common."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.views.generic import View

from logto_auth.access.responses import prefetch_response
from logto_auth.navigation import is_prefetch
from logto_auth.sign_in.page import add_headers

__all__ = ["PublicView"]


@method_decorator(login_not_required, name="dispatch")
class PublicView(View):
    """A view that needs no sign-in. Its responses are never cached or framed."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Refuse a prefetch, which must change nothing, and add the headers to the response."""
        response = prefetch_response() if is_prefetch(request) else super().dispatch(request, *args, **kwargs)
        add_headers(response)
        return response

    def head(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return an empty response: only a GET starts or finishes a sign-in."""
        return HttpResponse()
