"""The URLs of a site with the account pages and the pages for API keys."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"Hello {request.user}")


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("account/", include("logto_auth.account.urls")),
    path("account/api-keys/", include("logto_auth.api_keys.urls")),
    path("api/api-keys/", include("logto_auth.api_keys.api_urls")),
    path("", home),
]
