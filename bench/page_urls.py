"""The same page twice: without `request.logto`, and with roles, a decorator and four tags."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path

from logto_auth.decorators import role_required

from .page_site import BOOKS


def plain(request: HttpRequest) -> HttpResponse:
    return render(request, "bench/plain.html", {"books": BOOKS})


@role_required("editor")
def rights(request: HttpRequest) -> HttpResponse:
    return render(request, "bench/rights.html", {"books": BOOKS})


urlpatterns = [path("", plain, name="plain"), path("rights", rights, name="rights")]
urlpatterns.append(path("", include("logto_auth.urls")))
