"""Pages that require a permission, a role or an organization, for users with and without it and for visitors."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.test import AsyncClient, Client
from django.urls import include, path
from django.views.generic import View

from logto_auth.access.requirements import Requirement
from logto_auth.decorators import (
    organization_required,
    organization_role_required,
    organization_scope_required,
    role_required,
    scope_required,
)
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.exceptions import ConfigurationError
from logto_auth.mixins import (
    OrganizationRequiredMixin,
    OrganizationRoleRequiredMixin,
    OrganizationScopeRequiredMixin,
    RoleRequiredMixin,
    ScopeRequiredMixin,
    SessionRequirementMixin,
)
from logto_auth.models import LogtoSession
from logto_auth.testing import Browser
from tests.ageing import age
from tests.rights import HARBOUR, HILL, ask_for_rights, set_up

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
User = get_user_model()

STYLES = ("function", "async-function", "class", "async-class")
SCRIPT = {"Sec-Fetch-Mode": "cors"}
HTMX = {"HX-Request": "true"}


def page(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    return HttpResponse(f"open to {request.logto.claims['username']}")


async def async_page(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    user = await request.auser()
    return HttpResponse(f"open to {user.get_username()}")


class Page(View):
    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return page(request)

    post = get


class AsyncPage(View):
    async def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return await async_page(request)

    post = get


class Combined(SessionRequirementMixin, Page):
    """Requires more for writing."""

    roles_required = ["editor"]

    def get_requirement(self) -> Requirement:
        return Requirement(roles=("editor",) if self.request.method == "POST" else None)


class Stacked(ScopeRequiredMixin, OrganizationRequiredMixin, Page):
    scopes_required = ["read:books"]


@scope_required("read:books")
@role_required("editor")
def stacked(request: HttpRequest) -> HttpResponse:
    return page(request)


def shown(request: HttpRequest, organization_id: str = "") -> HttpResponse:
    return render(request, "rights.html")


def styles(route: str, decorator: Any, mixin: type, **attributes: Any) -> list[Any]:
    """Return views of each style with the same requirement."""
    views = {
        "function": decorator(page),
        "async-function": decorator(async_page),
        "class": type("View", (mixin, Page), attributes).as_view(),
        "async-class": type("AsyncView", (mixin, AsyncPage), attributes).as_view(),
    }
    return [path(f"{style}/{route}", views[style]) for style in STYLES]


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("", lambda request: HttpResponse(f"home of {request.user}")),
    *styles("books/", scope_required("write:books"), ScopeRequiredMixin, scopes_required=["write:books"]),
    *styles(
        "two-books/",
        scope_required("write:books", "read:books"),
        ScopeRequiredMixin,
        scopes_required=["write:books", "read:books"],
    ),
    *styles("editors/", role_required("editor", "admin"), RoleRequiredMixin, roles_required=["editor", "admin"]),
    *styles("branches/<slug:organization_id>/", organization_required, OrganizationRequiredMixin),
    *styles("branch/", organization_required(), OrganizationRequiredMixin),
    *styles(
        "branches/<slug:organization_id>/managers/",
        organization_role_required("manager"),
        OrganizationRoleRequiredMixin,
        organization_roles_required=["manager"],
    ),
    *styles(
        "branches/<slug:organization_id>/stock/",
        organization_scope_required("manage:stock"),
        OrganizationScopeRequiredMixin,
        organization_scopes_required=["manage:stock"],
    ),
    path("combined/", Combined.as_view()),
    path("stacked/", stacked),
    path("stacked-class/", Stacked.as_view()),
    path("shown/", shown),
    path("branches/<slug:organization_id>/shown/", shown),
]

RIGHTS = """{% load logto %}{% logto_has_scope "write:books" as may_write %}{% logto_has_role "editor" as is_editor %}
{% logto_has_organization_role "manager" as is_manager %}{% logto_has_organization_scope "manage:stock" as may_stock %}
{% if may_write %}scope {% endif %}{% if is_editor %}role {% endif %}
{% if is_manager %}organization-role {% endif %}{% if may_stock %}organization-scope{% endif %}"""


@pytest.fixture(autouse=True)
def site(logto: Emulator, settings: Any) -> None:
    """A site that requests permissions and organizations, with one template of its own."""
    set_up(logto)
    ask_for_rights(settings)
    loaders = [
        ("django.template.loaders.locmem.Loader", {"rights.html": RIGHTS}),
        "django.template.loaders.app_directories.Loader",
    ]
    settings.TEMPLATES = [
        {"BACKEND": "django.template.backends.django.DjangoTemplates", "OPTIONS": {"loaders": loaders}}
    ]


@pytest.fixture(params=STYLES)
def style(request: pytest.FixtureRequest) -> str:
    return f"/{request.param}"


def signed_in(logto: Emulator, username: str) -> Browser:
    browser = Browser(logto)
    browser.sign_in(username)
    logto.requests.clear()
    return browser


@pytest.fixture
def editor(logto: Emulator) -> Browser:
    return signed_in(logto, "editor")


@pytest.fixture
def reader(logto: Emulator) -> Browser:
    return signed_in(logto, "reader")


REQUIREMENTS = ["books/", "editors/", "branch/", f"branches/{HARBOUR}/managers/", f"branches/{HARBOUR}/stock/"]


def each_style(*places: str) -> Any:
    """Parametrize `style` and `place`: each requirement as decorator and mixin, and one in async views."""
    pairs = [(f"/{style}", place) for style in ("function", "class") for place in places]
    pairs += [(f"/{style}", places[0]) for style in ("async-function", "async-class")]
    return pytest.mark.parametrize(("style", "place"), pairs)


# Signed-out visitors


@each_style(*REQUIREMENTS)
def test_signed_out_visitor_signs_in_and_returns(style: str, place: str, logto: Emulator) -> None:
    browser = Browser(logto)
    response = browser.client.get(f"{style}/{place}?page=2")
    assert response["Location"] == f"/sign-in?next={style}/{place}%3Fpage%3D2"
    callback = browser.logto.sign_in(browser.client.get(response["Location"])["Location"], "editor")
    assert browser.open(callback)["Location"] == f"{style}/{place}?page=2"


def test_signed_out_script_gets_401_with_sign_in_url(style: str, client: Client) -> None:
    for headers in (SCRIPT, HTMX, {"Accept": "application/json"}):
        response = client.get(f"{style}/books/", headers={**headers, "Referer": "http://testserver/shelf/"})
        assert response.status_code == 401
        url = "http://testserver/sign-in?next=/shelf/"
        assert response.json() == {"error": "sign_in_required", "sign_in_url": url}


# Users who meet the requirement


@each_style("books/", "two-books/", "editors/", *REQUIREMENTS[3:])
def test_user_who_meets_requirement_sees_the_page(style: str, place: str, editor: Browser) -> None:
    response = editor.client.get(f"{style}/{place}")
    assert (response.status_code, response.content) == (200, b"open to editor")


def test_access_token_is_fetched_once_and_kept(logto: Emulator, editor: Browser) -> None:
    for place in ("books/", "books/", "two-books/", f"branches/{HARBOUR}/stock/", f"branches/{HARBOUR}/stock/"):
        assert editor.client.get(f"/function/{place}").status_code == 200
    assert len(logto.requests.to("token")) == 2, "one for the API, one for the organization"
    logto.requests.clear()
    assert editor.client.get("/function/editors/").status_code == 200
    assert editor.client.get(f"/function/branches/{HARBOUR}/managers/").status_code == 200
    assert len(logto.requests) == 0, "roles are in the ID token"


def test_removed_right_is_lost_at_next_refresh(logto: Emulator, editor: Browser) -> None:
    logto.tenant.update_user("editor000001", roles=[])
    logto.tenant.add_member(HARBOUR, "editor000001", roles=["staff"])
    assert editor.client.get("/function/editors/").status_code == 200, "until then the latest claims count"
    age(editor)
    for place in ("books/", "editors/", f"branches/{HARBOUR}/managers/", f"branches/{HARBOUR}/stock/"):
        assert editor.client.get(f"/function/{place}").status_code == 403


# Users who do not


MISSING: dict[str, tuple[str, dict[str, list[str]]]] = {
    "books/": ("You need the permission write:books.", {"scope": ["write:books"]}),
    "two-books/": ("You need the permission write:books.", {"scope": ["write:books"]}),
    "editors/": ("You need one of these roles: editor, admin.", {"role": ["editor", "admin"]}),
    f"branches/{HILL}/": ("You need to be a member of the organization", {"organization": []}),
    f"branches/{HARBOUR}/managers/": (
        "You need the role manager in this organization.",
        {"organization_role": ["manager"]},
    ),
    f"branches/{HARBOUR}/stock/": (
        "You need the permission manage:stock in this organization.",
        {"organization_scope": ["manage:stock"]},
    ),
}


@each_style(*MISSING)
def test_missing_requirement_is_403_and_not_a_redirect(style: str, reader: Browser, place: str) -> None:
    words, missing = MISSING[place]
    response = reader.client.get(f"{style}/{place}")
    assert response.status_code == 403
    text = response.content.decode()
    assert "You are signed in as <strong>reader</strong>" in text
    assert words in text
    assert f'href="/sign-in?prompt=login&amp;next={style}/{place}"' in text
    for headers in (SCRIPT, HTMX):
        answer = reader.client.get(f"{style}/{place}", headers=headers)
        assert (answer.status_code, answer.json()) == (403, {"error": "forbidden", "missing": missing})
    assert reader.client.post(f"{style}/{place}").status_code == 403


def test_member_of_several_organizations_has_to_choose(editor: Browser, reader: Browser) -> None:
    assert editor.client.get("/function/branch/").status_code == 403
    assert reader.client.get("/function/branch/").status_code == 200, "a member of one organization need not choose"
    editor.client.post("/choose-organization", {"organization_id": HILL})
    assert editor.client.get("/function/branch/").status_code == 200


def test_rights_in_one_organization_do_not_count_elsewhere(editor: Browser) -> None:
    for place in ("managers/", "stock/"):
        assert editor.client.get(f"/function/branches/{HARBOUR}/{place}").status_code == 200
        assert editor.client.get(f"/function/branches/{HILL}/{place}").status_code == 403
        assert editor.client.get(f"/function/branches/nowhere/{place}").status_code == 403


def test_url_has_precedence_over_chosen_organization(editor: Browser) -> None:
    editor.client.post("/choose-organization", {"organization_id": HARBOUR})
    assert editor.client.get(f"/function/branches/{HILL}/managers/").status_code == 403


@each_style(*REQUIREMENTS)
def test_password_session_meets_no_requirement(style: str, place: str, client: Client) -> None:
    client.force_login(User.objects.create_user("local"))
    response = client.get(f"{style}/{place}")
    assert response.status_code == 403
    assert "You are signed in as <strong>local</strong>" in response.content.decode()


def test_403_page_links_to_another_account(logto: Emulator, reader: Browser) -> None:
    url = reader.client.get("/function/books/").content.decode().partition('href="/sign-in')[2].partition('"')[0]
    start = reader.client.get("/sign-in" + url.replace("&amp;", "&"))
    assert reader.open(reader.logto.sign_in(start["Location"], "editor"))["Location"] == "/function/books/"
    assert reader.client.get("/function/books/").content == b"open to editor"


# Logto cannot be reached, or the session has ended there


@pytest.mark.parametrize(
    ("fault", "code", "status"),
    [
        (HttpFault(drop=True), "provider_unreachable", 503),
        (HttpFault(status=503, headers={"Retry-After": "7"}), "provider_busy", 503),
        (HttpFault(status=500), "provider_error", 502),
    ],
    ids=["gone", "busy", "broken"],
)
def test_outage_is_an_error_page_and_not_403(
    style: str, logto: Emulator, editor: Browser, fault: HttpFault, code: str, status: int
) -> None:
    logto.faults.http["token"] = fault
    response = editor.client.get(f"{style}/books/")
    assert response.status_code == status
    assert f"<code>{code}</code>" in response.content.decode()
    assert response.headers.get("Retry-After") == fault.headers.get("Retry-After")
    assert editor.client.get(f"{style}/editors/").status_code == 200, "the session continues"


def test_kept_token_counts_during_an_outage(logto: Emulator, editor: Browser) -> None:
    assert editor.client.get("/function/books/").status_code == 200
    logto.faults.http["token"] = HttpFault(drop=True)
    assert editor.client.get("/function/books/").status_code == 200


def test_session_ended_at_logto_ends_here(style: str, logto: Emulator, editor: Browser) -> None:
    logto.tenant.suspend_user("editor000001")
    assert editor.client.get(f"{style}/books/")["Location"] == f"/sign-in?next={style}/books/"
    assert LogtoSession.objects.count() == 0
    assert editor.client.get("/").content == b"home of AnonymousUser"


def test_form_of_ended_session_is_not_processed(style: str, logto: Emulator, editor: Browser) -> None:
    logto.tenant.suspend_user("editor000001")
    response = editor.client.post(f"{style}/books/", headers={"Referer": "http://testserver/shelf/"})
    assert response.status_code == 401
    assert "Your session has ended" in response.content.decode()
    assert 'href="/sign-in?next=/shelf/"' in response.content.decode()


def test_script_of_ended_session_gets_401(logto: Emulator, editor: Browser) -> None:
    logto.tenant.suspend_user("editor000001")
    response = editor.client.get("/function/books/", headers=SCRIPT)
    assert (response.status_code, response.json()["error"]) == (401, "sign_in_required")


def test_without_refresh_token_permissions_are_missing(logto: Emulator, settings, caplog: Any) -> None:
    settings.LOGTO_SCOPES = [scope for scope in settings.LOGTO_SCOPES if scope != "offline_access"]
    browser = signed_in(logto, "editor")
    for place in ("books/", f"branches/{HARBOUR}/stock/"):
        response = browser.client.get(f"/function/{place}")
        assert response.status_code == 403
        assert "You need the permission" in response.content.decode()
    assert "ask for the scope offline_access" in caplog.text
    assert browser.client.get("/function/editors/").status_code == 200, "the session continues"


def test_resource_not_requested_gives_no_permissions(editor: Browser, settings, caplog: Any) -> None:
    settings.LOGTO_API_RESOURCE = "https://nowhere.example/api"
    response = editor.client.get("/function/books/")
    assert response.status_code == 403
    [record] = [
        record for record in caplog.records if "no permissions for https://nowhere.example/api" in record.message
    ]
    assert record.levelname == "ERROR"
    assert "invalid_target" in record.message
    assert "Create the API resource at Logto, or correct its indicator" in record.message
    assert editor.client.get("/function/editors/").status_code == 200, "the session continues"


def test_organization_that_requires_mfa_is_logged_with_remedy(editor: Browser, logto: Emulator, caplog: Any) -> None:
    description = "organization requires MFA but user has no MFA configured"
    body = json.dumps({"error": "access_denied", "error_description": description})
    logto.faults.http["token"] = HttpFault(status=403, body=body)
    assert editor.client.get(f"/function/branches/{HARBOUR}/stock/").status_code == 403
    [record] = [record for record in caplog.records if "no permissions for" in record.message]
    assert record.levelname == "WARNING"
    assert "The user has to set up multi-factor authentication at Logto." in record.message


def test_missing_resource_setting_is_a_configuration_error(editor: Browser, settings) -> None:
    settings.LOGTO_API_RESOURCE = ""
    with pytest.raises(ConfigurationError, match="LOGTO_API_RESOURCE must be set"):
        editor.client.get("/function/books/")


# Several requirements, async servers, templates


def test_requirements_add_up(editor: Browser, reader: Browser) -> None:
    assert editor.client.get("/stacked/").status_code == 200
    assert "role editor" in reader.client.get("/stacked/").content.decode()
    assert reader.client.get("/stacked-class/").status_code == 200
    assert "a member of the organization" in editor.client.get("/stacked-class/").content.decode()


def test_requirement_may_depend_on_the_request(reader: Browser) -> None:
    assert reader.client.get("/combined/").status_code == 200
    assert reader.client.post("/combined/").status_code == 403


def test_asgi_gives_the_same_responses(style: str, logto: Emulator, editor: Browser, reader: Browser) -> None:
    @async_to_sync
    async def answers() -> list[tuple[int, bytes]]:
        seen = []
        for browser in (editor, reader):
            client = AsyncClient()
            client.cookies = browser.client.cookies
            response = await client.get(f"{style}/books/")
            seen.append((response.status_code, response.content[:14]))
        visitor = await AsyncClient().get(f"{style}/books/")
        return [*seen, (visitor.status_code, visitor["Location"].encode())]

    assert answers() == [
        (200, b"open to editor"),
        (403, b"<!doctype html"),
        (302, f"/sign-in?next={style}/books/".encode()),
    ]


def test_asgi_sends_ended_session_to_sign_in(style: str, logto: Emulator, editor: Browser) -> None:
    logto.tenant.suspend_user("editor000001")
    client = AsyncClient()
    client.cookies = editor.client.cookies
    assert async_to_sync(client.get)(f"{style}/books/")["Location"] == f"/sign-in?next={style}/books/"


def rights_shown(client: Client, place: str = "/shown/") -> list[str]:
    return client.get(place).content.decode().split()


def test_template_tags_check_the_same_requirements(
    logto: Emulator, editor: Browser, reader: Browser, client: Client
) -> None:
    assert rights_shown(client) == []
    assert rights_shown(reader.client) == []
    assert rights_shown(editor.client) == ["scope", "role"]
    assert rights_shown(editor.client, f"/branches/{HARBOUR}/shown/") == [
        "scope",
        "role",
        "organization-role",
        "organization-scope",
    ]
    assert rights_shown(editor.client, f"/branches/{HILL}/shown/") == ["scope", "role"]


def test_template_tag_is_false_if_logto_is_unreachable(logto: Emulator, editor: Browser, caplog: Any) -> None:
    logto.faults.http["token"] = HttpFault(drop=True)
    assert rights_shown(editor.client, f"/branches/{HARBOUR}/shown/") == ["role", "organization-role"]
    assert "they count as missing" in caplog.text
