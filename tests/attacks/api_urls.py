"""A small site whose APIs are protected in every way that there is, each of which attacks have to try.

A view notes that it has run, and answers with whom it takes the caller for.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.urls import include, path
from django.views import View
from ninja import NinjaAPI
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from logto_auth.contrib.ninja import LogtoAuth, LogtoOrganizationAuth
from logto_auth.contrib.rest_framework import (
    READING,
    WRITING,
    HasOrganizationScope,
    HasScope,
    LogtoAuthentication,
    LogtoOrganizationAuthentication,
)
from logto_auth.decorators import access_token_required, organization_token_required
from logto_auth.mixins import AccessTokenRequiredMixin, OrganizationTokenRequiredMixin

READ, WRITE, STOCK = "read:books", "write:books", "manage:stock"

# Paths of the requests that a view has answered.
ran: list[str] = []


def answer(request: Any) -> dict[str, Any]:
    ran.append(request.path)
    caller = request.logto
    return {
        "sub": caller.sub,
        "user": str(request.user.pk),
        "is_machine": caller.is_machine,
        "scopes": sorted(caller.permissions()),
        "organization": caller.organization_id,
        "organization_scopes": sorted(caller.organization_permissions()),
    }


# Plain Django


@access_token_required(READ)
def plain(request: HttpRequest) -> JsonResponse:
    return JsonResponse(answer(request))


@access_token_required(READ)
async def plain_async(request: HttpRequest) -> JsonResponse:
    return JsonResponse(answer(request))


class Books(AccessTokenRequiredMixin, View):
    scopes_required = (READ,)

    def get(self, request: HttpRequest) -> JsonResponse:
        return JsonResponse(answer(request))


@organization_token_required(STOCK)
def stock(request: HttpRequest, organization_id: str = "") -> JsonResponse:
    return JsonResponse(answer(request))


@organization_token_required(STOCK)
async def stock_async(request: HttpRequest, organization_id: str = "") -> JsonResponse:
    return JsonResponse(answer(request))


class Stock(OrganizationTokenRequiredMixin, View):
    organization_scopes_required = (STOCK,)

    def get(self, request: HttpRequest, organization_id: str = "") -> JsonResponse:
        return JsonResponse(answer(request))


# REST framework


class BookAPI(APIView):
    authentication_classes = [LogtoAuthentication, SessionAuthentication]
    permission_classes = [HasScope(READ, methods=READING), HasScope(WRITE, methods=WRITING)]

    def get(self, request: Request) -> Response:
        return Response(answer(request))

    def post(self, request: Request) -> Response:
        return Response(answer(request), status=201)


class StockAPI(APIView):
    authentication_classes = [LogtoOrganizationAuthentication]
    permission_classes = [HasOrganizationScope(STOCK)]

    def get(self, request: Request, organization_id: str = "") -> Response:
        return Response(answer(request))


# Ninja

api = NinjaAPI(urls_namespace="attacked", docs_url=None, openapi_url=None)


@api.get("/books", auth=LogtoAuth(READ))
def ninja_books(request: HttpRequest) -> dict[str, Any]:
    return answer(request)


@api.get("/async", auth=LogtoAuth(READ))
async def ninja_books_async(request: HttpRequest) -> dict[str, Any]:
    return answer(request)


@api.get("/stock", auth=LogtoOrganizationAuth(STOCK))
def ninja_stock(request: HttpRequest) -> dict[str, Any]:
    return answer(request)


@api.get("/stock/{organization_id}", auth=LogtoOrganizationAuth(STOCK))
def ninja_stock_of(request: HttpRequest, organization_id: str) -> dict[str, Any]:
    return answer(request)


# By how it is protected: what takes a token for the API resource, and what takes an organization token. The latter
# have a twin whose address names the organization.
BOOKS = {
    "decorator": "/plain",
    "async-decorator": "/plain-async",
    "mixin": "/class",
    "rest-framework": "/drf",
    "ninja": "/ninja/books",
    "async-ninja": "/ninja/async",
}
STOCKS = {
    "decorator": "/plain/stock",
    "async-decorator": "/plain-async/stock",
    "mixin": "/class/stock",
    "rest-framework": "/drf/stock",
    "ninja": "/ninja/stock",
}

urlpatterns = [
    path("", include("logto_auth.urls")),
    path("plain", plain),
    path("plain-async", plain_async),
    path("class", Books.as_view()),
    path("drf", BookAPI.as_view()),
    path("plain/stock", stock),
    path("plain/stock/<str:organization_id>", stock),
    path("plain-async/stock", stock_async),
    path("plain-async/stock/<str:organization_id>", stock_async),
    path("class/stock", Stock.as_view()),
    path("class/stock/<str:organization_id>", Stock.as_view()),
    path("drf/stock", StockAPI.as_view()),
    path("drf/stock/<str:organization_id>", StockAPI.as_view()),
    path("ninja/", api.urls),
]
