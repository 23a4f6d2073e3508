"""Pages and API views: one for each way in which a site uses the package."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import RequestContext, Template
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from logto_auth.contrib.rest_framework import HasScope, LogtoAuthentication
from logto_auth.decorators import (
    access_token_required,
    organization_scope_required,
    organization_token_required,
    recent_sign_in_required,
    role_required,
    scope_required,
)

BUTTONS = Template(
    "{% load logto %}{% logto_sign_in_button %}{% logto_sign_out_button %}"
    '{% logto_sign_out_others_button %}{% logto_organization_switcher "Branch" %}'
)


def home(request: HttpRequest, organization_id: str = "") -> HttpResponse:
    """What the site knows of the visitor, as JSON; with `?buttons`, the buttons of the template tags."""
    if "buttons" in request.GET:
        return HttpResponse(BUTTONS.render(RequestContext(request)))
    logto: Any = request.logto  # type: ignore[attr-defined]
    organization = logto.organization
    return JsonResponse(
        {
            "user": str(request.user.pk) if request.user.is_authenticated else None,
            "sub": logto.sub,
            "sid": logto.claims.get("sid"),
            "roles": logto.roles,
            "organizations": sorted(each.id for each in logto.organizations),
            "organization": organization and organization.id,
            "organization_roles": organization and organization.roles,
            "devices": [each.user_agent for each in logto.sessions],
        }
    )


@login_required
def members(request: HttpRequest) -> HttpResponse:
    may_write = request.user.has_perm("logto.write:books")
    return JsonResponse({"user": str(request.user.pk), "may_write": may_write})


@scope_required("write:books")
def write(request: HttpRequest) -> HttpResponse:
    return HttpResponse("written")


@organization_scope_required("manage:stock")
def stock(request: HttpRequest) -> HttpResponse:
    return HttpResponse("counted")


@role_required("editor")
def editors(request: HttpRequest) -> HttpResponse:
    return HttpResponse("edited")


@recent_sign_in_required(max_age=60)
def recent(request: HttpRequest) -> HttpResponse:
    return HttpResponse("recent")


@login_required
def api_token(request: HttpRequest) -> HttpResponse:
    """An access token for the API; with `?fail`, an error after the token was fetched."""
    token = request.logto.access_token(request.GET["resource"])  # type: ignore[attr-defined]
    if "fail" in request.GET:
        raise RuntimeError("This view fails after the token was fetched.")
    return HttpResponse(token)


@access_token_required("read:books")
def books(request: HttpRequest) -> HttpResponse:
    logto: Any = request.logto  # type: ignore[attr-defined]
    return JsonResponse({"user": str(request.user.pk), "sub": logto.sub, "is_machine": logto.is_machine})


class Shelves(APIView):
    authentication_classes = [LogtoAuthentication]
    permission_classes = [HasScope("read:books")]

    def get(self, request: Request) -> Response:
        return Response({"user": str(request.user.pk), "sub": request.auth.sub})


@organization_token_required("manage:stock")
def branch_stock(request: HttpRequest, organization_id: str) -> HttpResponse:
    logto: Any = request.logto  # type: ignore[attr-defined]
    return JsonResponse({"organization": logto.organization_id})
