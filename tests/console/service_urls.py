"""The URLs of the site of `service`: with a page for links of invitations that does nothing."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def nothing(request: HttpRequest, **kwargs: str) -> HttpResponse:
    return HttpResponse()


console = [path("invitation/<str:sealed>", nothing, name="invitation")]
urlpatterns = [
    path("", include("logto_auth.urls")),
    path("organizations/", include((console, "logto_organizations"))),
    path("", nothing),
]
