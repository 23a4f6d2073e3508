"""An API without sign-in that requires a second factor."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from logto_auth.decorators import access_token_required


@access_token_required("read:books", second_factor=True)
def payment(request: HttpRequest) -> HttpResponse:
    return HttpResponse("paid")


urlpatterns = [path("", include("logto_auth.api_urls")), path("payment/", payment)]
