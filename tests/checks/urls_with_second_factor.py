"""Views that require a second factor, in each way that the check knows, and views that do not."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.utils.decorators import method_decorator
from django.views.generic import View
from rest_framework.decorators import action, api_view, permission_classes
from rest_framework.permissions import IsAdminUser, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from logto_auth.access import SecondFactor
from logto_auth.contrib.rest_framework import HasScope, HasSecondFactor
from logto_auth.decorators import access_token_required, role_required, second_factor_required
from logto_auth.mixins import AccessTokenRequiredMixin, RoleRequiredMixin, SecondFactorRequiredMixin


@second_factor_required
def decorated(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


@login_required
@role_required("editor")
@second_factor_required(max_age=300)
async def stacked(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


@access_token_required("read:books", second_factor=True)
def of_token(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


@access_token_required("read:books", second_factor=SecondFactor(methods=("Totp",)))
async def async_of_token(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


class Mixed(RoleRequiredMixin, SecondFactorRequiredMixin, View):
    pass


@method_decorator(second_factor_required, name="dispatch")
class DecoratedClass(View):
    pass


class OfToken(AccessTokenRequiredMixin, View):
    second_factor_methods = ["Totp"]


class InTheRoute(AccessTokenRequiredMixin, View):
    pass


class Permitted(APIView):
    permission_classes = [HasScope("read:books"), HasSecondFactor()]


class Composed(APIView):
    permission_classes: list[Any] = [IsAdminUser | (IsAuthenticated & ~HasSecondFactor("Totp"))]


@api_view(["GET"])
@permission_classes([HasSecondFactor()])
def permitted_function(request: Request) -> Response:
    return Response()


class Actions(ViewSet):
    permission_classes = [IsAuthenticated]

    def list(self, request: Request) -> Response:
        return Response()

    @action(detail=False, permission_classes=[HasSecondFactor()])
    def sensitive(self, request: Request) -> Response:
        return Response()


class OpenClass(RoleRequiredMixin, View):
    roles_required = ["editor"]


@access_token_required("read:books")
def open_to_token(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


router = SimpleRouter()
router.register("actions", Actions, basename="actions")

urlpatterns = [
    path("", include("logto_auth.urls")),
    path("decorated/", decorated),
    path("stacked/", stacked),
    path("of-token/", include([path("sync/", of_token), path("async/", async_of_token)])),
    path("mixed/", Mixed.as_view()),
    path("decorated-class/", DecoratedClass.as_view()),
    path("of-token-class/", OfToken.as_view()),
    path("in-the-route/", InTheRoute.as_view(second_factor_required=True)),
    path("open-in-the-route/", InTheRoute.as_view()),
    path("permitted/", Permitted.as_view()),
    path("composed/", Composed.as_view()),
    path("permitted-function/", permitted_function),
    path("open/", OpenClass.as_view()),
    path("open-to-token/", open_to_token),
    path("without/", APIView.as_view()),
    *router.urls,
]
