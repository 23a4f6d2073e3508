"""The admin site with sign-in through Logto."""

from __future__ import annotations

import re

import pytest
from django.contrib.admin import ModelAdmin
from django.contrib.auth import get_user_model

from logto_auth.admin_site import LogtoAdminSite
from logto_auth.emulator import Emulator
from logto_auth.models import LogtoIdentity, Organization, OrganizationMembership
from logto_auth.testing import Browser

pytestmark = pytest.mark.django_db
User = get_user_model()


@pytest.fixture(autouse=True)
def roles(settings, logto: Emulator) -> None:
    settings.LOGTO_STAFF_ROLES = settings.LOGTO_SUPERUSER_ROLES = ("admin",)
    logto.tenant.add_role("admin")
    logto.tenant.add_user(username="admin", roles=["admin"])
    logto.tenant.add_user(username="reader")


def walk_to_logto(browser: Browser, path: str) -> str:
    """Follow the redirects of the site from `path` until they lead to Logto."""
    location = path
    while location.startswith("/"):
        response = browser.client.get(location)
        assert response.status_code == 302, location
        location = response["Location"]
    return location


def test_admin_login_redirects_through_logto(browser: Browser) -> None:
    response = browser.open(browser.logto.sign_in(walk_to_logto(browser, "/admin/auth/user/"), "admin"))
    assert response["Location"] == "/admin/auth/user/"
    assert browser.client.get("/admin/auth/user/").status_code == 200


def test_user_without_staff_gets_403_page(browser: Browser) -> None:
    browser.sign_in("reader")
    response = browser.client.get("/admin/", follow=True)
    assert response.status_code == 403
    page = response.content.decode()
    assert "reader" in page
    assert 'action="/sign-out"' in page
    assert len(response.redirect_chain) == 1


def test_user_page_shows_identity_read_only(browser: Browser, logto: Emulator) -> None:
    browser.sign_in("admin")
    user = User.objects.get()
    page = browser.client.get(f"/admin/auth/user/{user.pk}/change/").content.decode()
    assert user.logto_identities.get().sub in page
    assert 'name="logto_identities-0-sub"' not in page


def test_admin_logout_signs_out_at_logto(browser: Browser, logto: Emulator) -> None:
    browser.sign_in("admin")
    assert browser.client.post("/admin/logout/")["Location"].startswith(f"{logto.endpoint}/oidc/session/end?")


def test_password_form_exists_only_if_configured(client, settings, db) -> None:
    assert client.get("/admin/login/password/").status_code == 404
    settings.LOGTO_ADMIN_PASSWORD_SIGN_IN = True
    User.objects.create_superuser("break-glass", password="secret")
    assert '<input type="hidden" name="next" value="/admin/">' in client.get("/admin/login/password/").content.decode()
    form = {"username": "break-glass", "password": "secret", "next": "/admin/"}
    response = client.post("/admin/login/password/", form)
    assert response["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_lost_role_removes_admin_access_at_sign_in(browser: Browser, logto: Emulator) -> None:
    browser.sign_in("admin")
    admin = next(user for user in logto.tenant.users.values() if user.username == "admin")
    logto.tenant.update_user(admin.id, roles=[])
    Browser(logto).sign_in("admin")
    assert browser.client.get("/admin/", follow=True).status_code == 403


# Organizations


@pytest.fixture
def harbour(logto: Emulator, settings) -> Organization:
    """Return an organization that this site knows from its member "reader"."""
    settings.LOGTO_SCOPES = (
        "openid",
        "profile",
        "roles",
        "urn:logto:scope:organizations",
        "urn:logto:scope:organization_roles",
    )
    reader = logto.tenant.find_user(username="reader")
    logto.tenant.add_organization_role("manager")
    logto.tenant.add_organization("Harbour Branch", id="harbourbr001")
    logto.tenant.add_member("harbourbr001", reader.id, roles=["manager"])
    Browser(logto).sign_in("reader")
    return Organization.objects.get()


def test_organization_page_allows_changing_names_only(browser: Browser, harbour: Organization) -> None:
    browser.sign_in("admin")
    assert "harbourbr001" in browser.client.get("/admin/logto_auth/organization/?q=harbour").content.decode()
    path = f"/admin/logto_auth/organization/{harbour.pk}/change/"
    page = browser.client.get(path).content.decode()
    assert "reader: manager" in page
    fields = set(re.findall(r'<(?:input|select|textarea) type="text" name="(\w+)"', page))
    assert fields == {"name", "subdomain"}
    form = {"name": "Harbour", "subdomain": "harbour", "logto_id": "other", "issuer": "other"}
    assert browser.client.post(path, form).status_code == 302
    changed = Organization.objects.get()
    assert (changed.name, changed.subdomain, changed.logto_id) == ("Harbour", "harbour", "harbourbr001")
    assert changed.digest == harbour.digest


@pytest.mark.parametrize("page", ["add/", "{}/delete/"])
def test_admin_cannot_add_or_delete_organizations(browser: Browser, harbour: Organization, page: str) -> None:
    browser.sign_in("admin")
    path = f"/admin/logto_auth/organization/{page.format(harbour.pk)}"
    assert browser.client.get(path).status_code == browser.client.post(path, {"post": "yes"}).status_code == 403
    assert Organization.objects.get() == harbour


def test_organization_page_limits_listed_members(
    browser: Browser, harbour: Organization, django_assert_max_num_queries
) -> None:
    users = User.objects.bulk_create(User(username=f"member{number}") for number in range(104))
    identities = LogtoIdentity.objects.bulk_create(
        LogtoIdentity(user=user, issuer="i", sub=user.username, digest=user.username) for user in users
    )
    OrganizationMembership.objects.bulk_create(
        OrganizationMembership(organization=harbour, identity=identity) for identity in identities
    )
    browser.sign_in("admin")
    with django_assert_max_num_queries(12):
        page = browser.client.get(f"/admin/logto_auth/organization/{harbour.pk}/change/").content.decode()
    assert "and 5 more" in page
    assert "member98" in page
    assert "member99" not in page


def test_user_page_shows_organizations(browser: Browser, harbour: Organization) -> None:
    harbour.name = "Harbour Branch"
    harbour.save()
    browser.sign_in("admin")
    user = User.objects.get(username="reader")
    assert "Harbour Branch: manager" in browser.client.get(f"/admin/auth/user/{user.pk}/change/").content.decode()


def test_member_of_organization_can_be_deleted(browser: Browser, harbour: Organization) -> None:
    browser.sign_in("admin")
    user = User.objects.get(username="reader")
    browser.client.post(f"/admin/auth/user/{user.pk}/delete/", {"post": "yes"})
    assert not OrganizationMembership.objects.exists()
    assert Organization.objects.get() == harbour


def test_site_can_register_its_own_organization_admin() -> None:
    site = LogtoAdminSite()
    site.unregister(Organization)
    site.register(Organization, ModelAdmin)
    assert type(site.get_model_admin(Organization)) is ModelAdmin
