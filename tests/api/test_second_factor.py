"""APIs that require a second factor of the user: decorators, mixins, REST framework and Ninja."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import Client
from django.urls import include, path
from django.views.generic import View
from ninja import NinjaAPI
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import IsAdminUser, IsAuthenticated
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from logto_auth.access import Requirement, SecondFactor
from logto_auth.contrib.ninja import LogtoAuth, LogtoOrganizationAuth
from logto_auth.contrib.rest_framework import (
    WRITING,
    HasScope,
    HasSecondFactor,
    LogtoAuthentication,
    RequirementPermission,
)
from logto_auth.decorators import access_token_required, organization_token_required
from logto_auth.emulator import Emulator, Visitor
from logto_auth.exceptions import ConfigurationError
from logto_auth.mixins import AccessTokenRequiredMixin, OrganizationTokenRequiredMixin
from logto_auth.models import LogtoIdentity
from logto_auth.tenant.claims_script import merged_script
from logto_auth.testing import Browser
from tests.emulator import relying_party
from tests.emulator.relying_party import CALLBACK, RelyingParty
from tests.rights import API, HARBOUR, ORGANIZATIONS, SCOPES, ask_for_rights, set_up

from .attackers import TokenMaker
from .callers import call, parameters_of

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

WITH_FACTOR = {"authentication_methods": ["Password", "Totp"]}
WITHOUT_FACTOR = {"authentication_methods": ["Password"]}
BRANCH = "branch000001"


def page(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"user": str(request.user)})


async def async_page(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"user": str(request.user)})


class Page(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return page(request)


class AsyncPage(View):
    async def get(self, request: HttpRequest) -> HttpResponse:
        return await async_page(request)


class Protected(AccessTokenRequiredMixin, Page):
    second_factor_required = True


class AsyncProtected(AccessTokenRequiredMixin, AsyncPage):
    second_factor_methods = ["Totp"]


class ProtectedByRequest(AccessTokenRequiredMixin, Page):
    def get_requirement(self) -> Requirement:
        return Requirement.of(second_factor=SecondFactor(max_age=300))


class ProtectedBranch(OrganizationTokenRequiredMixin, Page):
    organization_scopes_required = ()
    second_factor_required = True


class FreshFactor(RequirementPermission):
    requirement = Requirement(second_factor=SecondFactor(max_age=300))


class APIOfBoth(APIView):
    authentication_classes: list[Any] = [LogtoAuthentication, SessionAuthentication]
    permission_classes: list[Any] = [HasSecondFactor()]

    def get(self, request: Request) -> Response:
        return Response({"user": str(request.user)})

    post = get


class SessionsFirst(APIOfBoth):
    authentication_classes = [SessionAuthentication, LogtoAuthentication]


class Writing(APIOfBoth):
    permission_classes = [HasSecondFactor(methods=WRITING)]


class Browsable(Writing):
    renderer_classes = [BrowsableAPIRenderer, JSONRenderer]


class RefusedByView(APIOfBoth):
    permission_classes = [HasSecondFactor() | HasScope("read:books")]

    def get(self, request: Request) -> Response:
        raise PermissionDenied("The view itself refuses this.")


def api_view(*permissions: Any) -> Any:
    return type("View", (APIOfBoth,), {"permission_classes": list(permissions)}).as_view()


ninja = NinjaAPI(urls_namespace="tests-second-factor", auth=LogtoAuth(second_factor=True))


@ninja.get("/sync")
def operation(request: HttpRequest) -> dict[str, str]:
    return {"user": str(request.user)}


@ninja.get("/async")
async def async_operation(request: HttpRequest) -> dict[str, str]:
    return {"user": str(request.user)}


@ninja.get("/branch", auth=LogtoOrganizationAuth(second_factor=["Totp"]))
def operation_of_branch(request: HttpRequest) -> dict[str, str]:
    return {"user": str(request.user)}


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("function", access_token_required(second_factor=True)(page)),
    path("async-function", access_token_required(second_factor=True)(async_page)),
    path("class", Protected.as_view()),
    path("async-class", AsyncProtected.as_view()),
    path("class-by-request", ProtectedByRequest.as_view()),
    path("branch-function", organization_token_required(second_factor="Totp")(page)),
    path("branch-class", ProtectedBranch.as_view()),
    path("drf", APIOfBoth.as_view()),
    path("drf-sessions-first", SessionsFirst.as_view()),
    path("drf-writing", Writing.as_view()),
    path("drf-browsable", Browsable.as_view()),
    path("drf-refused-by-view", RefusedByView.as_view()),
    path("drf-fresh", api_view(FreshFactor)),
    path("drf-webauthn", api_view(HasSecondFactor("WebAuthn", "SignInPasskey"))),
    path("drf-scope", api_view(HasScope("delete:books"), HasSecondFactor())),
    path("drf-factor-and-scope", api_view(HasSecondFactor(), HasScope("delete:books"))),
    path("drf-either", api_view(HasSecondFactor() | HasScope("read:books"))),
    path("drf-staff", api_view(IsAdminUser | HasSecondFactor())),
    path("drf-both", api_view(IsAuthenticated & HasSecondFactor())),
    path("drf-not", api_view(~HasSecondFactor())),
    path("scope-function", access_token_required("delete:books", second_factor=True)(page)),
    path("ninja/", ninja.urls),
]

APIS = ["/function", "/async-function", "/class", "/async-class", "/drf", "/drf-sessions-first"]
NINJA = ["/ninja/sync", "/ninja/async"]
OF_BRANCHES = ["/branch-function", "/branch-class", "/ninja/branch"]


@pytest.fixture(autouse=True)
def site(settings: Any) -> None:
    settings.LOGTO_SECOND_FACTOR = True
    settings.LOGTO_API_RESOURCE = API
    settings.TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]


def made(place: str, token: TokenMaker, **claims: Any) -> str:
    """Return a token that the API at `place` accepts."""
    return token.for_organization(BRANCH, **claims) if place in OF_BRANCHES else token(**claims)


def error_of(answer: Any) -> str | None:
    return parameters_of(answer["WWW-Authenticate"]).get("error")


@pytest.mark.parametrize("place", [*APIS, *NINJA, *OF_BRANCHES])
def test_second_factor_of_the_token_counts(place: str, token: TokenMaker) -> None:
    assert call(place, made(place, token, **WITH_FACTOR)).json() == {"user": "caller"}


@pytest.mark.parametrize("place", [*APIS, *NINJA, *OF_BRANCHES])
@pytest.mark.parametrize("claims", [WITHOUT_FACTOR, {}], ids=["password", "unknown"])
def test_missing_second_factor_is_401_of_rfc_9470(place: str, token: TokenMaker, claims: dict[str, Any]) -> None:
    answer = call(place, made(place, token, **claims))
    assert answer.status_code == 401
    challenge = parameters_of(answer["WWW-Authenticate"])
    assert challenge["error"] == "insufficient_user_authentication"
    assert "sign in again at Logto" in challenge["error_description"]
    assert "prompt=login consent" in challenge["error_description"]
    assert "Totp" in challenge["error_description"]
    assert "scope" not in challenge
    assert challenge["resource_metadata"].startswith("http://testserver/.well-known/oauth-protected-resource")
    assert (answer["Cache-Control"], answer["X-Frame-Options"]) == ("no-store", "DENY")
    body = answer.json()
    assert challenge["error_description"] in (body.get("error_description"), body.get("detail"))


@pytest.mark.parametrize(
    "claims",
    [
        {"authentication_methods": "Totp"},
        {"authentication_methods": ["Totp", 1]},
        {"authentication_methods": ["totp"]},
        {"amr": ["mfa", "Totp"], "acr": "Totp"},
    ],
    ids=str,
)
def test_claim_of_another_script_does_not_count(token: TokenMaker, claims: dict[str, Any]) -> None:
    assert call("/function", token(**claims)).status_code == 401


@pytest.mark.parametrize("place", [*APIS, *NINJA, *OF_BRANCHES])
def test_machine_never_meets_it(place: str, token: TokenMaker) -> None:
    machine = made(place, token, sub="robot", client_id="robot", **WITH_FACTOR)
    answer = call(place, machine)
    assert (answer.status_code, error_of(answer)) == (401, "insufficient_user_authentication")


@pytest.mark.parametrize("place", ["/function", "/drf", "/ninja/sync"])
def test_request_without_token_has_no_error(place: str) -> None:
    answer = call(place)
    assert (answer.status_code, error_of(answer)) == (401, None)


@pytest.mark.parametrize("place", ["/scope-function", "/drf-scope"])
def test_missing_scope_is_reported_first(place: str, token: TokenMaker) -> None:
    answer = call(place, token())
    assert (answer.status_code, error_of(answer)) == (403, "insufficient_scope")


def test_scope_is_reported_after_the_second_factor(token: TokenMaker) -> None:
    answer = call("/drf-factor-and-scope", token(**WITH_FACTOR))
    assert (answer.status_code, error_of(answer)) == (403, "insufficient_scope")


@pytest.mark.parametrize("place", ["/function", "/drf", "/ninja/sync"])
def test_setting_that_is_off_is_a_configuration_error(place: str, token: TokenMaker, settings: Any) -> None:
    settings.LOGTO_SECOND_FACTOR = False
    with pytest.raises(ConfigurationError, match="Set LOGTO_SECOND_FACTOR = True"):
        call(place, token(**WITH_FACTOR))


def test_max_age_of_a_token_is_refused_in_the_definition() -> None:
    required = SecondFactor(max_age=300)
    of_method = {"second_factor_methods": ["Totp"], "second_factor_max_age": 300}
    for define in (
        lambda: access_token_required(second_factor=required),
        lambda: organization_token_required(second_factor=required),
        lambda: LogtoAuth(second_factor=required),
        lambda: LogtoOrganizationAuth(second_factor=required),
        type("View", (AccessTokenRequiredMixin, Page), of_method).as_view,
        lambda: Protected.as_view(second_factor_max_age=300),
    ):
        with pytest.raises(ValueError, match="A token does not contain the time"):
            define()


def test_max_age_of_a_requirement_by_request_is_refused(token: TokenMaker) -> None:
    with pytest.raises(ValueError, match="A token does not contain the time"):
        call("/class-by-request", token(**WITH_FACTOR))


@pytest.mark.parametrize(
    "define",
    [
        lambda: access_token_required(second_factor=["Password"]),
        lambda: LogtoAuth(second_factor="totp"),
        lambda: HasSecondFactor("Password"),
        lambda: Protected.as_view(second_factor_methods=["totp"]),
        lambda: Protected.as_view(second_factor_methods=()),
    ],
)
def test_method_that_is_no_second_factor_is_refused_in_the_definition(define: Any) -> None:
    with pytest.raises(ValueError, match="expected some of"):
        define()


# Tokens of the emulator, with the script of the package


@pytest.fixture
def party(logto: Emulator) -> Iterator[RelyingParty]:
    """A native app of the editor, in a tenant with the script."""
    set_up(logto)
    logto.tenant.jwt_customizers["jwt.accessToken"] = {"script": merged_script("")}
    application = logto.tenant.add_application(name="App", type="Native", redirect_uris=[CALLBACK])
    LogtoIdentity.objects.create(
        user=get_user_model().objects.create_user("editor"), issuer=logto.issuer, sub="editor000001"
    )
    party = RelyingParty(logto, application)
    yield party
    party.http.close()


def tokens_of(party: RelyingParty, totp_secret: str = "") -> dict[str, Any]:
    """Return the tokens after a sign-in of the editor."""
    url = party.authorization_url(scope=" ".join(SCOPES), resource=[API, ORGANIZATIONS])
    with Visitor(party.emulator) as visitor:
        callback = visitor.sign_in(url, "editor", totp_secret=totp_secret)
    tokens: dict[str, Any] = party.exchange(relying_party.parameters_of(callback)["code"]).json()
    return tokens


def statuses(party: RelyingParty, refresh_token: str) -> list[int]:
    """Return the statuses of calls with new tokens for the API and for an organization."""
    of_api, of_branch = (
        party.refresh(refresh_token, **target).json()["access_token"]
        for target in ({"resource": API}, {"organization_id": HARBOUR})
    )
    return [call("/function", of_api).status_code, call("/branch-function", of_branch).status_code]


def test_token_of_sign_in_with_second_factor_is_accepted(party: RelyingParty, logto: Emulator) -> None:
    assert statuses(party, tokens_of(party)["refresh_token"]) == [401, 401]
    secret = logto.tenant.add_totp(logto.tenant.find_user(username="editor"))
    assert statuses(party, tokens_of(party, secret)["refresh_token"]) == [200, 200]


def test_token_of_an_exchange_has_no_second_factor(party: RelyingParty, logto: Emulator) -> None:
    secret = logto.tenant.add_totp(logto.tenant.find_user(username="editor"))
    party.application.custom_client_metadata["allowTokenExchange"] = True
    exchanged = party.post(
        "token",
        grant_type="urn:ietf:params:oauth:grant-type:token-exchange",
        subject_token=tokens_of(party, secret)["access_token"],
        subject_token_type="urn:ietf:params:oauth:token-type:access_token",
        resource=API,
        scope="read:books",
    )
    answer = call("/function", exchanged.json()["access_token"])
    assert (answer.status_code, error_of(answer)) == (401, "insufficient_user_authentication")


# REST framework: permissions with other permissions, and requests with a session


def test_permission_may_name_the_methods(token: TokenMaker) -> None:
    assert call("/drf-webauthn", token(**WITH_FACTOR)).status_code == 401
    assert call("/drf-webauthn", token(authentication_methods=["SignInPasskey"])).status_code == 200


def test_permission_with_max_age_is_never_met_by_a_token(token: TokenMaker) -> None:
    answer = call("/drf-fresh", token(**WITH_FACTOR))
    assert (answer.status_code, error_of(answer)) == (401, "insufficient_user_authentication")


def test_permission_applies_to_its_methods(token: TokenMaker) -> None:
    assert [call("/drf-writing", token(), method).status_code for method in ("get", "post")] == [200, 401]
    assert call("/drf-writing", token(**WITH_FACTOR), "post").status_code == 200


def test_other_permission_may_suffice(token: TokenMaker) -> None:
    assert call("/drf-either", token()).status_code == 200
    assert call("/drf-either", token(scope="", **WITH_FACTOR)).status_code == 200
    assert call("/drf-either", token(scope="")).status_code == 403


@pytest.mark.parametrize("place", ["/drf-staff", "/drf-both"])
def test_composed_permission_is_403_with_challenge(place: str, token: TokenMaker) -> None:
    answer = call(place, token())
    assert (answer.status_code, error_of(answer)) == (403, "insufficient_user_authentication")
    assert call(place, token(**WITH_FACTOR)).status_code == 200


def test_negated_permission_refuses_the_second_factor(token: TokenMaker) -> None:
    assert call("/drf-not", token()).status_code == 200
    assert call("/drf-not", token(**WITH_FACTOR)).status_code == 403
    assert call("/drf-not").status_code == 401


def test_refusal_of_the_view_remains_403(token: TokenMaker) -> None:
    answer = call("/drf-refused-by-view", token())
    assert (answer.status_code, answer.json()) == (403, {"detail": "The view itself refuses this."})


def test_page_of_browsable_api_shows_no_form_without_the_second_factor(token: TokenMaker) -> None:
    answer = call("/drf-browsable", token(), headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert "WWW-Authenticate" not in answer
    assert "<form" not in answer.content.decode().partition('class="page-header"')[2]
    answer = call("/drf-browsable", token(), "post", headers={"Accept": "text/html"})
    assert (answer.status_code, error_of(answer)) == (401, "insufficient_user_authentication")


@pytest.fixture
def client_of_session(client: Client) -> Client:
    """A browser with a session that did not begin at Logto, and so has no second factor."""
    client.force_login(get_user_model().objects.create_user("local"))
    return client


@pytest.mark.parametrize("place", ["/drf", "/drf-sessions-first"])
def test_session_without_second_factor_is_401_with_url(place: str, client_of_session: Client) -> None:
    headers = {"Accept": "application/json", "Referer": "http://testserver/shelf/"}
    answer = client_of_session.get(place, headers=headers)
    assert answer.status_code == 401
    url = "http://testserver/second-factor?next=/shelf/"
    assert answer.json() == {
        "detail": "You need to sign in again with a second factor.",
        "error": "second_factor_required",
        "sign_in_url": url,
    }
    assert answer["WWW-Authenticate"] == f'Cookie realm="Logto", sign_in_url="{url}"'
    assert (answer["Cache-Control"], answer["X-Frame-Options"]) == ("no-store", "DENY")


def test_url_for_session_says_what_is_required(client_of_session: Client) -> None:
    answer = client_of_session.get("/drf-webauthn")
    assert answer.json()["sign_in_url"] == (
        "http://testserver/second-factor?methods=WebAuthn%20SignInPasskey&next=/drf-webauthn"
    )
    answer = client_of_session.get("/drf-fresh")
    assert answer.json()["sign_in_url"] == "http://testserver/second-factor?max_age=300&next=/drf-fresh"


@pytest.mark.urls("tests.api.urls_of_api_without_sign_in")
def test_session_of_api_without_sign_in_is_403(client_of_session: Client) -> None:
    answer = client_of_session.get("/drf")
    assert (answer.status_code, answer.json()) == (403, {"detail": "You need to sign in again with a second factor."})


def test_second_factor_of_the_session_counts(logto: Emulator, settings: Any) -> None:
    set_up(logto)
    ask_for_rights(settings)
    logto.tenant.jwt_customizers["jwt.accessToken"] = {"script": merged_script("")}
    secret = logto.tenant.add_totp(logto.tenant.find_user(username="editor"))
    browser = Browser(logto)
    browser.sign_in("editor", totp_secret=secret)
    assert browser.client.get("/drf").json() == {"user": "editor"}
    assert browser.client.get("/drf-webauthn").status_code == 401
    assert browser.client.get("/drf-not").status_code == 403


def test_session_does_not_replace_the_factor_of_a_token(client_of_session: Client, token: TokenMaker) -> None:
    answer = call("/drf", token(), client=client_of_session)
    assert error_of(answer) == "insufficient_user_authentication"


@pytest.mark.parametrize("place", APIS + NINJA)
def test_check_costs_no_query_and_no_call(
    place: str, token: TokenMaker, logto: Emulator, django_assert_num_queries: Any, settings: Any
) -> None:
    call(place, token(**WITH_FACTOR))
    before = len(logto.requests)
    with django_assert_num_queries(1):
        assert call(place, token(**WITH_FACTOR)).status_code == 200
    assert len(logto.requests) == before
