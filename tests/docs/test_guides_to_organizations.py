"""What the guides to organizations say about their views and settings."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.urls import path

import bookstore.urls
from logto_auth import models, signals
from logto_auth.emulator import Emulator
from logto_auth.testing import Browser
from logto_auth.views import SignInView

from .callers import access_token, bearer, visit
from .pages import blocks_of, the_block

User = get_user_model()

ORGANIZATION_PERMISSIONS = "docs/how-to/organization-permissions.md"
ORGANIZATION_APIS = "docs/how-to/organization-api-resources.md"
ORGANIZATIONS = "docs/how-to/organizations.md"


@pytest.mark.django_db
def test_organization_permissions_protect_pages_and_apis(
    browser: Browser, branches: Emulator, apply_settings: Any, shop: Any, settings: Any
) -> None:
    apply_settings(ORGANIZATION_PERMISSIONS, "urn:logto:resource:organizations")
    shop(ORGANIZATION_PERMISSIONS)
    browser.sign_in("ada")
    assert visit(browser, "/branches/harbour/stock/").content == b"The stock of harbour"
    script = {"Accept": "application/json"}
    refused = {path: visit(browser, f"/branches/{path}/stock/", **script).json() for path in ("hill", "nowhere")}
    assert refused["hill"] == {"error": "forbidden", "missing": {"organization_scope": ["manage:stock"]}}
    assert refused["nowhere"] == {"error": "forbidden", "missing": {"organization": []}}
    token = visit(browser, "/").wsgi_request.logto.organization_token("harbour")
    for url, status in {
        "/api/branches/harbour/stock/": 200,
        "/api/branches/hill/stock/": 403,
        "/plain/branches/harbour/stock/": 200,
        "/plain/branches/hill/stock/": 403,
        "/ninja/stock": 200,
    }.items():
        assert Client().get(url, headers=bearer(token)).status_code == status, url
    settings.LOGTO_API_CREATE_USERS = True
    for_an_api = access_token(branches, aud="https://shop.example/api", scope="manage:stock", organization_id="harbour")
    assert Client().get("/api/branches/harbour/stock/", headers=bearer(for_an_api)).status_code == 401


@pytest.mark.django_db
def test_token_for_another_organization_is_refused(branches: Emulator, shop: Any, settings: Any) -> None:
    settings.LOGTO_API_RESOURCE = "https://shop.example/api"
    settings.LOGTO_API_CREATE_USERS = True
    shop(ORGANIZATION_APIS)
    right = {"aud": "https://shop.example/api", "scope": "read:books", "organization_id": "harbour"}
    for claims, status in [
        (right, 200),
        ({**right, "scope": ""}, 403),
        ({**right, "organization_id": "hill"}, 403),
        ({**right, "organization_id": None}, 403),
        ({"aud": "urn:logto:organization:harbour", "scope": "read:books"}, 401),
    ]:
        headers = bearer(access_token(branches, **claims))
        for url in ("/api/branches/harbour/books/", "/plain/branches/harbour/books/", "/ninja/harbour/books"):
            assert Client().get(url, headers=headers).status_code == status, (url, claims)


@pytest.mark.django_db
def test_token_without_organization_merges_permissions(browser: Browser, branches: Emulator, settings: Any) -> None:
    """This is why the guide says to require permissions in the organization."""
    api = "https://shop.example/api"
    branches.tenant.add_organization_role("reader", resource_scopes={api: ["read:books"]})
    branches.tenant.add_member("hill", "bob", roles=["reader"])
    branches.tenant.add_member("harbour", "bob")
    settings.LOGTO_SCOPES = ["openid", "offline_access", "urn:logto:scope:organizations", "read:books"]
    settings.LOGTO_RESOURCES = [api]
    browser.sign_in("bob")
    logto = visit(browser, "/").wsgi_request.logto
    assert logto.permissions(api) == {"read:books"}
    scopes = {
        name: jwt.decode(logto.access_token(api, name), options={"verify_signature": False})["scope"]
        for name in ("harbour", "hill")
    }
    assert scopes == {"harbour": "", "hill": "read:books"}


@pytest.mark.django_db
def test_url_selects_the_organization(browser: Browser, branches: Emulator, apply_settings: Any, shop: Any) -> None:
    apply_settings(ORGANIZATIONS, "organization_data")
    shop(ORGANIZATIONS)
    browser.sign_in("ada")
    assert visit(browser, "/branches/harbour/").content == b"Harbour: you are manager."
    assert visit(browser, "/branches/hill/").content == b"Hill: you are a member."
    assert visit(browser, "/branches/harbour/staff/").status_code == 200
    assert visit(browser, "/branches/hill/staff/").status_code == 403
    assert visit(browser, "/branches/nowhere/").status_code == 403
    browser.client.post("/choose-organization", {"organization_id": "harbour"})
    assert visit(browser, "/").wsgi_request.logto.organization_id == "harbour"
    assert visit(browser, "/branches/nowhere/").wsgi_request.logto.organization is None


@pytest.mark.django_db
def test_subdomain_or_header_selects_the_organization(
    browser: Browser, branches: Emulator, apply_settings: Any, settings: Any
) -> None:
    apply_settings(ORGANIZATIONS, "organization_data")
    browser.sign_in("ada")
    models.Organization.objects.filter(logto_id="hill").update(subdomain="on-the-hill")
    apply_settings(ORGANIZATIONS, "from_subdomain")
    for host, expected in {
        "harbour.shop.example": "harbour",
        "on-the-hill.shop.example": "hill",
        "nowhere.shop.example": None,
        "shop.example": None,
    }.items():
        assert visit(browser, "/", Host=host).wsgi_request.logto.organization_id == expected, host
    settings.ALLOWED_HOSTS = ["*"]
    apply_settings(ORGANIZATIONS, "from_header")
    assert visit(browser, "/", **{"X-Branch": "hill"}).wsgi_request.logto.organization_id == "hill"
    assert visit(browser, "/", **{"X-Branch": "elsewhere"}).wsgi_request.logto.organization_id is None


@pytest.fixture
def shelf(modules: Any, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Create the table of the model of the guide, and return the model."""
    app = ModuleType("shop")
    app.__path__ = [str(tmp_path)]
    monkeypatch.setitem(sys.modules, "shop", app)
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "shop"]
    model = the_block(ORGANIZATIONS, "organization model").run(__name__="shop.models")["Shelf"]
    with connection.schema_editor() as editor:
        editor.create_model(model)
    yield model
    with connection.schema_editor() as editor:
        editor.delete_model(model)
    del apps.all_models["shop"]


@pytest.mark.django_db(transaction=True)
def test_rows_are_limited_to_the_current_organization(
    browser: Browser, branches: Emulator, apply_settings: Any, shelf: Any, settings: Any
) -> None:
    apply_settings(ORGANIZATIONS, "organization_data")
    browser.sign_in("ada")
    for organization in models.Organization.objects.all():
        shelf.objects.create(organization=organization, label=f"The shelf of {organization}")
    (block,) = (block for block in blocks_of(ORGANIZATIONS) if "def shelves" in block.code)
    view = block.run(Shelf=shelf)["shelves"]
    settings.ROOT_URLCONF = (path("shelves/<organization_id>/", view), *bookstore.urls.urlpatterns)
    assert visit(browser, "/shelves/harbour/").json() == {"shelves": ["The shelf of Harbour"]}
    assert visit(browser, "/shelves/nowhere/").status_code == 403
    request = visit(browser, "/").wsgi_request
    assert not shelf.objects.for_request(request).exists()
    assert [each.label for each in shelf.objects.for_organization("hill")] == ["The shelf of Hill"]
    books = the_block(ORGANIZATIONS, "organization path").run()["BookQuerySet"]
    assert books(shelf).for_organization(None).query.is_empty()
    assert books.organization_field == "shelf__organization"


@pytest.mark.django_db
def test_sign_in_view_for_members_refuses_others(
    branches: Emulator, apply_settings: Any, modules: Any, settings: Any
) -> None:
    apply_settings(ORGANIZATIONS, "organization_data")
    options = modules(ORGANIZATIONS, "shop.sign_ins").HARBOUR
    door = SignInView.as_view(sign_in_options=replace(options, organization_id="harbour"))
    settings.ROOT_URLCONF = (path("door", door), *bookstore.urls.urlpatterns)
    for name, expected in {"bob": "not_a_member", "ada": None}.items():
        visitor = Browser(branches)
        start = visit(visitor, "/door").url
        response = visitor.open(visitor.logto.sign_in(start, name))
        assert (response.context or {"code": None})["code"] == expected
    assert [each.username for each in User.objects.all()] == ["ada"]
    assert visit(visitor, "/").wsgi_request.logto.organization_id == "harbour"


@pytest.mark.django_db
def test_invitation_link_adds_the_member(
    browser: Browser, branches: Emulator, apply_settings: Any, settings: Any
) -> None:
    apply_settings(ORGANIZATIONS, "organization_data")
    branches.tenant.add_jit("hill", roles=["manager"])
    role = "Logto Management API access"
    application = branches.tenant.add_application(name="Host", type="MachineToMachine", roles=[role])
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = application.id, application.secret
    invitation_link = the_block(ORGANIZATIONS, "invitation").run()["invitation_link"]
    settings.ROOT_URLCONF = (
        *the_block(ORGANIZATIONS, "invitation urls").run()["urlpatterns"],
        *bookstore.urls.urlpatterns,
    )
    browser.sign_in("ada")
    for email in ("bob@example.com", "new@example.com"):
        link = urlsplit(invitation_link(email, "hill"))
        assert email in browser.open(link.geturl()).content.decode()
        start = browser.client.post(f"{link.path}?{link.query}").url
        callback = browser.logto.sign_in_by_link(start, username="newcomer", password="newcomer-password")
        assert browser.open(callback).url == "/branches/hill/"
        request = visit(browser, "/").wsgi_request
        assert request.user.email == email
        assert [(each.id, each.roles) for each in request.logto.organizations] == [("hill", ("manager",))]


@pytest.mark.django_db
def test_former_member_has_no_organization_after_refresh(
    browser: Browser, branches: Emulator, apply_settings: Any, settings: Any
) -> None:
    apply_settings(ORGANIZATIONS, "organization_data")
    settings.LOGTO_FRESHNESS_SECONDS = 0
    branches.tenant.add_member("hill", "bob")
    browser.sign_in("bob")
    assert visit(browser, "/").wsgi_request.logto.organization.name == "Hill"
    branches.tenant.organizations["hill"].members.pop("bob")
    changes: list[set[str]] = []

    def note(changed: set[str], **kwargs: Any) -> None:
        changes.append(changed)

    signals.user_updated.connect(note)
    assert visit(browser, "/").wsgi_request.logto.organization is None
    signals.user_updated.disconnect(note)
    assert changes == [{"organizations"}]
    assert not models.OrganizationMembership.objects.exists()
