"""Logto's permissions as Django permissions: `user.has_perm("logto.write:books")`, decorators, mixins, templates."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.mixins import PermissionRequiredMixin
from django.contrib.auth.models import Group, Permission
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.test import AsyncClient, Client
from django.urls import include, path
from django.views.generic import View

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.exceptions import ConfigurationError
from logto_auth.testing import Browser
from tests.ageing import age
from tests.rights import HARBOUR, HILL, ask_for_rights, set_up

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
User = get_user_model()

READ, WRITE = "logto.read:books", "logto.write:books"


def answers(request: HttpRequest) -> JsonResponse:
    user = request.user
    loaded_elsewhere = User.objects.filter(pk=user.pk).first()
    return JsonResponse(
        {
            "read": user.has_perm(READ),
            "write": user.has_perm(WRITE),
            "both": user.has_perms([READ, WRITE]),
            "any of logto": user.has_module_perms("logto"),
            "of an object": user.has_perm(READ, obj=request),
            "unknown": user.has_perm("logto.nothing"),
            "elsewhere": loaded_elsewhere is not None and loaded_elsewhere.has_perm(READ),
        }
    )


async def async_answers(request: HttpRequest) -> JsonResponse:
    user = await request.auser()
    return JsonResponse(
        {
            "read": await user.ahas_perm(READ),
            "write": await user.ahas_perm(WRITE),
            "both": await user.ahas_perms([READ, WRITE]),
            "any of logto": await user.ahas_module_perms("logto"),
        }
    )


def shown(request: HttpRequest) -> HttpResponse:
    return render(request, "permissions.html")


@permission_required(WRITE, raise_exception=True)
def write(request: HttpRequest) -> HttpResponse:
    return HttpResponse("written")


@permission_required(WRITE)
def write_or_sign_in(request: HttpRequest) -> HttpResponse:
    return HttpResponse("written")


@permission_required(WRITE, raise_exception=True)
async def write_async(request: HttpRequest) -> HttpResponse:
    return HttpResponse("written")


class Write(PermissionRequiredMixin, View):
    permission_required = (READ, WRITE)
    raise_exception = True

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("written")


def django_s_own(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"change": request.user.has_perm("auth.change_user"), "read": request.user.has_perm(READ)})


def plain(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"user": str(request.user), "change": request.user.has_perm("auth.change_user")})


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("answers/", answers),
    path("answers-async/", async_answers),
    path("plain/", plain),
    path("shown/", shown),
    path("write/", write),
    path("write-or-sign-in/", write_or_sign_in),
    path("write-async/", write_async),
    path("write-class/", Write.as_view()),
    path("django/", django_s_own),
    path("branches/<slug:organization_id>/answers/", lambda request, organization_id: answers(request)),
]

TEMPLATE = """{% if perms.logto %}some{% endif %} {% if "logto.read:books" in perms %}read{% endif %}
{% if "logto.write:books" in perms %}write{% endif %} {% if "logto.nothing" in perms %}nothing{% endif %}"""
NONE = dict.fromkeys(("read", "write", "both", "any of logto", "of an object", "unknown", "elsewhere"), False)


@pytest.fixture(autouse=True)
def site(logto: Emulator, settings: Any) -> None:
    """A site with one template that uses `perms`."""
    set_up(logto)
    ask_for_rights(settings)
    loaders = [
        ("django.template.loaders.locmem.Loader", {"permissions.html": TEMPLATE}),
        "django.template.loaders.app_directories.Loader",
    ]
    processors = ["django.contrib.auth.context_processors.auth", "django.template.context_processors.request"]
    settings.TEMPLATES = [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {"loaders": loaders, "context_processors": processors},
        }
    ]


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


def test_user_has_permissions_that_logto_granted(editor: Browser, reader: Browser) -> None:
    held = {**NONE, "read": True, "any of logto": True}
    assert editor.client.get("/answers/").json() == {**held, "write": True, "both": True}
    assert reader.client.get("/answers/").json() == held


def test_signed_out_visitor_has_no_permission_without_a_call(client: Client, logto: Emulator) -> None:
    assert client.get("/answers/").json() == NONE
    assert len(logto.requests) == 0


def test_many_checks_call_logto_once(editor: Browser, logto: Emulator) -> None:
    for _ in range(2):
        editor.client.get("/answers/")
        editor.client.get("/shown/")
    assert len(logto.requests.to("token")) == 1


def test_page_without_checks_does_not_call_logto(editor: Browser, logto: Emulator) -> None:
    assert editor.client.get("/plain/").json() == {"user": "editor", "change": False}
    assert len(logto.requests) == 0


def test_user_from_database_has_no_permission(editor: Browser) -> None:
    """A job, a shell, another user's row in a list: there is no request, so there is no permission."""
    editor.client.get("/answers/")
    user = User.objects.get()
    assert not user.has_perm(READ)
    assert not user.has_module_perms("logto")
    assert editor.client.get("/answers/").json()["elsewhere"] is False


@pytest.mark.parametrize("place", ["/write/", "/write-async/", "/write-class/"])
def test_django_decorator_and_mixin_check_permission(
    place: str, editor: Browser, reader: Browser, client: Client
) -> None:
    assert editor.client.get(place).content == b"written"
    assert reader.client.get(place).status_code == 403
    assert client.get(place).status_code == 403


def test_decorator_redirects_visitors_and_refuses_users(editor: Browser, reader: Browser, client: Client) -> None:
    assert editor.client.get("/write-or-sign-in/").content == b"written"
    assert client.get("/write-or-sign-in/")["Location"] == "/sign-in?next=/write-or-sign-in/"
    response = reader.client.get("/write-or-sign-in/")
    assert response.status_code == 403
    assert "You are signed in as <strong>reader</strong>" in response.content.decode()


def test_template_variable_perms_has_permissions(editor: Browser, reader: Browser, client: Client) -> None:
    assert editor.client.get("/shown/").content.split() == [b"some", b"read", b"write"]
    assert reader.client.get("/shown/").content.split() == [b"some", b"read"]
    assert client.get("/shown/").content.split() == []


def test_async_view_checks_awaited_user(editor: Browser, reader: Browser) -> None:
    assert editor.client.get("/answers-async/").json() == dict.fromkeys(("read", "write", "both", "any of logto"), True)
    client = AsyncClient()
    client.cookies = reader.client.cookies
    response = async_to_sync(client.get)("/answers-async/")
    assert response.json() == {"read": True, "write": False, "both": False, "any of logto": True}
    visitor = async_to_sync(AsyncClient().get)("/answers-async/")
    assert not any(visitor.json().values())


def test_django_permissions_are_unchanged(editor: Browser, reader: Browser) -> None:
    change_user = Permission.objects.get(codename="change_user")
    group = Group.objects.create(name="Managers")
    group.permissions.add(change_user)
    User.objects.get(username="reader").groups.add(group)
    assert reader.client.get("/django/").json() == {"change": True, "read": True}
    assert editor.client.get("/django/").json() == {"change": False, "read": True}


def test_superuser_has_every_permission_without_a_call(logto: Emulator, reader: Browser) -> None:
    User.objects.update(is_superuser=True)
    answer = reader.client.get("/answers/").json()
    assert (answer["write"], answer["unknown"], answer["elsewhere"]) == (True, True, True)
    assert len(logto.requests) == 0


def test_password_session_has_no_permission(client: Client, logto: Emulator) -> None:
    client.force_login(User.objects.create_user("local"), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/answers/").json() == NONE
    assert len(logto.requests) == 0


def test_permissions_of_two_users_do_not_mix(editor: Browser, reader: Browser, client: Client) -> None:
    for _ in range(2):
        assert editor.client.get("/answers/").json()["write"] is True
        assert reader.client.get("/answers/").json()["write"] is False
        assert client.get("/answers/").json()["read"] is False


def test_removed_permission_ends_with_its_token(editor: Browser, logto: Emulator) -> None:
    assert editor.client.get("/answers/").json()["write"] is True
    logto.tenant.update_user("editor000001", roles=["reader"])
    logto.tenant.remove_member("harbourbr001", "editor000001")
    assert editor.client.get("/answers/").json()["write"] is True, "as long as the token lives"
    age(editor)
    assert editor.client.get("/answers/").json() == {**NONE, "read": True, "any of logto": True}


@pytest.mark.parametrize("fault", [HttpFault(drop=True), HttpFault(status=500)], ids=["gone", "broken"])
def test_permission_is_missing_if_logto_is_unreachable(
    editor: Browser, logto: Emulator, caplog: Any, fault: HttpFault
) -> None:
    logto.faults.http["token"] = fault
    assert editor.client.get("/answers/").json() == NONE
    assert "Permissions cannot be fetched from Logto; they count as missing" in caplog.text
    assert editor.client.get("/write-or-sign-in/").status_code == 403


def test_ended_session_has_no_permission(editor: Browser, logto: Emulator) -> None:
    logto.tenant.suspend_user("editor000001")
    assert editor.client.get("/answers/").json() == NONE
    assert editor.client.get("/write-or-sign-in/")["Location"] == "/sign-in?next=/write-or-sign-in/"


def test_check_without_resource_setting_is_configuration_error(editor: Browser, settings) -> None:
    settings.LOGTO_API_RESOURCE = ""
    assert editor.client.get("/plain/").status_code == 200
    with pytest.raises(ConfigurationError, match="LOGTO_API_RESOURCE must be set"):
        editor.client.get("/django/")


def test_permission_of_one_organization_is_missing_in_another(logto: Emulator, browser: Browser, settings: Any) -> None:
    """In a token without an organization Logto adds up all organizations, so no such token is used there."""
    keeper = logto.tenant.add_user(username="keeper")
    logto.tenant.add_member(HARBOUR, keeper.id, roles=["manager"])
    logto.tenant.add_member(HILL, keeper.id, roles=["staff"])
    browser.sign_in("keeper")

    def may_write(address: str) -> bool:
        return browser.client.get(address).json()["write"]

    assert may_write("/answers/")
    assert may_write(f"/branches/{HARBOUR}/answers/")
    assert not may_write(f"/branches/{HILL}/answers/")
    assert not may_write("/branches/elsewhere/answers/")
    browser.client.post("/choose-organization", {"organization_id": HILL})
    assert not may_write("/answers/")
    assert may_write(f"/branches/{HARBOUR}/answers/"), "the URL has precedence over the choice"
    browser.client.post("/choose-organization", {"organization_id": HARBOUR})
    assert may_write("/answers/")


def test_choice_of_former_organization_is_ignored(logto: Emulator, browser: Browser) -> None:
    logto.tenant.add_member(HARBOUR, "customer0001", roles=["staff"])
    logto.tenant.update_user("customer0001", roles=["reader"])
    browser.sign_in("customer")
    browser.client.post("/choose-organization", {"organization_id": HARBOUR})
    logto.tenant.remove_member(HARBOUR, "customer0001")
    age(browser)
    assert browser.client.get("/answers/").json()["read"]
