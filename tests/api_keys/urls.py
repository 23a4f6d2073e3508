"""The URLs of a site with the account pages and the pages for API keys."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from logto_auth.decorators import access_token_required


def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"Hello {request.user}")


@access_token_required("read:books", accepts_api_keys=True)
def books(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"Books of {request.user}")


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("account/", include("logto_auth.account.urls")),
    path("account/api-keys/", include("logto_auth.api_keys.urls")),
    path("api/api-keys/", include("logto_auth.api_keys.api_urls")),
    path("api/books", books),
    path("", home),
]
