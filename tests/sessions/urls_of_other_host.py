"""The URLs of a host of the site that has no sign-in pages."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import path


def who(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.user.get_username() or "nobody")


urlpatterns = [path("", who)]


def other_host(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A middleware that chooses these URLs, as packages for several hosts do."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.urlconf = __name__  # type: ignore[attr-defined]
        return get_response(request)

    return middleware
