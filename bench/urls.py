"""One page, and the views of the installed candidate."""

from django.apps import apps
from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"hello {request.user}")


urlpatterns = [path("", page)]
if apps.is_installed("logto_auth"):
    urlpatterns.append(path("", include("logto_auth.urls")))
if apps.is_installed("mozilla_django_oidc"):
    urlpatterns.append(path("oidc/", include("mozilla_django_oidc.urls")))
if apps.is_installed("allauth"):
    urlpatterns.append(path("accounts/", include("allauth.urls")))
