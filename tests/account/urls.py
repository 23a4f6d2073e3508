"""The URLs of a small site with the account pages."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"Hello {request.user}")


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("account/", include("logto_auth.account.urls")),
    path("", home),
]
