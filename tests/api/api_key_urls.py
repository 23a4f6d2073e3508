"""A small site with an API that accepts API keys, once for each way to protect it, and some that do not."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.urls import include, path
from django.views import View
from ninja import NinjaAPI
from rest_framework.permissions import IsAuthenticated
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
from tests.rights import OTHER_API

READ, WRITE, STOCK = "read:books", "write:books", "manage:stock"


def answer(request: Any) -> dict[str, Any]:
    caller = request.logto
    return {
        "sub": caller.sub,
        "user": str(request.user),
        "is_api_key": caller.is_api_key,
        "scopes": sorted(caller.scopes),
        "claim": caller.claims["scope"],
        "permissions": sorted(caller.permissions()),
        "has_write": request.user.has_perm(f"logto.{WRITE}"),
        "organization": caller.organization_id,
        "organization_scopes": sorted(caller.organization_permissions()),
        "methods": list(caller.authentication_methods),
    }


def view(request: HttpRequest, organization_id: str = "") -> JsonResponse:
    return JsonResponse(answer(request))


async def async_view(request: HttpRequest) -> JsonResponse:
    await request.logto.aload()
    return JsonResponse({**answer_without_permissions(request), "user": str(await request.auser())})


def answer_without_permissions(request: Any) -> dict[str, Any]:
    """Return what an async view can read without the database."""
    return {"is_api_key": request.logto.is_api_key, "scopes": sorted(request.logto.scopes)}


class Books(AccessTokenRequiredMixin, View):
    scopes_required = (READ,)
    accepts_api_keys = True

    def get(self, request: HttpRequest) -> JsonResponse:
        return view(request)


class Stock(OrganizationTokenRequiredMixin, View):
    organization_scopes_required = (STOCK,)
    accepts_api_keys = True

    def get(self, request: HttpRequest, organization_id: str) -> JsonResponse:
        return view(request)


class KeyAuthentication(LogtoAuthentication):
    accepts_api_keys = True


class OrganizationKeyAuthentication(LogtoOrganizationAuthentication):
    accepts_api_keys = True


class EitherAuthentication(KeyAuthentication):
    of_organization = None


class FurtherAuthentication(KeyAuthentication):
    key_scopes = [READ]


class BookAPI(APIView):
    authentication_classes = [KeyAuthentication]
    permission_classes = [HasScope(READ, methods=READING), HasScope(WRITE, methods=WRITING)]

    def get(self, request: Request, organization_id: str = "") -> Response:
        return Response(answer(request))

    def post(self, request: Request) -> Response:
        return Response(answer(request))


class ByUserAPI(BookAPI):
    """Selects its permissions by the user, and looks at the scopes meanwhile."""

    def get_permissions(self) -> list[Any]:
        assert self.request.user.is_authenticated
        self.seen = sorted(self.request.auth.scopes)
        return [HasScope(READ)()]

    def get(self, request: Request) -> Response:
        return Response(answer(request))


class StockAPI(BookAPI):
    authentication_classes = [OrganizationKeyAuthentication]
    permission_classes = [HasOrganizationScope(STOCK)]


api = NinjaAPI(urls_namespace="api-keys", docs_url=None, openapi_url=None)


@api.get("/books", auth=LogtoAuth(READ, accepts_api_keys=True))
def ninja_books(request: HttpRequest) -> dict[str, Any]:
    return answer(request)


@api.get("/async", auth=LogtoAuth(READ, accepts_api_keys=True))
async def ninja_async(request: HttpRequest) -> dict[str, Any]:
    return answer_without_permissions(request)


@api.get("/closed", auth=LogtoAuth(READ))
def ninja_closed(request: HttpRequest) -> dict[str, Any]:
    return answer(request)


@api.get("/stock/{organization_id}", auth=LogtoOrganizationAuth(STOCK, accepts_api_keys=True))
def ninja_stock(request: HttpRequest, organization_id: str) -> dict[str, Any]:
    return answer(request)


OPEN = ["/plain", "/async", "/mixin", "/drf", "/ninja/books", "/ninja/async"]
CLOSED = ["/closed", "/mixin/closed", "/drf/closed", "/ninja/closed"]
STOCKS = ["/stock", "/mixin/stock", "/drf/stock", "/ninja/stock"]

urlpatterns = [
    path("", include("logto_auth.urls")),
    path("plain", access_token_required(READ, accepts_api_keys=True)(view)),
    path("async", access_token_required(READ, accepts_api_keys=True)(async_view)),
    path("mixin", Books.as_view()),
    path("drf", BookAPI.as_view()),
    path("ninja/", api.urls),
    path("closed", access_token_required(READ)(view)),
    path("mixin/closed", Books.as_view(accepts_api_keys=False)),
    path("drf/closed", BookAPI.as_view(authentication_classes=[LogtoAuthentication])),
    path("any", access_token_required(accepts_api_keys=True)(view)),
    path("writing", access_token_required(WRITE, accepts_api_keys=True)(view)),
    path("other", access_token_required(READ, resource=OTHER_API, accepts_api_keys=True)(view)),
    path("branch/<str:organization_id>/books", access_token_required(WRITE, accepts_api_keys=True)(view)),
    path("factor", access_token_required(READ, second_factor=True, accepts_api_keys=True)(view)),
    path("stock", organization_token_required(STOCK, accepts_api_keys=True)(view)),
    path("stock/<str:organization_id>", organization_token_required(STOCK, accepts_api_keys=True)(view)),
    path("mixin/stock/<str:organization_id>", Stock.as_view()),
    path("drf/stock/<str:organization_id>", StockAPI.as_view()),
    path("drf/any", BookAPI.as_view(permission_classes=[IsAuthenticated])),
    path("drf/alternatives", BookAPI.as_view(permission_classes=[HasScope(WRITE) | HasScope(READ)])),
    path("drf/not", BookAPI.as_view(permission_classes=[~HasScope(WRITE)])),
    path("drf/by-user", ByUserAPI.as_view()),
    path(
        "drf/further",
        BookAPI.as_view(authentication_classes=[FurtherAuthentication], permission_classes=[IsAuthenticated]),
    ),
    path(
        "drf/either",
        BookAPI.as_view(authentication_classes=[EitherAuthentication], permission_classes=[HasScope(READ)]),
    ),
    path(
        "drf/either/<str:organization_id>",
        BookAPI.as_view(
            authentication_classes=[EitherAuthentication], permission_classes=[HasOrganizationScope(STOCK)]
        ),
    ),
]
