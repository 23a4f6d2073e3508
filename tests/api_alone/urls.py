from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.generic import View
from ninja import NinjaAPI
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from logto_auth.contrib.ninja import LogtoAuth
from logto_auth.contrib.rest_framework import HasScope, LogtoAuthentication
from logto_auth.decorators import access_token_required, organization_token_required
from logto_auth.mixins import AccessTokenRequiredMixin


@access_token_required("read:books")
def function(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{request.user} {request.logto.sub}")


@access_token_required("read:books")
async def async_function(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{await request.auser()} {request.logto.sub}")


class Class(AccessTokenRequiredMixin, View):
    scopes_required = ["read:books"]

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(f"{request.user} {request.logto.sub}")


@organization_token_required("manage:stock")
def stock(request: HttpRequest, organization_id: str) -> HttpResponse:
    return HttpResponse(f"{request.user} {request.logto.organization_id}")


class RestFramework(APIView):
    authentication_classes = [LogtoAuthentication]
    permission_classes = [HasScope("read:books")]

    def get(self, request: Request) -> Response:
        return Response(f"{request.user} {request.auth.sub}")


api = NinjaAPI(auth=LogtoAuth("read:books"))


@api.get("/books")
def ninja(request: HttpRequest) -> Any:
    return f"{request.user} {request.auth.sub}"


urlpatterns = [
    path("", include("logto_auth.api_urls")),
    path("function/", function),
    path("async-function/", async_function),
    path("class/", Class.as_view()),
    path("rest-framework/", RestFramework.as_view()),
    path("ninja/", api.urls),
    path("branches/<slug:organization_id>/stock/", stock),
]
