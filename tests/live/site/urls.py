"""The pages of the site under test. Most answer with JSON."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import RequestContext, Template
from django.urls import include, path

from logto_auth.decorators import (
    access_token_required,
    organization_required,
    organization_scope_required,
    organization_token_required,
    role_required,
    scope_required,
    second_factor_required,
)
from logto_auth.models import Organization
from logto_auth.views import AcceptInvitationView

from .declaration import (
    EDITOR,
    HAS_ACCOUNT_PAGES,
    HAS_AGENTS,
    HAS_CONSOLE,
    HAS_SECOND_FACTOR,
    HAS_SUPPORT_ACCESS,
    MANAGE_STOCK,
    MCP,
    MOVES_PASSWORDS,
)

# The calls of Logto's server to this process: path and status.
calls: list[tuple[str, int]] = []

PAGE = """{% load logto %}<!doctype html><html lang="en"><head><title>Live</title></head><body>
{% if request.user.is_authenticated %}<p>Hello {{ request.user }}</p>{% logto_sign_out_button %}
{% else %}<p>Hello stranger</p>{% logto_sign_in_button %}{% endif %}</body></html>"""


def note_calls(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.path in {"/back-channel-logout", "/webhooks/logto", "/password-migration/logto"}:
            calls.append((request.path, response.status_code))
        return response

    return middleware


def home(request: HttpRequest) -> JsonResponse:
    """Say who the user is, by the latest claims."""
    logto = request.logto
    return JsonResponse(
        {
            "user": request.user.get_username() or None,
            "user_id": request.user.pk,
            "name": request.user.get_full_name() if request.user.is_authenticated else None,
            "sub": logto.sub,
            "roles": logto.roles,
            "organizations": {each.id: list(each.roles) for each in logto.organizations},
            "impersonator": request.impersonator.get_username() if request.impersonator else None,
            "branches": list(Organization.objects.values_list("name", flat=True)),
        }
    )


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(Template(PAGE).render(RequestContext(request)))


def token(request: HttpRequest) -> JsonResponse:
    """Return an access token of the user, for a client of this site's API."""
    resource, organization_id = request.GET.get("resource"), request.GET.get("organization_id")
    return JsonResponse({"token": request.logto.access_token(resource, organization_id)})


def refresh(request: HttpRequest) -> JsonResponse:
    request.logto.refresh()
    return home(request)


def received(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"calls": calls})


def methods(request: HttpRequest) -> JsonResponse:
    """Say how the user signed in."""
    logto = request.logto
    return JsonResponse({"methods": logto.authentication_methods, "at": logto.authentication_methods_at})


def ok(request: HttpRequest, organization_id: str = "") -> JsonResponse:
    return JsonResponse({"organization": request.logto.organization_id, "sub": request.logto.sub})


def permissions(request: HttpRequest) -> JsonResponse:
    """Say what the caller may do."""
    logto = request.logto
    return JsonResponse({"sub": logto.sub, "permissions": sorted(logto.permissions()), "is_api_key": logto.is_api_key})


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("", home),
    path("page/", page),
    path("token/", token),
    path("refresh/", refresh),
    path("received/", received),
    path("accept-invitation", AcceptInvitationView.as_view()),
    path("desk/", role_required(EDITOR)(ok)),
    path("books/add/", scope_required("write:books")(ok)),
    path("branches/<organization_id>/", organization_required(ok)),
    path("branches/<organization_id>/stock/", organization_scope_required(MANAGE_STOCK)(ok)),
    path("api/books/", access_token_required("read:books")(ok)),
    path("api/books/add/", access_token_required("write:books")(ok)),
    path("api/branches/<organization_id>/books/", access_token_required(organization_scopes=["read:books"])(ok)),
    path("api/branches/<organization_id>/stock/", organization_token_required(MANAGE_STOCK)(ok)),
]
if HAS_ACCOUNT_PAGES:
    urlpatterns.append(path("account/", include("logto_auth.account.urls")))
if MOVES_PASSWORDS:
    urlpatterns.append(path("", include("logto_auth.password_migration.urls")))
if HAS_SECOND_FACTOR:
    urlpatterns += [
        path("methods/", methods),
        path("vault/", second_factor_required(methods)),
        path("vault/recent/", second_factor_required(max_age=300)(methods)),
        path("api/vault/", access_token_required(second_factor=True)(ok)),
    ]
if HAS_AGENTS:
    from .mcp_server import server

    urlpatterns += [
        path("mcp", server),
        path("api/own-apps/", access_token_required("mcp:tools", resource=MCP, third_party=False)(ok)),
        path("api/keys/books/", access_token_required("read:books", accepts_api_keys=True)(permissions)),
        path(
            "api/keys/branches/<organization_id>/books/",
            access_token_required(organization_scopes=["read:books"], accepts_api_keys=True)(ok),
        ),
        path(
            "api/keys/branches/<organization_id>/stock/",
            organization_token_required(MANAGE_STOCK, accepts_api_keys=True)(ok),
        ),
    ]
if HAS_SUPPORT_ACCESS:
    urlpatterns.append(path("support-access/", include("logto_auth.impersonation.urls")))
if HAS_CONSOLE:
    urlpatterns += [
        path("organizations/", include("logto_auth.organizations.console.urls")),
        path("api/organizations/", include("logto_auth.organizations.console.api_urls")),
    ]
