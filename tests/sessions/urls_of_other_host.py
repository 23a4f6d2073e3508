"""The URLs of a host of the site that has no sign-in pages."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path


def who(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.user.get_username() or "nobody")


urlpatterns = [path("", who)]
