from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.generic import View
from ninja import NinjaAPI
from rest_framework.permissions import IsAuthenticated
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


def has_perms(request: HttpRequest, user: Any) -> HttpResponse:
    return HttpResponse(f"{user.has_perm('logto.read:books')} {user.has_perm('logto.write:books')}")


@access_token_required()
def perms(request: HttpRequest) -> HttpResponse:
    return has_perms(request, request.user)


@access_token_required()
async def async_perms(request: HttpRequest) -> HttpResponse:
    return await sync_to_async(has_perms)(request, await request.auser())


class RestFrameworkPerms(APIView):
    authentication_classes = [LogtoAuthentication]
    permission_classes = [IsAuthenticated]

    def get(self, request: Request) -> HttpResponse:
        return has_perms(request, request.user)


@organization_token_required("manage:stock")
def stock(request: HttpRequest, organization_id: str) -> HttpResponse:
    return HttpResponse(f"{request.user} {request.logto.organization_id}")


class RestFramework(APIView):
    authentication_classes = [LogtoAuthentication]
    permission_classes = [HasScope("read:books")]

    def get(self, request: Request) -> Response:
        return Response(f"{request.user} {request.auth.sub}")


api = NinjaAPI(auth=LogtoAuth("read:books"))


@api.get("/perms", auth=LogtoAuth())
def ninja_perms(request: HttpRequest) -> HttpResponse:
    return has_perms(request, request.user)


@api.get("/async-perms", auth=LogtoAuth())
async def ninja_async_perms(request: HttpRequest) -> HttpResponse:
    return await sync_to_async(has_perms)(request, request.user)


@api.get("/books")
def ninja(request: HttpRequest) -> Any:
    return f"{request.user} {request.auth.sub}"


urlpatterns = [
    path("", include("logto_auth.api_urls")),
    path("function/", function),
    path("async-function/", async_function),
    path("function/perms/", perms),
    path("async-function/perms/", async_perms),
    path("rest-framework/perms/", RestFrameworkPerms.as_view()),
    path("class/", Class.as_view()),
    path("rest-framework/", RestFramework.as_view()),
    path("ninja/", api.urls),
    path("branches/<slug:organization_id>/stock/", stock),
]
