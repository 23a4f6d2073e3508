"""APIs for agents, each once for each way to protect it: of the operator's applications, and of a listed one.

All of them require `read:orders` on their resource. Those of the operator's applications accept API keys, too.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.urls import include, path
from django.views import View
from ninja import NinjaAPI
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from logto_auth.contrib.mcp import logto_mcp
from logto_auth.contrib.ninja import LogtoAuth
from logto_auth.contrib.rest_framework import HasScope, IsClient, IsFirstParty, LogtoAuthentication
from logto_auth.decorators import access_token_required
from logto_auth.mixins import AccessTokenRequiredMixin

AGENTS = "http://testserver/agents"
READ, WRITE = "read:orders", "write:orders"
TRUSTED = "trustedapp00000000001"
FIRST_PARTY: dict[str, Any] = {"third_party": False}
LISTED: dict[str, Any] = {"clients": [TRUSTED]}


def answer(request: Any) -> dict[str, Any]:
    caller = request.logto
    return {
        "sub": caller.sub,
        "client_id": caller.client_id,
        "scopes": sorted(caller.scopes),
        "may_write": WRITE in caller.permissions(AGENTS),
        "is_machine": caller.is_machine,
    }


def view(request: HttpRequest) -> JsonResponse:
    return JsonResponse(answer(request))


async def async_view(request: HttpRequest) -> JsonResponse:
    await request.logto.aload()  # type: ignore[attr-defined]
    return view(request)


class Mixin(AccessTokenRequiredMixin, View):
    scopes_required = (READ,)
    resource = AGENTS

    def get(self, request: HttpRequest) -> JsonResponse:
        return view(request)


class RestFramework(APIView):
    def get(self, request: Request) -> Response:
        return Response(answer(request))


def mcp_server(**options: Any) -> Any:
    """Return the `auth` of an MCP server, and a view that calls it first, as a server of django-mcpz does."""
    auth = logto_mcp(READ, resource=AGENTS, **options)
    return auth, lambda request: auth(request) or view(request)


def ninja_api(name: str, auth: LogtoAuth) -> NinjaAPI:
    api = NinjaAPI(urls_namespace=f"agents-{name}", docs_url=None, openapi_url=None)

    @api.get("/sync", auth=auth)
    def operation(request: HttpRequest) -> dict[str, Any]:
        return answer(request)

    @api.get("/async", auth=auth)
    async def async_operation(request: HttpRequest) -> dict[str, Any]:
        return answer(request)

    return api


def entrances(name: str, requirement: dict[str, Any], permission: Any, *, accepts_api_keys: bool) -> Any:
    """Return the URLs of one API, and the `auth` of its MCP server."""
    keys = {"accepts_api_keys": accepts_api_keys}
    protect = access_token_required(READ, resource=AGENTS, **requirement, **keys)
    of_operations = type("OperationAuth", (LogtoAuth,), {"resource": AGENTS})
    authentication = type("Authentication", (LogtoAuthentication,), {"resource": AGENTS, **keys})
    mixin = {
        "clients_required": requirement.get("clients"),
        "third_party_allowed": requirement.get("third_party", True),
        **keys,
    }
    auth, mcp_view = mcp_server(**requirement, **keys)
    return auth, [
        path(f"{name}/function", protect(view)),
        path(f"{name}/function/async", protect(async_view)),
        path(f"{name}/mixin", type("AgentMixin", (Mixin,), mixin).as_view()),
        path(
            f"{name}/drf",
            RestFramework.as_view(
                authentication_classes=[authentication], permission_classes=[permission, HasScope(READ)]
            ),
        ),
        path(f"{name}/ninja/", ninja_api(name, of_operations(READ, **requirement, **keys)).urls),
        path(f"{name}/mcp", mcp_view),
    ]


PATHS = ["function", "function/async", "mixin", "drf", "ninja/sync", "ninja/async", "mcp"]
of_first_party, first_party_urls = entrances("first-party", FIRST_PARTY, IsFirstParty, accepts_api_keys=True)
of_listed, listed_urls = entrances("listed", LISTED, IsClient(TRUSTED), accepts_api_keys=False)
MCP = {"first-party": of_first_party, "listed": of_listed}

urlpatterns = [path("", include("logto_auth.urls")), *first_party_urls, *listed_urls]
