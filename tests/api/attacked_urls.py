"""A small site whose APIs are protected in every possible way; the attacks try each of them.

A view notes that it has run, and answers with whom it takes the caller for.
"""

from __future__ import annotations

import json
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, JsonResponse
from django.template import RequestContext, Template
from django.urls import include, path
from django.views import View
from ninja import NinjaAPI
from requests import Request as Call
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from logto_auth.contrib.ninja import LogtoAuth, LogtoOrganizationAuth
from logto_auth.contrib.rest_framework import (
    READING,
    WRITING,
    HasOrganizationRole,
    HasOrganizationScope,
    HasScope,
    IsOrganizationMember,
    IsUser,
    LogtoAuthentication,
    LogtoOrganizationAuthentication,
)
from logto_auth.decorators import (
    access_token_required,
    organization_required,
    organization_role_required,
    organization_scope_required,
    organization_token_required,
    recent_sign_in_required,
    role_required,
    scope_required,
)
from logto_auth.exceptions import SignInRequired
from logto_auth.mixins import (
    AccessTokenRequiredMixin,
    OrganizationRequiredMixin,
    OrganizationRoleRequiredMixin,
    OrganizationScopeRequiredMixin,
    OrganizationTokenRequiredMixin,
    ScopeRequiredMixin,
)
from logto_auth.models import OrganizationMembership
from logto_auth.organizations import OrganizationQuerySet
from logto_auth.sessions.outgoing import UserToken
from logto_auth.sessions.principal import SessionPrincipal

READ, WRITE, STOCK = "read:books", "write:books", "manage:stock"

# Paths of the requests for which a view ran.
ran: list[str] = []


def answer(request: Any) -> dict[str, Any]:
    ran.append(request.path)
    caller = request.logto
    return {
        "sub": caller.sub,
        "user": str(request.user.pk),
        "is_machine": getattr(caller, "is_machine", False),  # a session always belongs to a user
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
    user = await request.auser()
    assert user == request.user
    return JsonResponse(answer(request))


@access_token_required()
def plain_any(request: HttpRequest) -> JsonResponse:
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


# Plain Django, with a session of another user than that of the token


def both(request: HttpRequest, user: Any) -> JsonResponse:
    """Return the user and the rights as each part of the package sees them."""
    ran.append(request.path)
    session, page = SessionPrincipal(request), Template("{% load logto %}{% logto_has_role 'admin' %}")
    try:
        token: Any = UserToken(request)(Call("GET", "http://localhost:9/").prepare()).headers["Authorization"]
    except SignInRequired:
        token = None
    return JsonResponse(
        {
            "users": [request.user.pk, user.pk, request.logto.user.pk],
            "subs": [request.logto.sub, session.sub],
            "may": [each.has_perm(f"logto.{WRITE}") for each in (request.user, user)],
            "roles": [*request.logto.roles, *session.roles],
            "organizations": [each.id for each in (*request.logto.organizations, *session.organizations)],
            "page": page.render(RequestContext(request)),
            "token": token,
        }
    )


@access_token_required(READ)
def both_sync(request: HttpRequest) -> JsonResponse:
    return both(request, async_to_sync(request.auser)())


@access_token_required(READ)
async def both_async(request: HttpRequest) -> JsonResponse:
    return await sync_to_async(both)(request, await request.auser())


@role_required("admin")
def for_admins(request: HttpRequest) -> JsonResponse:
    ran.append(request.path)
    return JsonResponse({"user": request.user.pk})


def api_token(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"length": len(request.logto.access_token(settings.LOGTO_API_RESOURCE))})


# Plain Django, for members of an organization: with a token, and with a session


@access_token_required(READ)
def branch_books(request: HttpRequest, organization_id: str) -> JsonResponse:
    return JsonResponse(answer(request))


@access_token_required(organization_roles=["manager"])
def managers(request: HttpRequest, organization_id: str = "") -> JsonResponse:
    return JsonResponse(answer(request))


def branch(request: HttpRequest, organization_id: str = "") -> JsonResponse:
    """Return the current organization, the rights that tags see in it, and its rows."""
    ran.append(request.path)
    tags = (
        "{% load logto %}{% logto_has_organization_role 'manager' %} {% logto_has_organization_scope 'manage:stock' %}"
    )
    rows = OrganizationQuerySet(OrganizationMembership).for_request(request)
    return JsonResponse(
        {
            "organization": request.logto.organization_id,
            "tags": Template(tags).render(RequestContext(request)),
            "rows": list(rows.values_list("organization__logto_id", flat=True)),
        }
    )


class Managers(OrganizationRoleRequiredMixin, View):
    organization_roles_required = ["manager"]

    def get(self, request: HttpRequest, organization_id: str = "") -> JsonResponse:
        return branch(request)


class StockPage(OrganizationScopeRequiredMixin, View):
    organization_scopes_required = [STOCK]

    async def get(self, request: HttpRequest, organization_id: str = "") -> JsonResponse:
        return await sync_to_async(branch)(request)


class BranchBooks(OrganizationRequiredMixin, ScopeRequiredMixin, View):
    """Requires a permission on the API and an organization: the user must have the permission there."""

    scopes_required = [WRITE]

    def get(self, request: HttpRequest, organization_id: str = "") -> JsonResponse:
        return branch(request)


# REST framework


class BookAPI(APIView):
    authentication_classes = [LogtoAuthentication, SessionAuthentication]
    permission_classes = [HasScope(READ, methods=READING), HasScope(WRITE, methods=WRITING)]

    def get(self, request: Request) -> Response:
        return Response(answer(request))

    def post(self, request: Request) -> Response:
        return Response(answer(request), status=201)


class AnyBookAPI(BookAPI):
    permission_classes = [IsAuthenticated]


class UsersAPI(BookAPI):
    permission_classes = [IsUser, HasScope(READ)]


class UsersAuthentication(LogtoAuthentication):
    accepts_machines = False


def book_api(methods: Any) -> Any:
    """Return a view of an API that requires a scope for `methods` only."""

    class SomeBookAPI(BookAPI):
        permission_classes = [HasScope(READ, methods=methods)]

    return SomeBookAPI.as_view()


class FormsAPI(BookAPI):
    """Its page checks the other methods too, and OPTIONS last."""

    permission_classes = [HasScope(READ, methods=["GET"]), HasScope(WRITE, methods=["POST", "OPTIONS"])]


class StockAPI(APIView):
    authentication_classes = [LogtoOrganizationAuthentication]
    permission_classes = [HasOrganizationScope(STOCK)]

    def get(self, request: Request, organization_id: str = "") -> Response:
        return Response(answer(request))


class BranchBookAPI(APIView):
    authentication_classes = [LogtoAuthentication]
    permission_classes = [HasScope(READ)]

    def get(self, request: Request, organization_id: str) -> Response:
        return Response(answer(request))


class ManagersAPI(BranchBookAPI):
    permission_classes = [HasOrganizationRole("manager")]


class SessionManagersAPI(APIView):
    authentication_classes = [SessionAuthentication]
    permission_classes = [HasOrganizationRole("manager")]

    def get(self, request: Request, organization_id: str = "") -> Response:
        return Response(json.loads(branch(request).content))


class SessionBooksAPI(SessionManagersAPI):
    permission_classes = [IsOrganizationMember, HasScope(WRITE)]


# Ninja

api = NinjaAPI(urls_namespace="attacked", docs_url=None, openapi_url=None)


@api.get("/books", auth=LogtoAuth(READ))
def ninja_books(request: HttpRequest) -> dict[str, Any]:
    return answer(request)


@api.get("/async", auth=LogtoAuth(READ))
async def ninja_books_async(request: HttpRequest) -> dict[str, Any]:
    return answer(request)


@api.get("/any", auth=LogtoAuth())
def ninja_any(request: HttpRequest) -> dict[str, Any]:
    return answer(request)


class UsersAuth(LogtoAuth):
    accepts_machines = False


@api.get("/only-users", auth=UsersAuth(READ))
def ninja_only_users(request: HttpRequest) -> dict[str, Any]:
    return answer(request)


@api.get("/stock", auth=LogtoOrganizationAuth(STOCK))
def ninja_stock(request: HttpRequest) -> dict[str, Any]:
    return answer(request)


@api.get("/stock/{organization_id}", auth=LogtoOrganizationAuth(STOCK))
def ninja_stock_of(request: HttpRequest, organization_id: str) -> dict[str, Any]:
    return answer(request)


@api.get("/books/{organization_id}", auth=LogtoAuth(READ))
def ninja_branch_books(request: HttpRequest, organization_id: str) -> dict[str, Any]:
    return answer(request)


@api.get("/managers/{organization_id}", auth=LogtoAuth(organization_roles={"manager"}))
def ninja_managers(request: HttpRequest, organization_id: str) -> dict[str, Any]:
    return answer(request)


# By kind of protection: APIs that accept a token for the API resource, and APIs that accept an organization token. The
# latter also have a URL that selects the organization.
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

# The same with a URL that selects an organization: APIs that require a permission on the API resource, and APIs that
# require a role in the organization.
BRANCH_BOOKS = {"decorator": "/plain/books", "rest-framework": "/drf/books", "ninja": "/ninja/books"}
MANAGERS = {"decorator": "/plain/managers", "rest-framework": "/drf/managers", "ninja": "/ninja/managers"}
# Pages, with and without an organization in the URL.
PAGES = {
    "member": "/session/branch",
    "role": "/session/managers",
    "role-mixin": "/session/class/managers",
    "role-rest-framework": "/session/drf/managers",
    "scope": "/session/stock",
    "scope-mixin": "/session/class/stock",
    "scope-on-the-api-mixin": "/session/class/books",
    "scope-on-the-api": "/session/books",
    "scope-on-the-api-rest-framework": "/session/drf/books",
    "scope-on-the-api-as-a-permission-of-django": "/session/django/books",
}


def pages(path_: str, view: Any) -> list[Any]:
    return [path(path_, view), path(f"{path_}/<str:organization_id>", view)]


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("plain", plain),
    path("plain-async", plain_async),
    path("class", Books.as_view()),
    path("drf", BookAPI.as_view()),
    path("plain/any", plain_any),
    path("class/any", Books.as_view(scopes_required=())),
    path("class/only-users", Books.as_view(accepts_machines=False)),
    path("drf/any", AnyBookAPI.as_view()),
    path("drf/only-users", BookAPI.as_view(authentication_classes=[UsersAuthentication])),
    path("drf/forms", FormsAPI.as_view()),
    path("drf/users", UsersAPI.as_view()),
    path("plain/stock", stock),
    path("plain/stock/<str:organization_id>", stock),
    path("plain-async/stock", stock_async),
    path("plain-async/stock/<str:organization_id>", stock_async),
    path("class/stock", Stock.as_view()),
    path("class/stock/<str:organization_id>", Stock.as_view()),
    path("drf/stock", StockAPI.as_view()),
    path("drf/stock/<str:organization_id>", StockAPI.as_view()),
    path("plain/books/<str:organization_id>", branch_books),
    path("plain/managers/<str:organization_id>", managers),
    path("drf/books/<str:organization_id>", BranchBookAPI.as_view()),
    path("drf/managers/<str:organization_id>", ManagersAPI.as_view()),
    path("ninja/", api.urls),
    *pages("session/branch", organization_required(branch)),
    *pages("session/managers", organization_role_required("manager")(branch)),
    *pages("session/class/managers", Managers.as_view()),
    *pages("session/drf/managers", SessionManagersAPI.as_view()),
    *pages("session/stock", organization_scope_required(STOCK)(branch)),
    *pages("session/class/stock", StockPage.as_view()),
    *pages("session/class/books", BranchBooks.as_view()),
    *pages("session/books", organization_required(scope_required(WRITE)(branch))),
    *pages("session/drf/books", SessionBooksAPI.as_view()),
    *pages(
        "session/django/books",
        organization_required(permission_required(f"logto.{WRITE}", raise_exception=True)(branch)),
    ),
    path("both", both_sync),
    path("both-async", both_async),
    path("session/admins", for_admins),
    path("session/token", api_token),
    path("token-and-session/admins", access_token_required(READ)(for_admins)),
    path("session-and-token/admins", role_required("admin")(both_sync)),
    path("token-and-recent", access_token_required(READ)(recent_sign_in_required()(both_sync))),
]
