"""No requirement is lost: in any order of mixins, in any notation, and in subclasses."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import clear_url_caches, include, path
from django.views import View
from ninja import NinjaAPI
from rest_framework.views import APIView

from logto_auth.access.requirements import Requirement
from logto_auth.contrib.ninja import LogtoAuth
from logto_auth.contrib.rest_framework import (
    HasOrganizationRole,
    HasOrganizationScope,
    HasRole,
    HasScope,
    LogtoAuthentication,
)
from logto_auth.decorators import (
    access_token_required,
    organization_role_required,
    organization_scope_required,
    role_required,
    scope_required,
)
from logto_auth.emulator import Emulator
from logto_auth.exceptions import ConfigurationError
from logto_auth.mixins import (
    AccessTokenRequiredMixin,
    OrganizationRoleRequiredMixin,
    OrganizationScopeRequiredMixin,
    OrganizationTokenRequiredMixin,
    RecentSignInRequiredMixin,
    RoleRequiredMixin,
    ScopeRequiredMixin,
)
from logto_auth.models import LogtoIdentity, Organization, OrganizationMembership
from logto_auth.testing import Browser
from tests.api.attackers import API, TokenMaker

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

ran: list[str] = []
urlpatterns = [path("", include("logto_auth.urls"))]


def page(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    ran.append(request.path)
    return HttpResponse("ran")


class Page(View):
    """A base class of a site, with its own `dispatch`."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return page(request)


class AsyncPage(View):
    async def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return page(request)


@pytest.fixture(autouse=True)
def at(settings: Any) -> Iterator[Any]:
    """Give views a URL."""
    settings.LOGTO_API_RESOURCE = API
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": []}]
    del ran[:]

    def put(view: Any) -> str:
        route = f"view-{len(urlpatterns)}/"
        urlpatterns.append(path(route, view))
        clear_url_caches()
        return f"/{route}"

    yield put
    del urlpatterns[1:]
    clear_url_caches()


# Sessions

SESSION_MIXINS = (ScopeRequiredMixin, OrganizationRoleRequiredMixin, RecentSignInRequiredMixin)
# Each of the requirement mixins checks all of these.
NAMES: dict[str, Any] = {
    "scopes_required": ["read:books"],
    "roles_required": ["editor"],
    "organization_roles_required": ["manager"],
    "organization_scopes_required": ["manage:stock"],
}


def every_order(*mixins: type, names: dict[str, Any]) -> Iterator[Any]:
    """Return views with all orders of the mixins, with the class of the page after and before them."""
    for base in (Page, AsyncPage):
        for order in permutations(mixins):
            yield type("View", (*order, base), names).as_view()
            yield type("View", (base, *order), names).as_view()
        parent = type("Parent", (mixins[0],), names)
        for order in permutations(mixins[1:]):
            yield type("View", (parent, *order, base), names).as_view()


@pytest.mark.parametrize("lacks", [None, "scope", "role", "organization-role", "organization-scope", "recency"])
def test_mixins_in_any_order_keep_all_requirements(
    at: Any, browser: Browser, logto: Emulator, settings: Any, lacks: str | None
) -> None:
    settings.LOGTO_RESOURCES = [API, "urn:logto:resource:organizations"]
    settings.LOGTO_SCOPES = [
        "openid",
        "offline_access",
        "roles",
        "urn:logto:scope:organizations",
        "urn:logto:scope:organization_roles",
        "read:books",
        "manage:stock",
    ]
    logto.tenant.add_resource(API, scopes=["read:books"])
    logto.tenant.add_role("editor", scopes={API: [] if lacks == "scope" else ["read:books"]})
    logto.tenant.add_role("reader", scopes={API: ["read:books"]})
    held = [] if lacks == "organization-scope" else ["manage:stock"]
    logto.tenant.add_organization_role("manager", scopes=held)
    logto.tenant.add_organization_role("keeper", scopes=["manage:stock"])
    user = logto.tenant.add_user(username="reader", roles=["reader" if lacks == "role" else "editor"])
    logto.tenant.add_organization("Harbour", id="harbour00001")
    role = "keeper" if lacks == "organization-role" else "manager"
    logto.tenant.add_member("harbour00001", user.id, roles=[role])
    browser.sign_in("reader", **({} if lacks == "recency" else {"max_age": "300"}))
    for view in every_order(*SESSION_MIXINS, names=NAMES):
        assert Client().get(at(view)).status_code == 302
        response = browser.client.get(at(view))
        assert response.status_code == (200 if lacks is None else 302 if lacks == "recency" else 403)
        assert bool(ran) is (lacks is None)


# Access tokens


@pytest.fixture
def token(caller: Any, logto: Emulator, reader: Any) -> TokenMaker:
    identity = LogtoIdentity.objects.get()
    LogtoIdentity.objects.update(roles=["editor", "e"])
    organization = Organization.objects.create(issuer=logto.issuer, logto_id="harbour00001")
    OrganizationMembership.objects.create(organization=organization, identity=identity, roles=["manager", "m"])
    return TokenMaker(logto, reader.id)


def status(path: str, token: str) -> int:
    return Client().get(path, headers={"Authorization": f"Bearer {token}"}).status_code


def test_token_mixins_in_any_order_keep_all_requirements(at: Any, token: TokenMaker) -> None:
    names = {**NAMES, "scopes_required": ["read:books"], "organization_required": True}
    good = token(organization_id="harbour00001")
    for view in every_order(AccessTokenRequiredMixin, names=names):
        address = at(view)
        assert status(address, good) == 200
        for made in (token(), token(organization_id="hillbranch01")):
            assert status(address, made) == 403
        assert status(address, token(organization_id="harbour00001", scope="read:books")) == 403
        assert status(address, token(organization_id="harbour00001", scope="manage:stock")) == 403
        assert status(address, token(organization_id="harbour00001", roles=["other"])) == 403
        assert status(address, token(aud="other")) == 401
    assert len(ran) == 6


def test_session_does_not_replace_token_in_any_order(at: Any, browser: Browser, reader: Any, token: TokenMaker) -> None:
    browser.sign_in("reader")
    for order in permutations([OrganizationTokenRequiredMixin, RoleRequiredMixin, ScopeRequiredMixin]):
        address = at(
            type("View", (*order, Page), {"roles_required": ["editor"], "scopes_required": ["read:books"]}).as_view()
        )
        assert browser.client.get(address).status_code in (401, 403)
        assert status(address, token.for_organization("harbour00001")) in (302, 403)
    assert ran == []


@pytest.mark.parametrize(
    "wrong_order", [(View, ScopeRequiredMixin), (AccessTokenRequiredMixin, OrganizationTokenRequiredMixin)]
)
def test_order_that_loses_requirement_is_a_type_error(wrong_order: Any) -> None:
    with pytest.raises(TypeError):
        type("View", wrong_order, {})


# Notations


@pytest.mark.parametrize("names", [(), [], set(), frozenset()])
def test_empty_role_list_matches_no_user(at: Any, browser: Browser, reader: Any, token: TokenMaker, names: Any) -> None:
    """For example, a list from a setting or a file is empty."""
    browser.sign_in("reader")
    views = [
        role_required(*names)(page),
        organization_role_required(*names)(page),
        type("View", (RoleRequiredMixin, Page), {"roles_required": names}).as_view(),
        type("View", (RoleRequiredMixin, Page), {}).as_view(),
        type("View", (OrganizationRoleRequiredMixin, Page), {"organization_roles_required": names}).as_view(),
        type("View", (OrganizationRoleRequiredMixin, Page), {}).as_view(),
    ]
    for view in views:
        assert browser.client.get(at(view)).status_code == 403
    apis = [
        access_token_required(roles=names)(page),
        access_token_required(organization_roles=names)(page),
        type("View", (AccessTokenRequiredMixin, Page), {"roles_required": names}).as_view(),
        api_view(HasRole(*names)),
        api_view(HasOrganizationRole(*names)),
        ninja_view(roles=names),
        ninja_view(organization_roles=names),
    ]
    for view in apis:
        assert status(at(view), token(organization_id="harbour00001")) == 403
    mixin = type("View", (OrganizationTokenRequiredMixin, Page), {"organization_roles_required": names})
    assert status(at(mixin.as_view()), token.for_organization("harbour00001")) == 403
    assert ran == []


@pytest.mark.parametrize(("name", "full"), [("roles", "editor"), ("organization_roles", "manager")])
def test_single_string_is_one_name(at: Any, token: TokenMaker, name: str, full: str) -> None:
    made = token(organization_id="harbour00001")
    for wanted, expected in [(full, 200), (full + "s", 403), (full[::-1], 403), (full[:2], 403)]:
        mixin = type("View", (AccessTokenRequiredMixin, Page), {f"{name}_required": wanted}).as_view()
        for view in (access_token_required(**{name: wanted})(page), mixin, ninja_view(**{name: wanted})):
            assert status(at(view), made) == expected


@pytest.mark.parametrize("names", ["read:books", ["read:books"], {"read:books"}, ("read:books",)])
def test_scopes_may_be_any_sequence(at: Any, token: TokenMaker, names: Any) -> None:
    mixin = type("View", (AccessTokenRequiredMixin, Page), {"scopes_required": names}).as_view()
    for view in (mixin, access_token_required(organization_scopes=names)(page)):
        assert status(at(view), token(organization_id="harbour00001", scope="read:books")) == 200
        letters = " ".join("read:books")
        assert status(at(view), token(organization_id="harbour00001", scope=letters)) == 403


@pytest.mark.parametrize("mixin", [ScopeRequiredMixin, OrganizationScopeRequiredMixin])
def test_mixin_without_its_scopes_is_an_error(at: Any, browser: Browser, reader: Any, mixin: Any) -> None:
    """A misspelt attribute must not open the page to every user."""
    browser.sign_in("reader")
    view = type("Careless", (mixin, Page), {"scope_required": ["read:books"]}).as_view()
    with pytest.raises(ConfigurationError, match=r"Careless\.(organization_)?scopes_required must be set"):
        browser.client.get(at(view))
    assert ran == []


@pytest.mark.parametrize("make", [scope_required, organization_scope_required, HasScope, HasOrganizationScope])
def test_scope_requirement_names_a_scope(make: Any) -> None:
    with pytest.raises(TypeError):
        make()


def test_unknown_requirement_is_a_type_error() -> None:
    for wrong in ({"scope": ["x"]}, {"role": ["x"]}, {"organisation": True}, {"is_machine": False}):
        with pytest.raises(TypeError):
            access_token_required(**wrong)
        with pytest.raises(TypeError):
            LogtoAuth(**wrong)
        with pytest.raises(TypeError):
            Requirement.of(**wrong)


def test_subclass_adds_to_the_requirement(at: Any, token: TokenMaker) -> None:
    class Stricter(AccessTokenRequiredMixin, Page):
        scopes_required = ("read:books",)

        def get_requirement(self) -> Requirement:
            return Requirement.of(scopes=[*super().get_requirement().scopes, f"{self.request.method.lower()}:books"])

        def check(self, request: HttpRequest) -> Any:
            return super().check(request) or (None if "ok" in request.GET else HttpResponse(status=418))

    address = at(Stricter.as_view())
    assert status(f"{address}?ok", token()) == 403
    assert status(f"{address}?ok", token(scope="read:books get:books")) == 200
    assert status(address, token(scope="read:books get:books")) == 418
    assert status(f"{address}?ok", token(scope="get:books")) == 403


def api_view(permission: Any) -> Any:
    class API_(APIView):
        authentication_classes = [LogtoAuthentication]
        permission_classes = [permission]

        def get(self, request: Any) -> Any:
            return page(request)

    return API_.as_view()


def ninja_view(**requirements: Any) -> Any:
    auth = LogtoAuth(**requirements)
    api = NinjaAPI(urls_namespace=f"requirements-{id(auth)}", docs_url=None, openapi_url=None)

    @api.get("", auth=auth)
    def operation(request: HttpRequest) -> str:
        return page(request).content.decode()

    return api.urls


@pytest.mark.parametrize("name", ["scopes", "roles", "organization_roles", "organization_scopes"])
def test_string_in_place_of_a_tuple_is_refused(name: str) -> None:
    with pytest.raises(TypeError, match=f"{name} is a string"):
        Requirement(**{name: "admin"})
    assert getattr(Requirement.of(**{name: "admin"}), name) == ("admin",)
