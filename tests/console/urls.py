"""The URLs of a small site with the console of organizations."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"Hello {request.user}")


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("organizations/", include("logto_auth.organizations.console.urls")),
    path("", home),
]
