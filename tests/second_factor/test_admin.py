"""The admin with LOGTO_ADMIN_SECOND_FACTOR: every entrance needs the second factor."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import include, path

from logto_auth.admin_site import LogtoAdminSite
from logto_auth.emulator import Emulator
from logto_auth.exceptions import ConfigurationError

from . import urls as site
from .conftest import Guest

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
User = get_user_model()

MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"
TO_ADMIN = "/second-factor?next=/admin/"
PASSWORD_FORM = "/admin/login/password/"


class ReplacedPermission(LogtoAdminSite):
    """A site of a project that decides itself who may use it."""

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_authenticated


class PasskeysOnly(LogtoAdminSite):
    second_factor_methods = ("WebAuthn", "SignInPasskey")
    second_factor_max_age = 600


class Closed(LogtoAdminSite):
    """A site of a project that lets nobody in at the moment."""

    def has_permission(self, request: HttpRequest) -> bool:
        return False


def own_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("a view of the site")


# Users and organizations.
admin = LogtoAdminSite()
admin.register(User)
admin._registry[User].search_fields = admin._registry[User].ordering = ("username",)
replaced, passkeys, closed = (kind(kind.__name__.lower()) for kind in (ReplacedPermission, PasskeysOnly, Closed))

urlpatterns = [
    path("", include("logto_auth.urls")),
    path("account/", include("logto_auth.account.urls")),
    path("admin/own/", admin.admin_view(own_view)),
    path("admin/own-cacheable/", admin.admin_view(own_view, cacheable=True)),
    path("admin/", admin.urls),
    path("replaced/own/", replaced.admin_view(own_view)),
    path("replaced/", replaced.urls),
    path("passkeys/", passkeys.urls),
    path("closed/", closed.urls),
    path("vault/", site.vault),
    path("", site.home),
]


@pytest.fixture(autouse=True)
def admin_site(vault_site: Emulator, settings: Any) -> None:
    settings.ROOT_URLCONF = __name__
    settings.LOGTO_ADMIN_SECOND_FACTOR = True
    settings.LOGTO_STAFF_ROLES = settings.LOGTO_SUPERUSER_ROLES = ("admin",)
    settings.AUTHENTICATION_BACKENDS = ["logto_auth.backends.LogtoBackend", MODEL_BACKEND]
    vault_site.tenant.add_role("admin")


@pytest.fixture
def boss(guest_of: Any) -> Guest:
    """Return a superuser who has signed in with a password alone."""
    boss: Guest = guest_of("boss", roles=["admin"])
    boss.sign_in()
    return boss


@pytest.fixture
def proved(guest_of: Any) -> Guest:
    """Return a superuser who has signed in with a second factor."""
    boss: Guest = guest_of("proved", roles=["admin"])
    boss.add_totp()
    boss.sign_in()
    return boss


ENTRANCES = [
    "",
    "auth/",
    "auth/user/",
    "auth/user/add/",
    "logto_auth/organization/",
    "jsi18n/",
    "password_change/",
    "password_change/done/",
    "autocomplete/",
    "own/",
    "own-cacheable/",
    "r/1/1/",
    "no-such-page/",
]


@pytest.mark.parametrize("entrance", ENTRANCES)
@pytest.mark.parametrize("method", ["get", "post"])
def test_entrance_leads_to_the_second_factor(boss: Guest, entrance: str, method: str) -> None:
    before = list(User.objects.values())
    response = getattr(boss.client, method)(f"/admin/{entrance}", {"action": "delete_selected"})
    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/?next=/admin/")
    response = boss.get(response["Location"])
    assert response["Location"].startswith(f"{TO_ADMIN}{entrance}")
    assert boss.get(response["Location"]).status_code == 403
    assert list(User.objects.values()) == before


@pytest.mark.parametrize("entrance", ENTRANCES[:9] + ENTRANCES[9:11])
def test_entrance_is_open_with_second_factor(proved: Guest, entrance: str) -> None:
    query = {"app_label": "logto_auth", "model_name": "logtoidentity", "field_name": "user", "term": ""}
    response = proved.client.get(f"/admin/{entrance}", query if entrance == "autocomplete/" else {})
    assert response.status_code == 200


def test_step_up_leads_to_the_admin_page(boss: Guest) -> None:
    boss.add_totp()
    response = boss.travel("/admin/auth/user/")
    assert response["Location"] == f"{TO_ADMIN}auth/user/&step=asked"
    assert boss.get(response["Location"])["Location"] == "/admin/auth/user/"
    assert boss.get("/admin/auth/user/").status_code == 200
    assert boss.get("/admin/login/?next=/admin/auth/")["Location"] == "/admin/auth/"


def test_visitor_signs_in_once(guest_of: Any) -> None:
    boss: Guest = guest_of("other-boss", roles=["admin"])
    boss.add_totp()
    response = boss.travel("/admin/")
    assert response["Location"] == "/second-factor?next=/admin/&step=asked"
    assert boss.get(response["Location"])["Location"] == "/admin/"
    assert boss.get("/admin/").status_code == 200


@pytest.mark.parametrize("next_url", ["", "?next=//evil.example", "?next=https://evil.example/admin/"])
def test_login_leads_to_this_site_only(boss: Guest, proved: Guest, next_url: str) -> None:
    assert proved.get(f"/admin/login/{next_url}")["Location"] in {"/admin/", "/"}
    response = boss.get(boss.get(f"/admin/login/{next_url}")["Location"])
    assert response.status_code == 403
    assert "evil.example" not in response.text


def test_user_who_is_not_staff_gets_the_403_page(guest: Guest) -> None:
    guest.sign_in()
    response = guest.client.get("/admin/", follow=True)
    assert response.status_code == 403
    assert "This account does not have access to this page" in response.text
    assert len(response.redirect_chain) == 1


def test_refresh_without_the_claim_closes_the_admin(proved: Guest, logto: Emulator) -> None:
    assert proved.get("/admin/").status_code == 200
    del logto.tenant.jwt_customizers["jwt.accessToken"]
    User.objects.get().logto_identities.get().sessions.update(fresh_until=0)
    assert proved.get("/admin/")["Location"] == "/admin/login/?next=/admin/"


def test_setting_off_needs_no_second_factor(boss: Guest, settings: Any) -> None:
    settings.LOGTO_ADMIN_SECOND_FACTOR = False
    assert boss.get("/admin/").status_code == 200


def test_setting_without_methods_lets_nobody_in(proved: Guest, settings: Any) -> None:
    settings.LOGTO_SECOND_FACTOR = False
    with pytest.raises(ConfigurationError, match="LOGTO_SECOND_FACTOR"):
        proved.get("/admin/")


def test_admin_costs_no_call_and_no_more_queries(proved: Guest, settings: Any, django_assert_num_queries: Any) -> None:
    proved.logto.requests.clear()
    settings.LOGTO_ADMIN_SECOND_FACTOR = False
    with CaptureQueriesContext(connection) as without:
        proved.get("/admin/")
    settings.LOGTO_ADMIN_SECOND_FACTOR = True
    with django_assert_num_queries(len(without)):
        assert proved.get("/admin/").status_code == 200
    assert list(proved.logto.requests) == []


# Signing out


def test_user_without_second_factor_can_sign_out(boss: Guest) -> None:
    assert boss.client.get("/admin/logout/").status_code == 405
    response = boss.client.post("/admin/logout/")
    assert response["Location"].startswith(f"{boss.logto.endpoint}/oidc/session/end?")
    assert SESSION_KEY not in boss.client.session


def test_sign_out_needs_csrf_token(boss: Guest) -> None:
    boss.client.handler.enforce_csrf_checks = True
    assert boss.client.post("/admin/logout/").status_code == 403
    assert boss.get("/vault/")["Location"] == "/second-factor?next=/vault/"


@pytest.mark.parametrize("method", ["get", "post"])
def test_sign_out_of_visitor_leads_to_the_index(method: str) -> None:
    assert getattr(Client(), method)("/admin/logout/")["Location"] == "/admin/"


# Admin sites of a project


@pytest.mark.parametrize("entrance", ["", "own/", "logto_auth/organization/"])
def test_replaced_permission_does_not_replace_the_second_factor(boss: Guest, proved: Guest, entrance: str) -> None:
    location = boss.get(f"/replaced/{entrance}")["Location"]
    assert location == f"/second-factor?next=/replaced/{entrance}"
    assert boss.get(location).status_code == 403
    assert proved.get(f"/replaced/{entrance}").status_code == 200


def test_script_at_replaced_permission_gets_401(boss: Guest) -> None:
    response = boss.get("/replaced/own/", Accept="application/json")
    assert (response.status_code, response.json()["error"]) == (401, "second_factor_required")


def test_site_may_limit_the_methods(proved: Guest) -> None:
    location = proved.get(proved.get("/passkeys/")["Location"])["Location"]
    assert location == "/second-factor?max_age=600&methods=WebAuthn%20SignInPasskey&next=/passkeys/"
    assert proved.get(location).status_code == 403


@pytest.mark.parametrize(
    "attributes",
    [
        {"second_factor_methods": "Totp"},
        {"second_factor_methods": ["totp"]},
        {"second_factor_methods": []},
        {"second_factor_max_age": -1},
        {"second_factor_max_age": "300"},
    ],
    ids=str,
)
def test_mistake_is_found_when_the_urls_are_loaded(attributes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="SecondFactor"):
        type("Mistaken", (LogtoAdminSite,), attributes)("mistaken").get_urls()


def test_closed_site_is_no_loop(boss: Guest, proved: Guest) -> None:
    boss.add_totp()
    response = boss.travel("/closed/")
    location = boss.get(response["Location"])["Location"]
    assert location == "/closed/"
    for guest in (boss, proved):
        page = guest.client.get("/closed/", follow=True)
        assert page.status_code == 403
        assert len(page.redirect_chain) == 1


@pytest.mark.parametrize("attributes", [{}, {"session": None}, {"user": AnonymousUser()}])
def test_permission_of_a_bare_request_is_refused(boss: Guest, attributes: dict[str, Any]) -> None:
    request: Any = RequestFactory().get("/admin/")
    request.user = User.objects.get()
    assert request.user.is_staff
    for name, value in attributes.items():
        setattr(request, name, value)
    assert admin.has_permission(request) is False
    assert admin.has_second_factor(request) is False


# The password form


@pytest.fixture
def password_form(settings: Any) -> None:
    settings.LOGTO_ADMIN_PASSWORD_SIGN_IN = True
    User.objects.create_superuser("break-glass", password="secret")


def at_password_form(client: Client, username: str = "break-glass", password: str = "secret") -> Any:
    return client.post(PASSWORD_FORM, {"username": username, "password": password, "next": "/admin/"})


@pytest.mark.usefixtures("password_form")
def test_password_form_is_the_exception(caplog: Any) -> None:
    client = Client()
    assert at_password_form(client)["Location"] == "/admin/"
    (line,) = [record for record in caplog.records if record.levelname == "WARNING" and record.name == "logto_auth"]
    assert "without a second factor" in line.getMessage()
    for entrance in ("", "auth/user/", "jsi18n/", "password_change/", "own/"):
        assert client.get(f"/admin/{entrance}").status_code == 200
    assert client.get("/replaced/own/").status_code == 200
    assert client.get("/vault/")["Location"] == "/second-factor?next=/vault/"


@pytest.mark.usefixtures("password_form")
def test_password_is_changed_in_a_session_of_the_form() -> None:
    client = Client()
    at_password_form(client)
    form = {"old_password": "secret", "new_password1": "another-long-secret", "new_password2": "another-long-secret"}
    assert client.post("/admin/password_change/", form)["Location"] == "/admin/password_change/done/"
    assert client.get("/admin/").status_code == 200


@pytest.mark.usefixtures("password_form")
def test_wrong_password_is_no_exception(boss: Guest, caplog: Any) -> None:
    assert at_password_form(boss.client, password="wrong").status_code == 200
    assert boss.get("/admin/").status_code == 302
    assert "without a second factor" not in caplog.text


@pytest.mark.usefixtures("password_form")
def test_exception_ends_with_the_setting(settings: Any) -> None:
    client = Client()
    at_password_form(client)
    settings.LOGTO_ADMIN_PASSWORD_SIGN_IN = False
    location = client.get(client.get("/admin/")["Location"])["Location"]
    assert location == TO_ADMIN
    page = client.get(location)
    assert page.status_code == 403
    assert "signed_in_without_logto" in page.text  # type: ignore[attr-defined]
    assert client.get(PASSWORD_FORM).status_code == 404


@pytest.mark.usefixtures("password_form")
def test_password_session_begun_elsewhere_is_no_exception() -> None:
    client = Client()
    assert client.login(username="break-glass", password="secret")
    assert client.get("/admin/").status_code == 302
    assert client.get(PASSWORD_FORM).status_code == 200


@pytest.mark.usefixtures("password_form")
def test_session_from_before_the_setting_is_no_exception(settings: Any) -> None:
    settings.LOGTO_ADMIN_SECOND_FACTOR = False
    client = Client()
    at_password_form(client)
    settings.LOGTO_ADMIN_SECOND_FACTOR = True
    assert client.get("/admin/").status_code == 302
    at_password_form(client)
    assert client.get("/admin/").status_code == 200


@pytest.mark.usefixtures("password_form")
def test_exception_ends_with_another_sign_in_of_the_same_user() -> None:
    client = Client()
    at_password_form(client)
    client.force_login(User.objects.get(username="break-glass"), backend=MODEL_BACKEND)
    assert client.get("/admin/").status_code == 302


@pytest.mark.usefixtures("password_form")
def test_exception_ends_with_a_sign_in_of_another_user(boss: Guest) -> None:
    at_password_form(boss.client)
    assert boss.get("/admin/").status_code == 200
    boss.browser.logto.session.cookies.clear()
    boss.browser.sign_in("boss", prompt="login")
    assert boss.get("/admin/").status_code == 302


@pytest.mark.usefixtures("password_form")
def test_exception_of_staff_of_logto_ends_with_their_sign_in(boss: Guest) -> None:
    user = User.objects.get(username="boss")
    user.set_password("secret")
    user.save()
    at_password_form(boss.client, "boss")
    assert boss.get("/admin/").status_code == 200
    boss.browser.sign_in("boss", prompt="login")
    assert boss.get("/admin/").status_code == 302


@pytest.mark.usefixtures("password_form")
def test_exception_is_not_that_of_a_user_put_into_the_request(boss: Guest) -> None:
    at_password_form(boss.client)
    request: Any = RequestFactory().get("/admin/")
    request.session = boss.client.session
    request.user = User.objects.get(username="break-glass")
    assert admin.has_permission(request)
    request.user = User.objects.get(username="boss")
    assert not admin.has_permission(request)
    request.user = request.user.__class__.objects.get(username="break-glass")
    request.session[SESSION_KEY] = str(User.objects.get(username="boss").pk)
    assert not admin.has_permission(request)


@pytest.mark.usefixtures("password_form")
def test_exception_ends_with_the_sign_out() -> None:
    client = Client()
    at_password_form(client)
    client.post("/admin/logout/")
    assert "_logto_admin_password_form" not in client.session
