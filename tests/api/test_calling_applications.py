"""Views that accept certain applications, or first-party ones: one probe for each entrance."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.core.checks import run_checks
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import Client
from django.urls import include, path
from django.views.generic import View
from ninja import NinjaAPI
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from logto_auth.access import Requirement
from logto_auth.clients import reset_clients
from logto_auth.contrib.ninja import LogtoAuth, LogtoOrganizationAuth
from logto_auth.contrib.rest_framework import WRITING, HasScope, IsClient, IsFirstParty, LogtoAuthentication
from logto_auth.decorators import access_token_required, organization_token_required, require_session
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.mixins import AccessTokenRequiredMixin, OrganizationTokenRequiredMixin, SessionRequirementMixin
from logto_auth.models import LogtoSession
from tests.emulator.relying_party import CALLBACK, RelyingParty
from tests.rights import API, SCOPES, set_up

from .attackers import TokenMaker
from .callers import call, has_been_here, parameters_of

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

AGENT = f"https://agent.example/{'a' * 2048}"[:2048]
OTHER_AGENT = f"{AGENT[:-1]}b"
PARTNER = "partner0000000000001"
BRANCH = "branch000001"
METADATA = "http://testserver/.well-known/oauth-protected-resource/api"
LISTED: dict[str, Any] = {"clients": [PARTNER, AGENT]}
FIRST_PARTY: dict[str, Any] = {"third_party": False}


def page(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"client_id": request.logto.client_id})


async def async_page(request: HttpRequest) -> HttpResponse:
    return page(request)


class Page(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return page(request)


class AsyncPage(View):
    async def get(self, request: HttpRequest) -> HttpResponse:
        return page(request)


class Listed(AccessTokenRequiredMixin, Page):
    clients_required = [PARTNER, AGENT]


class FirstParty(AccessTokenRequiredMixin, AsyncPage):
    third_party_allowed = False


class Branch(OrganizationTokenRequiredMixin, Page):
    organization_scopes_required = ()


class OfSession(SessionRequirementMixin, Page):
    pass


class APIOfAll(APIView):
    authentication_classes = [LogtoAuthentication, SessionAuthentication]

    def get(self, request: Request) -> Response:
        return Response({"client_id": request.logto.client_id})  # type: ignore[attr-defined]

    post = get


def api_view(*permissions: Any) -> Any:
    return type("View", (APIOfAll,), {"permission_classes": list(permissions)}).as_view()


def guarded(request: HttpRequest) -> Any:
    return require_session(request, Requirement.of(clients=[PARTNER])) or page(request)


ninja = NinjaAPI(urls_namespace="tests-calling-applications")


@ninja.get("/listed", auth=LogtoAuth(**LISTED))
def listed_operation(request: HttpRequest) -> Any:
    return {"client_id": request.logto.client_id}


@ninja.get("/first-party", auth=LogtoAuth(**FIRST_PARTY))
async def first_party_operation(request: HttpRequest) -> Any:
    return {"client_id": request.logto.client_id}


@ninja.get("/branch/listed", auth=LogtoOrganizationAuth(**LISTED))
def operation_of_branch(request: HttpRequest) -> Any:
    return {"client_id": request.logto.client_id}


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("function/listed", access_token_required(**LISTED)(page)),
    path("function/first-party", access_token_required(**FIRST_PARTY)(async_page)),
    path("function/scope", access_token_required("read:books", **FIRST_PARTY)(page)),
    path("class/listed", Listed.as_view()),
    path("class/first-party", FirstParty.as_view()),
    path("branch/function/listed", organization_token_required(**LISTED)(page)),
    path("branch/class/first-party", Branch.as_view(third_party_allowed=False)),
    path("drf/listed", api_view(IsClient(PARTNER, AGENT))),
    path("drf/first-party", api_view(IsFirstParty)),
    path("drf/either", api_view(IsFirstParty | IsClient(PARTNER))),
    path("drf/not", api_view(~IsClient(PARTNER))),
    path("drf/writing", api_view(IsClient(AGENT, methods=WRITING))),
    path("drf/scope", api_view(IsFirstParty, HasScope("write:books"))),
    path("ninja/", ninja.urls),
    path("session/site", OfSession.as_view(third_party_allowed=False)),
    path("session/other", guarded),
]

FOR_LISTED = ["/function/listed", "/class/listed", "/branch/function/listed", "/drf/listed"]
FOR_LISTED += ["/ninja/listed", "/ninja/branch/listed"]
FOR_FIRST_PARTY = ["/function/first-party", "/class/first-party", "/branch/class/first-party", "/drf/first-party"]
FOR_FIRST_PARTY += ["/ninja/first-party"]


@pytest.fixture(autouse=True)
def site(logto: Emulator, settings: Any) -> None:
    settings.LOGTO_API_RESOURCE = API
    settings.TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
    add = logto.tenant.add_application
    machine = add(name="Machine", type="MachineToMachine", roles=["Logto Management API access"])
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    add(name="Own", type="Native", id="ownapp00000000000001")
    add(name="Partner", type="Native", is_third_party=True, id=PARTNER)
    reset_clients()


def answer_to(place: str, token: TokenMaker, client_id: str, **claims: Any) -> Any:
    claims = {"client_id": client_id, **claims}
    return call(place, token.for_organization(BRANCH, **claims) if "/branch" in place else token(**claims))


@pytest.mark.parametrize("place", FOR_LISTED)
def test_listed_applications_are_accepted(place: str, token: TokenMaker) -> None:
    for client_id in (PARTNER, AGENT):
        assert answer_to(place, token, client_id).json() == {"client_id": client_id}


@pytest.mark.parametrize("place", FOR_FIRST_PARTY)
def test_first_party_applications_are_accepted(place: str, token: TokenMaker, settings: Any) -> None:
    settings.LOGTO_FIRST_PARTY_APPS = [AGENT]
    for client_id in ("ownapp00000000000001", settings.LOGTO_APP_ID, AGENT):
        assert answer_to(place, token, client_id).json() == {"client_id": client_id}
    machine = settings.LOGTO_M2M_APP_ID
    assert answer_to(place, token, machine, sub=machine).json() == {"client_id": machine}


@pytest.mark.parametrize(
    ("place", "client_id"),
    [*((place, OTHER_AGENT) for place in FOR_LISTED), *((place, PARTNER) for place in FOR_FIRST_PARTY)],
)
def test_other_applications_are_refused(place: str, client_id: str, token: TokenMaker, caplog: Any) -> None:
    answer = answer_to(place, token, client_id)
    assert answer.status_code == 403
    body = answer.json()
    assert body.get("error", "client_refused") == "client_refused"
    text = body.get("error_description") or body["detail"]
    assert text == (
        f"The access token does not meet a requirement. This API does not accept the application {client_id[:200]}, "
        "which requested the token."
    )
    # No client asks the user for further scopes, which would not help.
    assert parameters_of(answer["WWW-Authenticate"]) == {"resource_metadata": METADATA}
    assert (answer["Cache-Control"], answer["X-Frame-Options"]) == ("no-store", "DENY")


@pytest.mark.parametrize("place", ["/function/scope", "/drf/scope"])
def test_refused_application_is_not_asked_for_scopes(place: str, token: TokenMaker) -> None:
    refused = parameters_of(answer_to(place, token, PARTNER, scope="")["WWW-Authenticate"])
    assert refused == {"resource_metadata": METADATA}
    own = parameters_of(answer_to(place, token, "ownapp00000000000001", scope="")["WWW-Authenticate"])
    assert own["error"] == "insufficient_scope"


@pytest.mark.parametrize("place", FOR_FIRST_PARTY)
def test_unreachable_logto_is_503(place: str, token: TokenMaker, spoil: Any, caplog: Any) -> None:
    spoil("management_api", HttpFault(status=500))
    with caplog.at_level(logging.ERROR, "logto_auth"):
        answer = answer_to(place, token, PARTNER)
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert f"Logto does not say whether the application {PARTNER} is third-party" in caplog.text


def test_request_without_token_is_401(token: TokenMaker) -> None:
    for place in ("/function/listed", "/class/first-party", "/drf/first-party", "/ninja/listed"):
        assert call(place).status_code == 401


def test_permissions_of_drf_are_composed(token: TokenMaker) -> None:
    for place, client_id, status in (
        ("/drf/either", PARTNER, 200),
        ("/drf/either", "ownapp00000000000001", 200),
        ("/drf/either", AGENT, 403),
        ("/drf/not", AGENT, 200),
        ("/drf/not", PARTNER, 403),
        ("/drf/writing", PARTNER, 200),
    ):
        assert answer_to(place, token, client_id).status_code == status, (place, client_id)
    assert call("/drf/writing", token(client_id=PARTNER), "post").status_code == 403
    assert call("/drf/not").status_code == 401


# Sessions


def test_session_belongs_to_the_application_of_the_site(logto: Emulator, reader: Any, settings: Any) -> None:
    client = has_been_here(logto, "reader").client
    for place in ("/session/site", "/drf/first-party", "/drf/not"):
        assert call(place, client=client).json() == {"client_id": settings.LOGTO_APP_ID}
    assert call("/drf/listed", client=client).status_code == 403


def test_page_for_other_applications_says_so(logto: Emulator, reader: Any, settings: Any) -> None:
    client = has_been_here(logto, "reader").client
    LogtoSession.objects.update(started_at=0)
    answer = call("/session/other", client=client)
    assert answer.status_code == 403
    assert b"The application that you use does not have access." in answer.content
    assert b"sign in again" not in answer.content, "it would not help"
    script = call("/session/other", client=client, headers={"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"})
    assert script.json()["missing"] == {"client": [settings.LOGTO_APP_ID]}


def test_user_with_a_password_has_no_application(django_user_model: Any) -> None:
    client = Client()
    client.force_login(django_user_model.objects.create_user("guest"), "django.contrib.auth.backends.ModelBackend")
    assert [call(place, client=client).status_code for place in ("/session/site", "/drf/first-party")] == [403, 403]


# The longest URL of a client


def test_client_with_the_longest_url_signs_in_and_calls(logto: Emulator, settings: Any, caplog: Any) -> None:
    set_up(logto)
    settings.LOGTO_API_CREATE_USERS = True
    application = logto.tenant.add_application(name="Agent", type="Native", redirect_uris=[CALLBACK], id=AGENT)
    party = RelyingParty(logto, application)
    tokens = party.sign_in("reader", scope=" ".join(SCOPES), resource=[API])
    jwt, opaque = party.refresh(tokens["refresh_token"], resource=API).json()["access_token"], tokens["access_token"]
    party.http.close()
    assert call("/function/listed", jwt).json() == {"client_id": AGENT}
    assert call("/function/first-party", jwt).status_code == 403
    settings.LOGTO_API_INTROSPECTED_APPS = [AGENT]
    assert call("/function/listed", opaque).json() == {"client_id": AGENT}
    settings.LOGTO_API_INTROSPECTED_APPS = [OTHER_AGENT]
    assert call("/function/listed", opaque).status_code == 401
    assert max(len(record.getMessage()) for record in caplog.records if record.name == "logto_auth") < 300


# Declarations


@pytest.mark.parametrize(
    "define",
    [
        lambda: access_token_required(clients=[]),
        lambda: organization_token_required(clients=[None]),
        lambda: LogtoAuth(third_party=True),
        lambda: IsClient(""),
        lambda: Listed.as_view(clients_required=()),
    ],
)
def test_mistake_is_found_in_the_definition(define: Any) -> None:
    with pytest.raises(ValueError, match=r"(clients|third_party) is "):
        define()


def test_check_names_views_that_cannot_know_third_parties(settings: Any) -> None:
    def named() -> list[str]:
        found = [message.msg for message in run_checks() if message.id == "logto_auth.W041"]
        return [text.partition(" ")[0].removeprefix(f"{__name__}.") for text in found]

    assert named() == []
    settings.LOGTO_M2M_APP_ID = settings.LOGTO_M2M_APP_SECRET = ""
    of_drf = ["View"] * 3
    assert named() == ["async_page", "page", "FirstParty", "Branch", *of_drf, "first_party_operation"]
    settings.LOGTO_FIRST_PARTY_APPS = ["ownapp00000000000001"]
    assert named() == []
