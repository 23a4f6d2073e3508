"""APIs in plain Django: decorators and mixins, for sync and async views."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import AsyncClient, Client
from django.urls import include, path
from django.views.generic import View

from logto_auth.access.requirements import Requirement
from logto_auth.clients import reset_clients
from logto_auth.decorators import access_token_required, organization_token_required
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.mixins import AccessTokenRequiredMixin, OrganizationTokenRequiredMixin
from logto_auth.models import Organization
from tests.rights import API, HARBOUR, HILL, OTHER_API

from .callers import CHALLENGE, App, Robot, call, has_been_here, parameters_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site"), pytest.mark.urls(__name__)]

STYLES = ("function", "async-function", "class", "async-class")


def who(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    """Return the caller as the view sees it."""
    logto = request.logto
    assert request.auth is logto
    assert request.user is logto.user
    return JsonResponse(
        {
            "user": str(request.user),
            "sub": logto.sub,
            "is_machine": logto.is_machine,
            "scopes": sorted(logto.scopes),
            "permissions": sorted(logto.permissions()),
            "organization_id": logto.organization_id,
            "organization_permissions": sorted(logto.organization_permissions()),
        }
    )


async def async_who(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    return who(request)


class Who(View):
    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return who(request)

    post = get


class AsyncWho(View):
    async def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return who(request)

    post = get


async def async_user(request: HttpRequest) -> HttpResponse:
    user = await request.auser()
    return JsonResponse({"user": str(user), "is_this": user is request.user})


async def async_organization(request: HttpRequest) -> HttpResponse:
    logto = await request.logto.aload()
    return JsonResponse({"name": logto.organization.name, "roles": logto.organization.roles})


async def async_permissions(request: HttpRequest) -> HttpResponse:
    logto = await request.logto.aload()
    return JsonResponse({"id": logto.organization_id, "permissions": sorted(logto.organization_permissions())})


def named_by_the_rows(request: HttpRequest) -> str:
    return Organization.objects.get(logto_id=HARBOUR).logto_id


class Requiring(AccessTokenRequiredMixin, Who):
    def get_requirement(self) -> Requirement:
        return Requirement(scopes=("write:books",) if self.request.method == "POST" else ())


class UsersOnly(AccessTokenRequiredMixin, Who):
    accepts_machines = False


def styles(route: str, mixin: type, decorator: Any, **attributes: Any) -> list[Any]:
    """Return views of each style with the same requirement."""
    views = {
        "function": decorator(who),
        "async-function": decorator(async_who),
        "class": type("View", (mixin, Who), attributes).as_view(),
        "async-class": type("AsyncView", (mixin, AsyncWho), attributes).as_view(),
    }
    return [path(f"{style}/{route}", views[style]) for style in STYLES]


urlpatterns = [
    path("", include("logto_auth.urls")),
    *styles("any/", AccessTokenRequiredMixin, access_token_required()),
    *styles(
        "only-users/", AccessTokenRequiredMixin, access_token_required(accepts_machines=False), accepts_machines=False
    ),
    *styles(
        "branch-only-users/",
        OrganizationTokenRequiredMixin,
        organization_token_required(accepts_machines=False),
        accepts_machines=False,
    ),
    *styles(
        "books/",
        AccessTokenRequiredMixin,
        access_token_required("read:books", "write:books"),
        scopes_required=["read:books", "write:books"],
    ),
    *styles("other/", AccessTokenRequiredMixin, access_token_required(resource=OTHER_API), resource=OTHER_API),
    *styles("editors/", AccessTokenRequiredMixin, access_token_required(roles=["editor"]), roles_required=["editor"]),
    *styles(
        "branches/<slug:organization_id>/stock/",
        OrganizationTokenRequiredMixin,
        organization_token_required("manage:stock"),
        organization_scopes_required=["manage:stock"],
    ),
    *styles(
        "branches/<slug:organization_id>/books/",
        AccessTokenRequiredMixin,
        access_token_required(organization_scopes=["write:books"]),
        organization_scopes_required=["write:books"],
    ),
    *styles(
        "managers/",
        OrganizationTokenRequiredMixin,
        organization_token_required(organization_roles=["manager"]),
        organization_roles_required=["manager"],
    ),
    path("branch/", organization_token_required()(async_organization)),
    path("branch/permissions/", organization_token_required()(async_permissions)),
    path("user/", access_token_required()(async_user)),
    path("requiring/", Requiring.as_view()),
    path("only-users/", UsersOnly.as_view()),
]


@pytest.fixture(params=STYLES)
def style(request: pytest.FixtureRequest) -> str:
    """The start of the URLs of each style. Tests of what is the same for all use "/function"."""
    return f"/{request.param}"


@pytest.fixture
def editor(logto: Emulator) -> None:
    has_been_here(logto, "editor")


def test_token_authenticates_user_or_machine(style: str, editor: None, app: App, robot: Robot) -> None:
    answer = call(f"{style}/books/", app.token("editor", resource=API))
    assert answer.json() == {
        "user": "editor",
        "sub": "editor000001",
        "is_machine": False,
        "scopes": ["read:books", "write:books"],
        "permissions": ["read:books", "write:books"],
        "organization_id": None,
        "organization_permissions": [],
    }
    machine = call(f"{style}/books/", robot.token(resource=API)).json()
    assert (machine["user"], machine["sub"], machine["is_machine"]) == (robot.id, robot.id, True)
    assert machine["permissions"] == ["read:books", "write:books"]


@pytest.mark.parametrize("authorization", [None, "Basic cmVhZGVyOnNlY3JldA=="], ids=["none", "basic"])
def test_missing_token_is_401_with_challenge(style: str, authorization: str | None) -> None:
    answer = Client().get(f"{style}/any/", headers={"Authorization": authorization} if authorization else {})
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == CHALLENGE
    assert answer["Cache-Control"] == "no-store"
    assert answer.json()["error"] == "access_token_required"
    assert "Authorization: Bearer" in answer.json()["error_description"]


def test_session_is_no_access_token(logto: Emulator) -> None:
    assert call("/function/any/", client=has_been_here(logto, "editor").client).status_code == 401


def test_token_counts_and_session_does_not(logto: Emulator, editor: None, app: App) -> None:
    browser = has_been_here(logto, "customer")
    answer = call("/function/any/", app.token("editor", resource=API), client=browser.client)
    assert answer.json()["user"] == "editor"


def test_call_needs_no_csrf_token(style: str, editor: None, app: App) -> None:
    client = Client(enforce_csrf_checks=True)
    assert call(f"{style}/any/", app.token("editor", resource=API), "post", client).status_code == 200
    assert call(f"{style}/any/", None, "post", client).status_code == 401


def test_login_required_middleware_ignores_the_api(style: str, editor: None, app: App, settings) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
    assert call(f"{style}/any/", app.token("editor", resource=API)).status_code == 200
    assert call(f"{style}/any/").status_code == 401


def test_token_for_another_audience_is_refused(editor: None, app: App) -> None:
    here, there = app.token("editor", resource=API), app.token("editor", resource=OTHER_API)
    assert call("/function/other/", there).status_code == 200
    for place, token in (("/function/any/", there), ("/function/other/", here)):
        answer = call(place, token)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
        assert "Ask Logto for one with that resource." in answer.json()["error_description"]


def test_missing_scope_is_403_with_scope(style: str, logto: Emulator, app: App) -> None:
    has_been_here(logto, "reader")
    answer = call(f"{style}/books/", app.token("reader", resource=API))
    assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")
    challenge = parameters_of(answer["WWW-Authenticate"])
    assert (challenge["error"], challenge["scope"]) == ("insufficient_scope", "read:books write:books")
    assert "need the permission write:books" in answer.json()["error_description"]
    assert call(f"{style}/any/", app.token("reader", resource=API)).status_code == 200


def test_changed_permission_is_in_the_next_token(logto: Emulator, app: App) -> None:
    has_been_here(logto, "reader")
    for role, status in (("reader", 403), ("editor", 200), ("reader", 403)):
        logto.tenant.update_user("reader000001", roles=[role])
        assert call("/function/books/", app.token("reader", resource=API)).status_code == status


def test_outage_is_503_with_retry_after(style: str, logto: Emulator, editor: None, app: App) -> None:
    token = app.token("editor", resource=API)
    reset_clients()  # the keys were fetched when the editor signed in
    logto.requests.clear()
    logto.faults.http["jwks"] = HttpFault(status=500)
    answer = call(f"{style}/any/", token)
    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    assert answer["Retry-After"] == "30"
    assert "WWW-Authenticate" not in answer
    for number in range(5):
        assert call(f"{style}/any/", signed(logto, jti=str(number))).status_code == 503
    assert len(logto.requests.to("jwks")) == 1, "a failure is cached for a moment: any client can send such tokens"


# Roles


def test_role_is_that_of_the_latest_sign_in(logto: Emulator, app: App) -> None:
    has_been_here(logto, "reader")
    token = app.token("reader", resource=API)
    answer = call("/function/editors/", token)
    assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")
    assert "need the role editor" in answer.json()["error_description"]
    assert "scope" not in parameters_of(answer["WWW-Authenticate"])
    logto.tenant.update_user("reader000001", roles=["editor"])
    assert call("/function/editors/", token).status_code == 403
    has_been_here(logto, "reader")
    assert call("/function/editors/", token).status_code == 200


def signed(logto: Emulator, **changes: Any) -> str:
    """Return a token with claims of a custom claims script, which the emulator does not have."""
    now = logto.clock.now()
    claims = {
        "sub": "editor000001",
        "iat": now,
        "exp": now + 60,
        "scope": "read:books",
        "client_id": "app",
        "iss": logto.issuer,
        "aud": API,
        **changes,
    }
    return logto.sign(claims, header={"typ": "at+jwt"})


def test_roles_in_token_have_precedence(logto: Emulator, editor: None) -> None:
    assert call("/function/editors/", signed(logto)).status_code == 200
    assert call("/function/editors/", signed(logto, roles=[])).status_code == 403
    assert call("/function/editors/", signed(logto, roles=["reader"])).status_code == 403
    has_been_here(logto, "reader")
    assert call("/function/editors/", signed(logto, sub="reader000001", roles=["editor"])).status_code == 200
    assert call("/function/editors/", signed(logto, sub="reader000001", roles="editor")).status_code == 403


# Organizations


def test_organization_token_works_in_its_organization(style: str, editor: None, app: App, robot: Robot) -> None:
    for token, sub in (
        (app.token("editor", organization_id=HARBOUR), "editor000001"),
        (robot.token(organization_id=HARBOUR), robot.id),
    ):
        answer = call(f"{style}/branches/{HARBOUR}/stock/", token).json()
        assert (answer["sub"], answer["organization_id"]) == (sub, HARBOUR)
        assert answer["organization_permissions"] == ["manage:stock"]
        assert answer["permissions"] == [], "a permission in an organization is no permission on the API"


def test_organization_token_is_refused_in_another_organization(style: str, editor: None, app: App) -> None:
    answer = call(f"{style}/branches/{HILL}/stock/", app.token("editor", organization_id=HARBOUR))
    assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")
    assert "request one from Logto with organization_id." in answer.json()["error_description"]


def test_organization_token_without_scope_is_refused(editor: None, app: App) -> None:
    answer = call(f"/function/branches/{HILL}/stock/", app.token("editor", organization_id=HILL))
    assert answer.status_code == 403
    assert parameters_of(answer["WWW-Authenticate"])["scope"] == "manage:stock"


def test_organization_token_and_api_token_are_distinct(editor: None, app: App) -> None:
    for_api, for_organization = app.token("editor", resource=API), app.token("editor", organization_id=HARBOUR)
    refused = call(f"/function/branches/{HARBOUR}/stock/", for_api)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_token")
    assert "organization_id and without resource" in refused.json()["error_description"]
    assert call("/function/any/", for_organization).status_code == 401


def test_api_token_within_organization_is_accepted(logto: Emulator, editor: None, app: App) -> None:
    within = app.token("editor", resource=API, organization_id=HARBOUR)
    answer = call(f"/function/branches/{HARBOUR}/books/", within).json()
    assert answer["organization_id"] == HARBOUR
    assert answer["organization_permissions"] == answer["permissions"] == ["read:books", "write:books"]
    assert call(f"/function/branches/{HILL}/books/", within).status_code == 403
    without = call(f"/function/branches/{HARBOUR}/books/", app.token("editor", resource=API))
    assert (without.status_code, without.json()["error"]) == (403, "insufficient_scope")


def test_role_does_not_count_in_another_organization(editor: None, app: App) -> None:
    assert call("/function/managers/", app.token("editor", organization_id=HARBOUR)).status_code == 200
    answer = call("/function/managers/", app.token("editor", organization_id=HILL))
    assert answer.status_code == 403
    assert "need the role manager in this organization" in answer.json()["error_description"]


def test_decorated_view_may_refuse_machines(style: str, editor: None, app: App, robot: Robot) -> None:
    tokens = {"only-users/": {"resource": API}, "branch-only-users/": {"organization_id": HARBOUR}}
    for route, target in tokens.items():
        assert call(f"{style}/{route}", app.token("editor", **target)).status_code == 200
        answer = call(f"{style}/{route}", robot.token(**target))
        assert (answer.status_code, answer.json()["error"]) == (403, "machine_refused")


def test_machine_has_no_roles(robot: Robot) -> None:
    assert call("/function/managers/", robot.token(organization_id=HARBOUR)).status_code == 403
    assert call("/function/editors/", robot.token(resource=API)).status_code == 403


# Single styles


def test_requirement_of_mixin_may_depend_on_request(logto: Emulator, app: App) -> None:
    has_been_here(logto, "reader")
    token = app.token("reader", resource=API)
    assert call("/requiring/", token).status_code == 200
    assert call("/requiring/", token, "post").status_code == 403


def test_class_based_view_may_refuse_machines(editor: None, app: App, robot: Robot) -> None:
    assert call("/only-users/", app.token("editor", resource=API)).status_code == 200
    answer = call("/only-users/", robot.token(resource=API))
    assert (answer.status_code, answer.json()["error"]) == (403, "machine_refused")


def test_auser_returns_the_same_user(logto: Emulator, editor: None, app: App) -> None:
    token = app.token("editor", resource=API)
    customer = has_been_here(logto, "customer").client
    assert call("/user/", token, client=customer).json() == {"user": "editor", "is_this": True}
    client = AsyncClient()
    client.cookies = customer.cookies
    answer = async_to_sync(client.get)("/user/", headers={"Authorization": f"Bearer {token}"})
    assert answer.json() == {"user": "editor", "is_this": True}


def test_async_view_reads_organization_after_aload(editor: None, app: App, robot: Robot) -> None:
    answer = call("/branch/", app.token("editor", organization_id=HARBOUR))
    assert answer.json() == {"name": None, "roles": ["manager"]}
    assert call("/branch/", robot.token(organization_id=HARBOUR)).json() == {"name": None, "roles": []}


def test_aload_reads_organization_from_the_database(editor: None, app: App, settings: Any) -> None:
    settings.LOGTO_ORGANIZATION_FROM = f"{__name__}.named_by_the_rows"
    answer = call("/branch/permissions/", app.token("editor", organization_id=HARBOUR))
    assert answer.json() == {"id": HARBOUR, "permissions": ["manage:stock"]}
