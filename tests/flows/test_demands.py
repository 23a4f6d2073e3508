"""Pages that demand a permission, a role or an organization: what people get who have it, lack it, or are nobody."""

from __future__ import annotations

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
from tests.flows.ageing import age
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
    """More is asked of those who write."""

    roles_required = ["editor"]

    def get_demand(self) -> Requirement:
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
    """The same demand on a view of each style."""
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
    """A site that asks for permissions and organizations, with no templates of its own but one."""
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


DEMANDS = ["books/", "editors/", "branch/", f"branches/{HARBOUR}/managers/", f"branches/{HARBOUR}/stock/"]


# Nobody


@pytest.mark.parametrize("place", DEMANDS)
def test_nobody_is_sent_to_the_sign_in_and_comes_back(style: str, place: str, logto: Emulator) -> None:
    browser = Browser(logto)
    response = browser.client.get(f"{style}/{place}?page=2")
    assert response["Location"] == f"/sign-in?next={style}/{place}%3Fpage%3D2"
    callback = browser.logto.sign_in(browser.client.get(response["Location"])["Location"], "editor")
    assert browser.open(callback)["Location"] == f"{style}/{place}?page=2"


def test_nobody_s_script_is_told_where_to_sign_in(style: str, client: Client) -> None:
    for headers in (SCRIPT, HTMX, {"Accept": "application/json"}):
        response = client.get(f"{style}/books/", headers={**headers, "Referer": "http://testserver/shelf/"})
        assert response.status_code == 401
        assert response.json() == {"error": "sign_in_required", "sign_in_url": "/sign-in?next=/shelf/"}


# Somebody who has it


@pytest.mark.parametrize("place", ["books/", "two-books/", "editors/", *DEMANDS[3:]])
def test_whoever_has_it_comes_in(style: str, place: str, editor: Browser) -> None:
    response = editor.client.get(f"{style}/{place}")
    assert (response.status_code, response.content) == (200, b"open to editor")


def test_logto_is_asked_once_and_then_what_it_said_is_kept(style: str, logto: Emulator, editor: Browser) -> None:
    for place in ("books/", "books/", "two-books/", f"branches/{HARBOUR}/stock/", f"branches/{HARBOUR}/stock/"):
        assert editor.client.get(f"{style}/{place}").status_code == 200
    assert len(logto.requests.to("token")) == 2, "one for the API, one for the organization"
    logto.requests.clear()
    assert editor.client.get(f"{style}/editors/").status_code == 200
    assert editor.client.get(f"{style}/branches/{HARBOUR}/managers/").status_code == 200
    assert len(logto.requests) == 0, "roles are in the ID token"


def test_a_right_that_was_lost_at_logto_is_lost_here_at_the_next_refresh(
    style: str, logto: Emulator, editor: Browser
) -> None:
    logto.tenant.update_user("editor000001", roles=[])
    logto.tenant.add_member(HARBOUR, "editor000001", roles=["staff"])
    assert editor.client.get(f"{style}/editors/").status_code == 200, "until then Logto's last word counts"
    age(editor)
    for place in ("books/", "editors/", f"branches/{HARBOUR}/managers/", f"branches/{HARBOUR}/stock/"):
        assert editor.client.get(f"{style}/{place}").status_code == 403


# Somebody who lacks it


@pytest.mark.parametrize(
    ("place", "words", "missing"),
    [
        ("books/", "It asks for the permission write:books.", {"scope": ["write:books"]}),
        ("two-books/", "It asks for the permission write:books.", {"scope": ["write:books"]}),
        ("editors/", "It asks for the role editor, admin.", {"role": ["editor", "admin"]}),
        (f"branches/{HILL}/", "It is for members of an organization", {"organization": []}),
        (
            f"branches/{HARBOUR}/managers/",
            "It asks for the role manager in this organization.",
            {"organization_role": ["manager"]},
        ),
        (
            f"branches/{HARBOUR}/stock/",
            "It asks for the permission manage:stock in this organization.",
            {"organization_scope": ["manage:stock"]},
        ),
    ],
)
def test_whoever_lacks_it_is_told_what_is_missing_and_not_sent_round_in_a_circle(
    style: str, reader: Browser, place: str, words: str, missing: dict[str, list[str]]
) -> None:
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


def test_whoever_belongs_to_several_has_to_choose_one(style: str, editor: Browser, reader: Browser) -> None:
    assert editor.client.get(f"{style}/branch/").status_code == 403
    assert reader.client.get(f"{style}/branch/").status_code == 200, "who has one need not choose"
    editor.client.post("/choose-organization", {"organization_id": HILL})
    assert editor.client.get(f"{style}/branch/").status_code == 200


def test_rights_in_one_organization_are_none_in_another(style: str, editor: Browser) -> None:
    for place in ("managers/", "stock/"):
        assert editor.client.get(f"{style}/branches/{HARBOUR}/{place}").status_code == 200
        assert editor.client.get(f"{style}/branches/{HILL}/{place}").status_code == 403
        assert editor.client.get(f"{style}/branches/nowhere/{place}").status_code == 403


def test_a_choice_does_not_outweigh_the_address(style: str, editor: Browser) -> None:
    editor.client.post("/choose-organization", {"organization_id": HARBOUR})
    assert editor.client.get(f"{style}/branches/{HILL}/managers/").status_code == 403


@pytest.mark.parametrize("place", DEMANDS)
def test_a_password_s_session_has_nothing_of_logto(style: str, place: str, client: Client) -> None:
    client.force_login(User.objects.create_user("local"))
    response = client.get(f"{style}/{place}")
    assert response.status_code == 403
    assert "You are signed in as <strong>local</strong>" in response.content.decode()


def test_using_another_account_is_one_click_away(style: str, logto: Emulator, reader: Browser) -> None:
    url = reader.client.get(f"{style}/books/").content.decode().partition('href="/sign-in')[2].partition('"')[0]
    start = reader.client.get("/sign-in" + url.replace("&amp;", "&"))
    assert reader.open(reader.logto.sign_in(start["Location"], "editor"))["Location"] == f"{style}/books/"
    assert reader.client.get(f"{style}/books/").content == b"open to editor"


# Logto cannot be asked, or stands behind the session no more


@pytest.mark.parametrize(
    ("fault", "code", "status"),
    [
        (HttpFault(drop=True), "provider_unreachable", 503),
        (HttpFault(status=503, headers={"Retry-After": "7"}), "provider_busy", 503),
        (HttpFault(status=500), "provider_error", 502),
    ],
    ids=["gone", "busy", "broken"],
)
def test_in_an_outage_nobody_is_said_to_lack_anything(
    style: str, logto: Emulator, editor: Browser, fault: HttpFault, code: str, status: int
) -> None:
    logto.faults.http["token"] = fault
    response = editor.client.get(f"{style}/books/")
    assert response.status_code == status
    assert f"<code>{code}</code>" in response.content.decode()
    assert response.headers.get("Retry-After") == fault.headers.get("Retry-After")
    assert editor.client.get(f"{style}/editors/").status_code == 200, "the session goes on"


def test_what_is_known_is_known_in_an_outage_too(style: str, logto: Emulator, editor: Browser) -> None:
    assert editor.client.get(f"{style}/books/").status_code == 200
    logto.faults.http["token"] = HttpFault(drop=True)
    assert editor.client.get(f"{style}/books/").status_code == 200


def test_a_session_that_has_ended_at_logto_ends_here(style: str, logto: Emulator, editor: Browser) -> None:
    logto.tenant.suspend_user("editor000001")
    assert editor.client.get(f"{style}/books/")["Location"] == f"/sign-in?next={style}/books/"
    assert LogtoSession.objects.count() == 0
    assert editor.client.get("/").content == b"home of AnonymousUser"


def test_a_form_sent_with_a_session_that_has_ended_is_not_carried_out(
    style: str, logto: Emulator, editor: Browser
) -> None:
    logto.tenant.suspend_user("editor000001")
    response = editor.client.post(f"{style}/books/", headers={"Referer": "http://testserver/shelf/"})
    assert response.status_code == 401
    assert "Your session has ended" in response.content.decode()
    assert 'href="/sign-in?next=/shelf/"' in response.content.decode()


def test_a_script_with_a_session_that_has_ended_is_told_so(style: str, logto: Emulator, editor: Browser) -> None:
    logto.tenant.suspend_user("editor000001")
    response = editor.client.get(f"{style}/books/", headers=SCRIPT)
    assert (response.status_code, response.json()["error"]) == (401, "sign_in_required")


def test_without_a_refresh_token_permissions_cannot_be_had_and_nobody_goes_round_in_a_circle(
    style: str, logto: Emulator, settings, caplog: Any
) -> None:
    settings.LOGTO_SCOPES = [scope for scope in settings.LOGTO_SCOPES if scope != "offline_access"]
    browser = signed_in(logto, "editor")
    for place in ("books/", f"branches/{HARBOUR}/stock/"):
        response = browser.client.get(f"{style}/{place}")
        assert response.status_code == 403
        assert "It asks for the permission" in response.content.decode()
    assert "ask for the scope offline_access" in caplog.text
    assert browser.client.get(f"{style}/editors/").status_code == 200, "the session goes on"


def test_a_resource_that_the_site_does_not_ask_for_gives_no_permissions(
    style: str, editor: Browser, settings, caplog: Any
) -> None:
    settings.LOGTO_API_RESOURCE = "https://nowhere.example/api"
    response = editor.client.get(f"{style}/books/")
    assert response.status_code == 403
    assert "no permissions for https://nowhere.example/api. Is it among LOGTO_RESOURCES" in caplog.text
    assert "invalid_target" in caplog.text
    assert editor.client.get(f"{style}/editors/").status_code == 200, "the session goes on"


def test_a_site_that_is_no_api_hears_which_setting_is_missing(style: str, editor: Browser, settings) -> None:
    settings.LOGTO_API_RESOURCE = ""
    with pytest.raises(ConfigurationError, match="LOGTO_API_RESOURCE must be set"):
        editor.client.get(f"{style}/books/")


# Several demands, async servers, templates


def test_demands_add_up(editor: Browser, reader: Browser) -> None:
    assert editor.client.get("/stacked/").status_code == 200
    assert "role editor" in reader.client.get("/stacked/").content.decode()
    assert reader.client.get("/stacked-class/").status_code == 200
    assert "members of an organization" in editor.client.get("/stacked-class/").content.decode()


def test_a_demand_may_depend_on_the_request(reader: Browser) -> None:
    assert reader.client.get("/combined/").status_code == 200
    assert reader.client.post("/combined/").status_code == 403


def test_it_is_the_same_under_asgi(style: str, logto: Emulator, editor: Browser, reader: Browser) -> None:
    @async_to_sync
    async def answers() -> list[tuple[int, bytes]]:
        seen = []
        for browser in (editor, reader):
            client = AsyncClient()
            client.cookies = browser.client.cookies
            response = await client.get(f"{style}/books/")
            seen.append((response.status_code, response.content[:14]))
        nobody = await AsyncClient().get(f"{style}/books/")
        return [*seen, (nobody.status_code, nobody["Location"].encode())]

    assert answers() == [
        (200, b"open to editor"),
        (403, b"<!doctype html"),
        (302, f"/sign-in?next={style}/books/".encode()),
    ]


def test_under_asgi_too_a_session_that_has_ended_goes_to_the_sign_in(
    style: str, logto: Emulator, editor: Browser
) -> None:
    logto.tenant.suspend_user("editor000001")
    client = AsyncClient()
    client.cookies = editor.client.cookies
    assert async_to_sync(client.get)(f"{style}/books/")["Location"] == f"/sign-in?next={style}/books/"


def rights_shown(client: Client, place: str = "/shown/") -> list[str]:
    return client.get(place).content.decode().split()


def test_templates_can_ask_the_same(logto: Emulator, editor: Browser, reader: Browser, client: Client) -> None:
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


def test_a_template_shows_nothing_that_cannot_be_known_and_the_page_stands(
    logto: Emulator, editor: Browser, caplog: Any
) -> None:
    logto.faults.http["token"] = HttpFault(drop=True)
    assert rights_shown(editor.client, f"/branches/{HARBOUR}/shown/") == ["role", "organization-role"]
    assert "count as not held" in caplog.text
