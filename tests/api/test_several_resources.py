"""A site with several API resources: each has its metadata (RFC 9728), and each 401 and 403 names that of its view."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import run_checks
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path
from django.views.generic import View
from ninja import NinjaAPI
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from logto_auth.contrib.ninja import LogtoAuth
from logto_auth.contrib.rest_framework import READING, WRITING, HasRole, HasScope, IsUser, LogtoAuthentication
from logto_auth.decorators import access_token_required
from logto_auth.emulator import Emulator
from logto_auth.mixins import AccessTokenRequiredMixin
from tests.rights import ORGANIZATIONS

from .attackers import TokenMaker
from .callers import call, has_been_here, parameters_of

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

API = "https://bookstore.example/api"
AGENTS = "https://bookstore.example/agents/mcp"
UNDECLARED = "https://bookstore.example/undeclared"
WELL_KNOWN = "/.well-known/oauth-protected-resource"
METADATA = f"http://testserver{WELL_KNOWN}"


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(request.user))


class Tools(AccessTokenRequiredMixin, View):
    resource = AGENTS
    scopes_required = ("mcp:tools", "mcp:orders")

    def get(self, request: HttpRequest) -> HttpResponse:
        return page(request)


class AgentAuthentication(LogtoAuthentication):
    resource = AGENTS


class APIOfAgents(APIView):
    authentication_classes: list[Any] = [AgentAuthentication]
    permission_classes: list[Any] = [HasScope("mcp:tools"), HasScope("mcp:orders")]

    def get(self, request: Request) -> Response:
        return Response(str(request.user))

    post = get


class ByMethod(APIOfAgents):
    permission_classes = [HasScope("mcp:tools", methods=READING), HasScope("mcp:orders", methods=WRITING)]


class Composed(APIOfAgents):
    permission_classes = [(HasScope("mcp:tools") & ~HasScope("mcp:none")) & (HasScope("mcp:orders") | HasRole("x"))]


class OnlyUsers(APIOfAgents):
    permission_classes = [IsUser]


class ByUser(APIOfAgents):
    """The permissions depend on the user, who is known only after the authentication."""

    def get_permissions(self) -> list[Any]:
        return [AllowAny()] if self.request.user.is_staff else [HasScope("mcp:tools")()]


class AlsoForSessions(APIOfAgents):
    authentication_classes = [AgentAuthentication, SessionAuthentication]
    permission_classes = [HasScope("read:books")]


class AgentAuth(LogtoAuth):
    resource = AGENTS


class UndeclaredAuth(LogtoAuth):
    resource = UNDECLARED


class UndeclaredAuthentication(LogtoAuthentication):
    resource = UNDECLARED


ninja = NinjaAPI(urls_namespace="tests-several-resources", auth=AgentAuth("mcp:tools", "mcp:orders"))


@ninja.get("/tools")
def operation(request: HttpRequest) -> str:
    return str(request.user)


@ninja.get("/async-tools")
async def async_operation(request: HttpRequest) -> str:
    return str(request.user)


@ninja.get("/undeclared", auth=[LogtoAuth(), UndeclaredAuth()])
def undeclared_operation(request: HttpRequest) -> str:
    return str(request.user)


@ninja.get("/open", auth=None)
def open_operation(request: HttpRequest) -> str:
    return str(request.user)


def with_a_name_without_value() -> Any:
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(later)

    if not __name__:
        later = ""
    return view


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("unset", with_a_name_without_value()),
    path("default", access_token_required("read:books")(page)),
    path("function", access_token_required("mcp:tools", "mcp:orders", resource=AGENTS)(page)),
    path("role", access_token_required("mcp:tools", resource=AGENTS, roles=["x"])(page)),
    path("class", Tools.as_view()),
    path("drf", APIOfAgents.as_view()),
    path("drf-by-method", ByMethod.as_view()),
    path("drf-composed", Composed.as_view()),
    path("drf-users", OnlyUsers.as_view()),
    path("drf-by-user", ByUser.as_view()),
    path("drf-session", AlsoForSessions.as_view()),
    path("ninja/", ninja.urls),
    path("undeclared/function", access_token_required(resource=UNDECLARED)(page)),
    path("undeclared/class", Tools.as_view(resource=UNDECLARED)),
    path("undeclared/drf", APIOfAgents.as_view(authentication_classes=[UndeclaredAuthentication])),
]

ENTRANCES = ["/function", "/class", "/drf", "/ninja/tools", "/ninja/async-tools"]


@pytest.fixture(autouse=True)
def site_with_agents(logto: Emulator, settings: Any) -> None:
    settings.LOGTO_API_RESOURCE = API
    settings.LOGTO_API_SCOPES = ("read:books",)
    settings.LOGTO_API_RESOURCES = {AGENTS: ["mcp:tools", "mcp:orders"]}
    settings.TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]


def metadata(place: str) -> dict[str, Any]:
    return Client().get(f"{WELL_KNOWN}{place}").json()


def challenge(place: str, token: str | None = None, method: str = "get") -> dict[str, str]:
    return parameters_of(call(place, token, method)["WWW-Authenticate"])


# Metadata


def test_each_resource_has_its_metadata(logto: Emulator, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert metadata("/agents/mcp") == {
            "resource": AGENTS,
            "authorization_servers": [logto.issuer],
            "scopes_supported": ["mcp:tools", "mcp:orders"],
            "bearer_methods_supported": ["header"],
        }
    assert metadata("/api")["scopes_supported"] == ["read:books"]
    assert metadata("")["resource"] == API
    assert Client().get(f"{WELL_KNOWN}/agents").status_code == 404


def test_metadata_of_the_path_precedes_the_default(settings: Any) -> None:
    root = "https://bookstore.example"
    settings.LOGTO_API_RESOURCES = {root: ["read:all"], f"{API}/": ["x"], API: ["write:books"]}
    assert metadata("")["resource"] == root
    assert metadata("/api")["resource"] == API
    assert metadata("/api")["scopes_supported"] == ["read:books", "write:books"]


def test_encoded_path_is_found(settings: Any) -> None:
    spaced = "https://bookstore.example/all%20agents"
    settings.LOGTO_API_RESOURCES = {AGENTS: [], spaced: ["x"]}
    assert metadata("/all%20agents")["resource"] == spaced


def test_metadata_needs_no_default(settings: Any) -> None:
    settings.LOGTO_API_RESOURCE = ""
    assert metadata("/agents/mcp")["resource"] == AGENTS
    assert Client().get(WELL_KNOWN).status_code == 404


# Challenges


@pytest.mark.parametrize("place", ENTRANCES)
def test_401_names_its_resource_and_scopes(place: str, token: TokenMaker) -> None:
    expected = {"scope": "mcp:tools mcp:orders", "resource_metadata": f"{METADATA}/agents/mcp"}
    assert challenge(place) == expected
    refused = call(place, token(aud=API))
    assert refused.status_code == 401
    parameters = parameters_of(refused["WWW-Authenticate"])
    assert {name: parameters[name] for name in expected} == expected


@pytest.mark.parametrize("place", ENTRANCES)
def test_403_names_its_resource_and_all_scopes(place: str, token: TokenMaker) -> None:
    refused = call(place, token(aud=AGENTS, scope="mcp:tools"))
    assert refused.status_code == 403
    parameters = parameters_of(refused["WWW-Authenticate"])
    assert parameters["error"] == "insufficient_scope"
    assert parameters["scope"] == "mcp:tools mcp:orders", "a client that asks for these loses none that it has"
    assert parameters["resource_metadata"] == f"{METADATA}/agents/mcp"
    assert "need the permission mcp:orders." in parameters["error_description"]
    assert call(place, token(aud=AGENTS, scope="mcp:orders mcp:tools")).status_code == 200


def test_default_resource_names_its_own_metadata() -> None:
    assert challenge("/default") == {"scope": "read:books", "resource_metadata": f"{METADATA}/api"}


def test_missing_role_names_no_scope(token: TokenMaker) -> None:
    parameters = challenge("/role", token(aud=AGENTS, scope="mcp:tools"))
    assert "scope" not in parameters
    assert parameters["resource_metadata"] == f"{METADATA}/agents/mcp"


def test_challenge_of_drf_follows_its_permissions(token: TokenMaker) -> None:
    assert challenge("/drf-by-method")["scope"] == "mcp:tools"
    assert challenge("/drf-by-method", method="post")["scope"] == "mcp:orders"
    assert challenge("/drf-composed")["scope"] == "mcp:tools", "no alternative is named"
    assert challenge("/drf-composed", token(aud=AGENTS, scope="mcp:tools"))["resource_metadata"].endswith("/agents/mcp")
    assert challenge("/drf-by-user", "junk")["scope"] == "mcp:tools"
    machine = token(aud=AGENTS, sub="robot", client_id="robot")
    assert challenge("/drf-users", machine) == {"resource_metadata": f"{METADATA}/agents/mcp"}


def test_undeclared_resource_names_no_metadata() -> None:
    assert call("/undeclared/function")["WWW-Authenticate"] == 'Bearer realm="Logto"'


def test_only_the_first_resource_of_a_path_has_metadata(settings: Any) -> None:
    settings.LOGTO_API_RESOURCE = "https://other.example/agents/mcp"
    assert metadata("/agents/mcp")["resource"] == "https://other.example/agents/mcp"
    assert "resource_metadata" not in challenge("/function")


# Sessions


def test_session_needs_the_permission_on_the_resource_of_the_view(logto: Emulator, settings: Any) -> None:
    """A permission of the same name on another API of the site does not count."""
    settings.LOGTO_SCOPES = ("openid", "offline_access", "read:books")
    settings.LOGTO_RESOURCES = (API, AGENTS, ORGANIZATIONS)
    for resource, username in ((API, "reader-of-api"), (AGENTS, "reader-of-agents")):
        logto.tenant.add_resource(resource, scopes=["read:books"])
        logto.tenant.add_role(username, scopes={resource: ["read:books"]})
        logto.tenant.add_user(username=username, roles=[username])
    statuses = [
        call("/drf-session", client=has_been_here(logto, username).client).status_code
        for username in ("reader-of-api", "reader-of-agents")
    ]
    assert statuses == [403, 200]


# The system check


def test_check_names_views_whose_resource_is_undeclared(settings: Any) -> None:
    found = [message.msg for message in run_checks() if message.id == "logto_auth.E047"]
    assert found == [
        f"{name} requires access tokens for {UNDECLARED}, which the settings do not declare."
        for name in (
            f"{__name__}.undeclared_operation",
            f"{__name__}.page",
            f"{__name__}.Tools",
            f"{__name__}.APIOfAgents",
        )
    ]
    settings.LOGTO_API_RESOURCES = {AGENTS: [], UNDECLARED: []}
    assert not [message for message in run_checks() if message.id == "logto_auth.E047"]
