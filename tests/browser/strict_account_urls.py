"""The account pages with the strictest Content Security Policy under which they work."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from logto_auth.account import urls

NONCE = "bm9uY2U"
POLICY = (
    f"default-src 'none'; script-src 'nonce-{NONCE}'; style-src 'nonce-{NONCE}'; base-uri 'none'; "
    "form-action 'self' http://localhost:*"
)


def csp_nonce(request: HttpRequest) -> dict[str, str]:
    """Return what the context processor of Django 6 adds to the context of templates."""
    return {"csp_nonce": NONCE}


def with_policy(view: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a view. The live server has the middleware of its start, so that a middleware cannot do it."""

    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        response = view(*args, **kwargs)
        response["Content-Security-Policy"] = POLICY
        return response

    return wrapper


def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"Hello {request.user}")


pages = [path(str(each.pattern), with_policy(each.callback), name=each.name) for each in urls.urlpatterns]
urlpatterns = [
    path("", include("logto_auth.urls")),
    path("account/", include((pages, urls.app_name))),
    path("", home),
]
