"""Memberships, the current organization of a request, and the rows that belong to it."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.test import Client
from django.urls import include, path

from logto_auth.decorators import access_token_required
from logto_auth.emulator import Emulator
from logto_auth.exceptions import ConfigurationError, OrganizationRequired, ProviderError
from logto_auth.memberships.claims import Membership
from logto_auth.models import LogtoIdentity, Organization, OrganizationMembership
from logto_auth.oidc.authorization import SignInOptions
from logto_auth.organizations import OrganizationQuerySet
from logto_auth.sign_in.start import redirect_to_logto
from logto_auth.testing import Browser
from tests.ageing import age
from tests.api.callers import App, call
from tests.rights import API, HARBOUR, HILL, ask_for_rights, set_up

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
User = get_user_model()


class IdentityQuerySet(OrganizationQuerySet):
    """A queryset of a model that refers to its organization through another model."""

    organization_field = "memberships__organization"


def where(request: HttpRequest, organization_id: str = "") -> HttpResponse:
    """Return the current organization and the number of its rows."""
    current = request.logto.organization
    rows = OrganizationQuerySet(OrganizationMembership).for_request(request)
    return JsonResponse(
        {
            "id": request.logto.organization_id,
            "name": current and current.name,
            "roles": current and current.roles,
            "rows": [row.identity.sub for row in rows.order_by("identity__sub")],
            "users": IdentityQuerySet(LogtoIdentity).for_request(request).count(),
        }
    )


def members_only(request: HttpRequest, organization_id: str) -> HttpResponseRedirect:
    return redirect_to_logto(request, options=SignInOptions(organization_id=organization_id, members_only=True))


def branded(request: HttpRequest, organization_id: str) -> HttpResponseRedirect:
    return redirect_to_logto(request, options=SignInOptions(organization_id=organization_id))


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("", where),
    path("branches/<str:organization_id>/", where),
    path("api/", access_token_required()(where)),
    path("members-of/<str:organization_id>/", members_only),
    path("dressed-as/<str:organization_id>/", branded),
    path("switcher/", lambda request: render(request, "switcher.html")),
]


@pytest.fixture(autouse=True)
def site(logto: Emulator, settings: Any) -> None:
    """A site that requests organizations, with one template of its own."""
    set_up(logto)
    ask_for_rights(settings)
    switcher = '{% load logto %}{% logto_organization_switcher "Branch" class="quiet" %}'
    loaders = [
        ("django.template.loaders.locmem.Loader", {"switcher.html": switcher}),
        "django.template.loaders.app_directories.Loader",
    ]
    settings.TEMPLATES = [
        {"BACKEND": "django.template.backends.django.DjangoTemplates", "OPTIONS": {"loaders": loaders}}
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


def rows() -> dict[tuple[str, str], list[str]]:
    """Return the stored roles by user and organization."""
    found = OrganizationMembership.objects.select_related("identity", "organization")
    return {(row.identity.sub, row.organization.logto_id): row.roles for row in found}


def current(browser: Browser, place: str = "/", **extra: Any) -> str | None:
    return browser.client.get(place, **extra).json()["id"]


# Rows


def test_sign_in_stores_memberships_with_roles(editor: Browser, reader: Browser) -> None:
    assert rows() == {
        ("editor000001", HARBOUR): ["manager"],
        ("editor000001", HILL): ["staff"],
        ("reader000001", HARBOUR): ["staff"],
    }
    assert Organization.objects.count() == 2
    assert [str(row) for row in Organization.objects.order_by("logto_id")] == [HARBOUR, HILL], "names are not known yet"


def test_refresh_updates_memberships_and_keeps_organizations(logto: Emulator, editor: Browser) -> None:
    logto.tenant.add_organization("Station Branch", id="stationbr001")
    logto.tenant.remove_member(HARBOUR, "editor000001")
    logto.tenant.add_member(HILL, "editor000001", roles=["staff", "manager"])
    logto.tenant.add_member("stationbr001", "editor000001")
    before = rows()
    assert current(editor, f"/branches/{HARBOUR}/") == HARBOUR
    assert rows() == before, "until then the latest claims count"
    age(editor)
    assert current(editor, f"/branches/{HARBOUR}/") is None
    assert rows() == {("editor000001", HILL): ["manager", "staff"], ("editor000001", "stationbr001"): []}
    assert Organization.objects.filter(logto_id=HARBOUR).exists()


def test_refresh_without_changes_writes_no_rows(editor: Browser) -> None:
    ids = set(OrganizationMembership.objects.values_list("pk", flat=True))
    age(editor)
    editor.client.get("/")
    assert set(OrganizationMembership.objects.values_list("pk", flat=True)) == ids


@pytest.mark.parametrize("value", [..., None, HARBOUR, {}, 5], ids=["missing", "null", "text", "object", "number"])
def test_missing_organizations_claim_keeps_memberships(logto: Emulator, editor: Browser, value: Any) -> None:
    before = rows()
    logto.faults.id_token_claims = lambda claims: {
        name: claim for name, claim in {**claims, "organizations": value}.items() if claim is not ...
    }
    age(editor)
    assert current(editor, f"/branches/{HARBOUR}/") is None, "but it counts for nothing in the session"
    assert rows() == before


@pytest.mark.parametrize("value", [..., None, "manager"], ids=["missing", "null", "text"])
def test_missing_roles_claim_keeps_organization_roles(logto: Emulator, editor: Browser, value: Any) -> None:
    logto.faults.id_token_claims = lambda claims: {
        name: claim for name, claim in {**claims, "organization_roles": value}.items() if claim is not ...
    }
    logto.tenant.remove_member(HILL, "editor000001")
    age(editor)
    assert editor.client.get(f"/branches/{HARBOUR}/").json()["roles"] == []
    assert rows() == {("editor000001", HARBOUR): ["manager"]}


def test_empty_organizations_claim_removes_memberships(logto: Emulator, editor: Browser) -> None:
    for organization_id in (HARBOUR, HILL):
        logto.tenant.remove_member(organization_id, "editor000001")
    age(editor)
    editor.client.get("/")
    assert rows() == {}


def test_names_are_stored_and_used_without_claims(logto: Emulator, settings, reader: Browser) -> None:
    assert reader.client.get("/").json()["name"] is None
    settings.LOGTO_USERINFO_CLAIMS = ["organization_data"]
    named = signed_in(logto, "editor")
    names = {each.id: each.name for each in named.client.get("/").wsgi_request.logto.organizations}
    assert names == {HARBOUR: "Harbour Branch", HILL: "Hill Branch"}
    assert [str(row) for row in Organization.objects.all()] == ["Harbour Branch", "Hill Branch"]
    assert reader.client.get("/").json()["name"] == "Harbour Branch", "whose own claims have none"


def test_new_name_in_claims_is_stored(logto: Emulator, reader: Browser) -> None:
    logto.tenant.id_token_extended_claims.add("organization_data")
    logto.tenant.organizations[HARBOUR].name = "Old Harbour"
    age(reader)
    assert reader.client.get("/").json()["name"] == "Old Harbour"
    assert Organization.objects.get().name == "Old Harbour"


def test_same_id_at_two_issuers_is_two_organizations(reader: Browser) -> None:
    Organization.objects.create(issuer="https://other.example/oidc", logto_id=HARBOUR, name="Another")
    assert reader.client.get("/").json()["name"] is None
    assert Organization.objects.filter(logto_id=HARBOUR).count() == 2


def test_just_in_time_membership_appears_after_refresh(logto: Emulator) -> None:
    logto.tenant.add_jit(HARBOUR, email_domains=["harbour.example"], roles=["staff"])
    customer = signed_in(logto, "customer")
    assert customer.client.get("/").json() == {"id": None, "name": None, "roles": None, "rows": [], "users": 0}
    # Logto adds a member, by just-in-time rules or by an administrator.
    logto.tenant.add_member(HARBOUR, "customer0001", roles=["staff"])
    age(customer)
    assert customer.client.get("/").json()["id"] == HARBOUR
    assert rows() == {("customer0001", HARBOUR): ["staff"]}


# The current organization


def test_url_selects_organization(editor: Browser) -> None:
    for organization_id, roles in ((HARBOUR, ["manager"]), (HILL, ["staff"])):
        answer = editor.client.get(f"/branches/{organization_id}/").json()
        assert (answer["id"], answer["roles"]) == (organization_id, roles)


@pytest.mark.parametrize("name", ["nowhere", HILL])
def test_url_of_foreign_organization_is_not_current(reader: Browser, name: str) -> None:
    answer = reader.client.get(f"/branches/{name}/").json()
    assert (answer["id"], answer["rows"]) == (None, []), "not even the only one that there is"


def test_only_membership_is_current_by_default(editor: Browser, reader: Browser, client: Client) -> None:
    assert current(reader) == HARBOUR
    assert current(editor) is None
    assert client.get("/").json()["id"] is None


def choose(browser: Browser, organization_id: str, **options: Any) -> Any:
    return browser.client.post("/choose-organization", {"organization_id": organization_id, **options})


def test_choice_is_stored_and_returns_to_page(editor: Browser) -> None:
    response = choose(editor, HILL, next="/branches/?page=2")
    assert (response.status_code, response["Location"]) == (302, "/branches/?page=2")
    assert [current(editor) for _ in range(2)] == [HILL, HILL]
    choose(editor, HARBOUR)
    assert current(editor) == HARBOUR
    age(editor)
    assert current(editor) == HARBOUR, "a refresh does not change it"


@pytest.mark.parametrize("organization_id", [HILL, "nowhere"])
def test_foreign_organization_cannot_be_chosen(reader: Browser, organization_id: str) -> None:
    response = choose(reader, organization_id)
    assert response.status_code == 403
    assert "a member of the organization" in response.content.decode()
    assert current(reader) == HARBOUR
    response = reader.client.post("/choose-organization", {"organization_id": HILL}, headers={"HX-Request": "true"})
    assert response.json() == {"error": "forbidden", "missing": {"organization": []}}


def test_anonymous_choice_redirects_to_sign_in(client: Client) -> None:
    response = client.post("/choose-organization", {"organization_id": HARBOUR, "next": "/branches/"})
    assert response["Location"] == "/sign-in?next=/branches/"
    response = client.post("/choose-organization", headers={"HX-Request": "true"})
    assert (response.status_code, response.json()["error"]) == (401, "sign_in_required")


def test_choice_ends_with_session(logto: Emulator, editor: Browser) -> None:
    choose(editor, HARBOUR)
    editor.sign_in("editor", prompt="login")
    assert current(editor) is None
    choose(editor, HARBOUR)
    editor.sign_out()
    editor.sign_in("editor")
    assert current(editor) is None


def test_view_can_choose_organization(editor: Browser) -> None:
    request = editor.client.get("/").wsgi_request
    request.logto.choose_organization(HILL)
    assert request.logto.organization == Membership(id=HILL, name=None, roles=("staff",))
    with pytest.raises(OrganizationRequired):
        request.logto.choose_organization("nowhere")


def test_switcher_lists_memberships(logto: Emulator, editor: Browser, reader: Browser, client: Client) -> None:
    Organization.objects.filter(logto_id=HILL).update(name="<b>Hill</b>")
    choose(editor, HILL)
    form = editor.client.get("/switcher/?page=2").content.decode()
    assert f'<option value="{HARBOUR}">{HARBOUR}</option>' in form
    assert f'<option value="{HILL}" selected>&lt;b&gt;Hill&lt;/b&gt;</option>' in form
    assert '<input type="hidden" name="next" value="/switcher/?page=2">' in form
    assert 'action="/choose-organization" class="quiet"' in form
    assert 'aria-label="Branch"' in form
    assert "csrfmiddlewaretoken" in form
    for other in (reader.client, client):
        assert other.get("/switcher/").content == b""


class TestSubdomains:
    @pytest.fixture(autouse=True)
    def subdomains(self, settings: Any) -> None:
        settings.LOGTO_ORGANIZATION_FROM = "logto_auth.organizations.from_subdomain"
        settings.LOGTO_ORGANIZATION_DOMAIN = "shop.example"
        settings.ALLOWED_HOSTS = [".shop.example", "other.example", "testserver"]

    @pytest.mark.parametrize(
        ("host", "organization_id"),
        [
            ("harbour.shop.example", HARBOUR),
            ("HARBOUR.Shop.Example", HARBOUR),
            ("harbour.shop.example:8443", HARBOUR),
            (f"{HILL}.shop.example", HILL),
            ("nowhere.shop.example", None),
            ("shop.example", None),
            ("www.harbour.shop.example", None),
            ("harbour.other.example", None),
            ("other.example", None),
        ],
    )
    def test_subdomain_selects_by_name_or_id(
        self, editor: Browser, settings, host: str, organization_id: str | None
    ) -> None:
        settings.ALLOWED_HOSTS = ["*"]
        Organization.objects.filter(logto_id=HARBOUR).update(subdomain="harbour")
        assert current(editor, headers={"host": host}) == organization_id

    def test_subdomain_of_other_issuer_selects_nothing(self, editor: Browser) -> None:
        Organization.objects.create(issuer="https://other.example/oidc", logto_id=HARBOUR, subdomain="harbour")
        assert current(editor, headers={"host": "harbour.shop.example"}) is None

    def test_missing_domain_error_names_the_setting(self, editor: Browser, settings) -> None:
        settings.LOGTO_ORGANIZATION_DOMAIN = ""
        with pytest.raises(ConfigurationError, match="LOGTO_ORGANIZATION_DOMAIN must be set"):
            editor.client.get("/")


def by_header(request: HttpRequest) -> str | None:
    return request.headers.get("X-Branch")


def test_function_of_site_selects_organization(editor: Browser, settings) -> None:
    settings.LOGTO_ORGANIZATION_FROM = "tests.organizations.test_organizations.by_header"
    assert current(editor, f"/branches/{HARBOUR}/", headers={"X-Branch": HILL}) == HILL
    assert current(editor, headers={"X-Branch": "nowhere"}) is None


# Rows and tokens


def test_for_request_returns_rows_of_current_organization(logto: Emulator, editor: Browser, reader: Browser) -> None:
    answer = editor.client.get(f"/branches/{HARBOUR}/").json()
    assert (answer["rows"], answer["users"]) == (["editor000001", "reader000001"], 2)
    answer = editor.client.get(f"/branches/{HILL}/").json()
    assert (answer["rows"], answer["users"]) == (["editor000001"], 1)
    assert reader.client.get(f"/branches/{HILL}/").json()["rows"] == []


def test_for_request_with_token_returns_its_organization_rows(
    logto: Emulator, editor: Browser, reader: Browser
) -> None:
    app = App(logto)
    assert call("/api/", app.token("reader", resource=API, organization_id=HARBOUR)).json() == {
        "id": HARBOUR,
        "name": None,
        "roles": ["staff"],
        "rows": ["editor000001", "reader000001"],
        "users": 2,
    }
    assert call("/api/", app.token("editor", resource=API)).json()["rows"] == []
    app.close()


def test_for_organization_accepts_row_membership_or_id(editor: Browser, reader: Browser) -> None:
    rows = OrganizationQuerySet(OrganizationMembership)
    organization = Organization.objects.get(logto_id=HARBOUR)
    for each in (organization, HARBOUR, Membership(id=HARBOUR, name=None, roles=())):
        assert rows.for_organization(each).count() == 2
    assert rows.for_organization(None).count() == rows.for_organization("nowhere").count() == 0
    assert rows.filter(identity__sub="reader000001").for_organization(HARBOUR).count() == 1
    other = Organization.objects.create(issuer="https://other.example/oidc", logto_id=HARBOUR)
    OrganizationMembership.objects.create(organization=other, identity=LogtoIdentity.objects.first())
    assert rows.for_organization(HARBOUR).count() == 2


def test_organization_token_for_current_or_named_organization(logto: Emulator, editor: Browser) -> None:
    request_logto = editor.client.get(f"/branches/{HARBOUR}/").wsgi_request.logto

    def target(token: str) -> tuple[str, str]:
        claims = jwt.decode(token, options={"verify_signature": False})
        return claims["aud"], claims["scope"]

    token = request_logto.organization_token()
    assert target(token) == (f"urn:logto:organization:{HARBOUR}", "manage:stock")
    assert target(request_logto.organization_token(HILL)) == (f"urn:logto:organization:{HILL}", "")
    assert request_logto.organization_token() == async_to_sync(request_logto.aorganization_token)() == token
    assert len(logto.requests.to("token")) == 2
    assert request_logto.organization_permissions() == {"manage:stock"}
    assert async_to_sync(request_logto.aorganization_permissions)(HILL) == set()
    assert len(logto.requests.to("token")) == 2, "permissions are those of the same tokens"


def test_no_token_without_membership(logto: Emulator, editor: Browser, reader: Browser) -> None:
    with pytest.raises(OrganizationRequired):
        editor.client.get("/").wsgi_request.logto.organization_token()
    request_logto = reader.client.get("/").wsgi_request.logto
    with pytest.raises(ProviderError) as caught:
        request_logto.organization_token(HILL)
    assert caught.value.error == "access_denied"
    logto.requests.clear()
    assert request_logto.organization_permissions(HILL) == set()
    assert len(logto.requests) == 0


# Sign-in for members


def test_sign_in_for_members_sets_current_organization(logto: Emulator) -> None:
    browser = Browser(logto)
    url = browser.client.get(f"/members-of/{HILL}/")["Location"]
    assert f"organization_id={HILL}" in url
    assert browser.open(browser.logto.sign_in(url, "editor"))["Location"] == "/"
    assert current(browser) == HILL


@pytest.mark.parametrize("username", ["customer", "reader"])
def test_sign_in_for_members_refuses_other_users(logto: Emulator, username: str) -> None:
    browser = Browser(logto)
    response = browser.open(browser.logto.sign_in(browser.client.get(f"/members-of/{HILL}/")["Location"], username))
    assert response.status_code == 403
    assert "<code>not_a_member</code>" in response.content.decode()
    assert User.objects.count() == LogtoIdentity.objects.count() == 0
    assert "_auth_user_id" not in browser.client.session


def test_refused_sign_in_for_members_keeps_session(logto: Emulator, reader: Browser) -> None:
    response = reader.open(reader.logto.sign_in(reader.client.get(f"/members-of/{HILL}/")["Location"], "reader"))
    assert response.status_code == 403
    assert current(reader) == HARBOUR


def test_sign_in_for_members_logs_missing_scope(logto: Emulator, settings, caplog: Any) -> None:
    settings.LOGTO_SCOPES = ["openid", "profile"]
    browser = Browser(logto)
    response = browser.open(browser.logto.sign_in(browser.client.get(f"/members-of/{HILL}/")["Location"], "editor"))
    assert response.status_code == 403
    assert "Is urn:logto:scope:organizations among LOGTO_SCOPES?" in caplog.text


def test_organization_branding_needs_no_membership(logto: Emulator) -> None:
    browser = Browser(logto)
    assert browser.open(browser.logto.sign_in(browser.client.get(f"/dressed-as/{HILL}/")["Location"], "customer"))
    assert current(browser) is None
    assert LogtoIdentity.objects.count() == 1


def test_url_cannot_start_sign_in_for_members(client: Client) -> None:
    url = client.get(f"/sign-in?organization_id={HILL}&members_only=1")["Location"]
    assert "organization_id" not in url
