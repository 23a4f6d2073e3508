"""Views that accept API keys, in each way that the check knows, and views that do not."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.generic import View
from ninja import NinjaAPI
from rest_framework.views import APIView

from logto_auth.contrib.ninja import LogtoAuth, LogtoOrganizationAuth
from logto_auth.contrib.rest_framework import LogtoAuthentication
from logto_auth.decorators import access_token_required, organization_token_required
from logto_auth.mixins import AccessTokenRequiredMixin


@access_token_required(accepts_api_keys=True)
def decorated(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


@access_token_required(resource="https://bookstore.example/mcp", accepts_api_keys=True)
def of_other_resource(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


@organization_token_required(accepts_api_keys=True)
def of_organization(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


@access_token_required()
def closed(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


class Mixed(AccessTokenRequiredMixin, View):
    accepts_api_keys = True


class KeyAuthentication(LogtoAuthentication):
    accepts_api_keys = True


class OfRestFramework(APIView):
    authentication_classes = [KeyAuthentication]


class ClosedOfRestFramework(APIView):
    authentication_classes = [LogtoAuthentication]


api = NinjaAPI(urls_namespace="checked-api-keys", docs_url=None, openapi_url=None)


@api.get("/open", auth=LogtoAuth(accepts_api_keys=True))
def operation(request: HttpRequest) -> dict[str, Any]:
    return {}


@api.get("/organization", auth=LogtoOrganizationAuth(accepts_api_keys=True))
def operation_of_organization(request: HttpRequest) -> dict[str, Any]:
    return {}


@api.get("/closed", auth=LogtoAuth())
def closed_operation(request: HttpRequest) -> dict[str, Any]:
    return {}


urlpatterns = [
    path("decorated", decorated),
    path("other", of_other_resource),
    path("organization/<str:organization_id>", of_organization),
    path("closed", closed),
    path("mixed", Mixed.as_view()),
    path("mixed/closed", Mixed.as_view(accepts_api_keys=False)),
    path("drf", OfRestFramework.as_view()),
    path("drf/closed", ClosedOfRestFramework.as_view()),
    path("ninja/", api.urls),
]
