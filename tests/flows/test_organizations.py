"""Organizations: who belongs to which, which one a request is about, and what belongs to it."""

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
from logto_auth.emulator import Emulator, VisitFailed
from logto_auth.exceptions import ConfigurationError, OrganizationRequired, ProviderError
from logto_auth.models import LogtoIdentity, Organization, OrganizationMembership
from logto_auth.oidc.authorization import SignInOptions
from logto_auth.organizations import OrganizationQuerySet
from logto_auth.organizations.memberships import Membership
from logto_auth.sign_in.start import redirect_to_logto
from logto_auth.testing import Browser
from tests.api.callers import App, call
from tests.flows.ageing import age
from tests.rights import API, HARBOUR, HILL, ask_for_rights, set_up

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
User = get_user_model()


class IdentityQuerySet(OrganizationQuerySet):
    """Of a model that is led to its organization by way of another."""

    organization_field = "memberships__organization"


def where(request: HttpRequest, organization_id: str = "") -> HttpResponse:
    """Says which organization the request is about, and how many rows belong to it."""
    current = request.logto.organization
    rows = OrganizationQuerySet(OrganizationMembership).for_request(request)
    return JsonResponse(
        {
            "id": request.logto.organization_id,
            "name": current and current.name,
            "roles": current and current.roles,
            "rows": [row.identity.sub for row in rows.order_by("identity__sub")],
            "people": IdentityQuerySet(LogtoIdentity).for_request(request).count(),
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
    """A site that asks for organizations, with one template of its own."""
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
    """Roles by person and organization, as they are stored."""
    found = OrganizationMembership.objects.select_related("identity", "organization")
    return {(row.identity.sub, row.organization.logto_id): row.roles for row in found}


def current(browser: Browser, place: str = "/", **extra: Any) -> str | None:
    return browser.client.get(place, **extra).json()["id"]


# Rows


def test_a_sign_in_leaves_a_row_for_each_organization_with_the_roles_in_it(editor: Browser, reader: Browser) -> None:
    assert rows() == {
        ("editor000001", HARBOUR): ["manager"],
        ("editor000001", HILL): ["staff"],
        ("reader000001", HARBOUR): ["staff"],
    }
    assert Organization.objects.count() == 2
    assert [str(row) for row in Organization.objects.order_by("logto_id")] == [HARBOUR, HILL], "names are not known yet"


def test_rows_follow_each_refresh_and_organizations_stay_for_what_points_to_them(
    logto: Emulator, editor: Browser
) -> None:
    logto.tenant.add_organization("Station Branch", id="stationbr001")
    logto.tenant.remove_member(HARBOUR, "editor000001")
    logto.tenant.add_member(HILL, "editor000001", roles=["staff", "manager"])
    logto.tenant.add_member("stationbr001", "editor000001")
    before = rows()
    assert current(editor, f"/branches/{HARBOUR}/") == HARBOUR
    assert rows() == before, "until then Logto's last word counts"
    age(editor)
    assert current(editor, f"/branches/{HARBOUR}/") is None
    assert rows() == {("editor000001", HILL): ["manager", "staff"], ("editor000001", "stationbr001"): []}
    assert Organization.objects.filter(logto_id=HARBOUR).exists()


def test_a_refresh_that_brings_nothing_new_leaves_the_rows_alone(editor: Browser) -> None:
    ids = set(OrganizationMembership.objects.values_list("pk", flat=True))
    age(editor)
    editor.client.get("/")
    assert set(OrganizationMembership.objects.values_list("pk", flat=True)) == ids


@pytest.mark.parametrize("value", [..., None, HARBOUR, {}, 5], ids=["missing", "null", "text", "object", "number"])
def test_what_the_claims_do_not_say_is_not_lost(logto: Emulator, editor: Browser, value: Any) -> None:
    before = rows()
    logto.faults.id_token_claims = lambda claims: {
        name: claim for name, claim in {**claims, "organizations": value}.items() if claim is not ...
    }
    age(editor)
    assert current(editor, f"/branches/{HARBOUR}/") is None, "but it counts for nothing in the session"
    assert rows() == before


@pytest.mark.parametrize("value", [..., None, "manager"], ids=["missing", "null", "text"])
def test_roles_that_the_claims_do_not_say_are_not_lost_either(logto: Emulator, editor: Browser, value: Any) -> None:
    logto.faults.id_token_claims = lambda claims: {
        name: claim for name, claim in {**claims, "organization_roles": value}.items() if claim is not ...
    }
    logto.tenant.remove_member(HILL, "editor000001")
    age(editor)
    assert editor.client.get(f"/branches/{HARBOUR}/").json()["roles"] == []
    assert rows() == {("editor000001", HARBOUR): ["manager"]}


def test_an_empty_list_is_an_answer(logto: Emulator, editor: Browser) -> None:
    for organization_id in (HARBOUR, HILL):
        logto.tenant.remove_member(organization_id, "editor000001")
    age(editor)
    editor.client.get("/")
    assert rows() == {}


def test_names_are_kept_where_claims_have_them_and_found_where_they_have_not(
    logto: Emulator, settings, reader: Browser
) -> None:
    assert reader.client.get("/").json()["name"] is None
    settings.LOGTO_USERINFO_CLAIMS = ["organization_data"]
    named = signed_in(logto, "editor")
    names = {each.id: each.name for each in named.client.get("/").wsgi_request.logto.organizations}
    assert names == {HARBOUR: "Harbour Branch", HILL: "Hill Branch"}
    assert [str(row) for row in Organization.objects.all()] == ["Harbour Branch", "Hill Branch"]
    assert reader.client.get("/").json()["name"] == "Harbour Branch", "whose own claims have none"


def test_a_new_name_arrives_with_the_claims_that_have_it(logto: Emulator, reader: Browser) -> None:
    logto.tenant.id_token_extended_claims.add("organization_data")
    logto.tenant.organizations[HARBOUR].name = "Old Harbour"
    age(reader)
    assert reader.client.get("/").json()["name"] == "Old Harbour"
    assert Organization.objects.get().name == "Old Harbour"


def test_of_two_logtos_an_organization_of_the_same_id_is_two(reader: Browser) -> None:
    Organization.objects.create(issuer="https://other.example/oidc", logto_id=HARBOUR, name="Another")
    assert reader.client.get("/").json()["name"] is None
    assert Organization.objects.filter(logto_id=HARBOUR).count() == 2


def test_membership_just_in_time_is_seen_at_the_next_refresh(logto: Emulator) -> None:
    logto.tenant.add_jit(HARBOUR, email_domains=["harbour.example"], roles=["staff"])
    customer = signed_in(logto, "customer")
    assert customer.client.get("/").json() == {"id": None, "name": None, "roles": None, "rows": [], "people": 0}
    # Logto makes somebody a member, by the rules for just-in-time membership or by an administrator's hand.
    logto.tenant.add_member(HARBOUR, "customer000001", roles=["staff"])
    age(customer)
    assert customer.client.get("/").json()["id"] == HARBOUR
    assert rows() == {("customer000001", HARBOUR): ["staff"]}


# The current organization


def test_the_address_names_it(editor: Browser) -> None:
    for organization_id, roles in ((HARBOUR, ["manager"]), (HILL, ["staff"])):
        answer = editor.client.get(f"/branches/{organization_id}/").json()
        assert (answer["id"], answer["roles"]) == (organization_id, roles)


@pytest.mark.parametrize("name", ["nowhere", HILL, HARBOUR.upper(), f"{HARBOUR} ", "%00"])
def test_what_the_address_names_is_only_a_wish(reader: Browser, name: str) -> None:
    answer = reader.client.get(f"/branches/{name}/").json()
    assert (answer["id"], answer["rows"]) == (None, []), "not even the only one that there is"


def test_without_a_name_it_is_the_only_one_there_is(editor: Browser, reader: Browser, client: Client) -> None:
    assert current(reader) == HARBOUR
    assert current(editor) is None
    assert client.get("/").json()["id"] is None


def choose(browser: Browser, organization_id: str, **options: Any) -> Any:
    return browser.client.post("/choose-organization", {"organization_id": organization_id, **options})


def test_a_choice_is_kept_and_comes_back_to_the_page(editor: Browser) -> None:
    response = choose(editor, HILL, next="/branches/?page=2")
    assert (response.status_code, response["Location"]) == (302, "/branches/?page=2")
    assert [current(editor) for _ in range(2)] == [HILL, HILL]
    choose(editor, HARBOUR)
    assert current(editor) == HARBOUR
    age(editor)
    assert current(editor) == HARBOUR, "a refresh does not change it"


def test_the_address_outweighs_the_choice(editor: Browser) -> None:
    choose(editor, HILL)
    assert current(editor, f"/branches/{HARBOUR}/") == HARBOUR
    assert current(editor, "/branches/nowhere/") is None


@pytest.mark.parametrize("organization_id", [HILL, "nowhere", "", HARBOUR.upper()])
def test_nobody_chooses_what_they_do_not_belong_to(reader: Browser, organization_id: str) -> None:
    response = choose(reader, organization_id)
    assert response.status_code == 403
    assert "members of an organization" in response.content.decode()
    assert current(reader) == HARBOUR
    response = reader.client.post("/choose-organization", {"organization_id": HILL}, headers={"HX-Request": "true"})
    assert response.json() == {"error": "forbidden", "missing": {"organization": []}}


def test_nobody_at_all_is_sent_to_the_sign_in(client: Client) -> None:
    response = client.post("/choose-organization", {"organization_id": HARBOUR, "next": "/branches/"})
    assert response["Location"] == "/sign-in?next=/branches/"
    response = client.post("/choose-organization", headers={"HX-Request": "true"})
    assert (response.status_code, response.json()["error"]) == (401, "sign_in_required")


def test_a_choice_takes_a_form_of_this_site_and_leads_to_no_other(logto: Emulator, editor: Browser) -> None:
    assert choose(editor, HILL, next="https://evil.example/")["Location"] == "/"
    assert editor.client.get("/choose-organization").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = editor.client.cookies
    assert strict.post("/choose-organization", {"organization_id": HARBOUR}).status_code == 403
    assert current(editor) == HILL


def test_a_stale_choice_is_no_choice_and_no_other_takes_its_place(logto: Emulator, editor: Browser) -> None:
    choose(editor, HILL)
    logto.tenant.remove_member(HILL, "editor000001")
    age(editor)
    answer = editor.client.get("/").json()
    assert (answer["id"], answer["rows"]) == (None, []), "though there is only one left"
    choose(editor, HARBOUR)
    assert current(editor) == HARBOUR


def test_a_choice_ends_with_the_session(logto: Emulator, editor: Browser) -> None:
    choose(editor, HARBOUR)
    editor.sign_in("editor", prompt="login")
    assert current(editor) is None
    choose(editor, HARBOUR)
    editor.sign_out()
    editor.sign_in("editor")
    assert current(editor) is None


def test_a_view_may_choose_too(editor: Browser) -> None:
    request = editor.client.get("/").wsgi_request
    request.logto.choose_organization(HILL)
    assert request.logto.organization == Membership(id=HILL, name=None, roles=("staff",))
    with pytest.raises(OrganizationRequired):
        request.logto.choose_organization("nowhere")


def test_the_switcher_offers_what_there_is_to_choose(
    logto: Emulator, editor: Browser, reader: Browser, client: Client
) -> None:
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
    def test_the_subdomain_names_it_by_the_name_it_was_given_or_its_id(
        self, editor: Browser, settings, host: str, organization_id: str | None
    ) -> None:
        settings.ALLOWED_HOSTS = ["*"]
        Organization.objects.filter(logto_id=HARBOUR).update(subdomain="harbour")
        assert current(editor, headers={"host": host}) == organization_id

    def test_it_is_only_a_wish_there_too(self, reader: Browser) -> None:
        assert current(reader, headers={"host": f"{HILL}.shop.example"}) is None
        assert current(reader, headers={"host": "nowhere.shop.example"}) is None
        assert current(reader, headers={"host": "shop.example"}) == HARBOUR, "no name, and only one there is"

    def test_the_subdomain_of_another_logto_s_organization_leads_nowhere(self, editor: Browser) -> None:
        Organization.objects.create(issuer="https://other.example/oidc", logto_id=HARBOUR, subdomain="harbour")
        assert current(editor, headers={"host": "harbour.shop.example"}) is None

    def test_without_a_domain_the_error_names_the_setting(self, editor: Browser, settings) -> None:
        settings.LOGTO_ORGANIZATION_DOMAIN = ""
        with pytest.raises(ConfigurationError, match="LOGTO_ORGANIZATION_DOMAIN must be set"):
            editor.client.get("/")


def by_header(request: HttpRequest) -> str | None:
    return request.headers.get("X-Branch")


def test_a_function_of_the_site_s_own_names_it(editor: Browser, settings) -> None:
    settings.LOGTO_ORGANIZATION_FROM = "tests.flows.test_organizations.by_header"
    assert current(editor, f"/branches/{HARBOUR}/", headers={"X-Branch": HILL}) == HILL
    assert current(editor, headers={"X-Branch": "nowhere"}) is None


# Its rows, and its token


def test_a_site_s_rows_are_those_of_the_current_organization(logto: Emulator, editor: Browser, reader: Browser) -> None:
    answer = editor.client.get(f"/branches/{HARBOUR}/").json()
    assert (answer["rows"], answer["people"]) == (["editor000001", "reader000001"], 2)
    answer = editor.client.get(f"/branches/{HILL}/").json()
    assert (answer["rows"], answer["people"]) == (["editor000001"], 1)
    assert reader.client.get(f"/branches/{HILL}/").json()["rows"] == []


def test_a_token_s_rows_are_those_of_its_organization(logto: Emulator, editor: Browser, reader: Browser) -> None:
    app = App(logto)
    assert call("/api/", app.token("reader", resource=API, organization_id=HARBOUR)).json() == {
        "id": HARBOUR,
        "name": None,
        "roles": ["staff"],
        "rows": ["editor000001", "reader000001"],
        "people": 2,
    }
    assert call("/api/", app.token("editor", resource=API)).json()["rows"] == []
    app.close()


def test_rows_can_be_had_by_whatever_stands_for_an_organization(editor: Browser, reader: Browser) -> None:
    rows = OrganizationQuerySet(OrganizationMembership)
    organization = Organization.objects.get(logto_id=HARBOUR)
    for each in (organization, HARBOUR, Membership(id=HARBOUR, name=None, roles=())):
        assert rows.for_organization(each).count() == 2
    assert rows.for_organization(None).count() == rows.for_organization("nowhere").count() == 0
    assert rows.filter(identity__sub="reader000001").for_organization(HARBOUR).count() == 1
    other = Organization.objects.create(issuer="https://other.example/oidc", logto_id=HARBOUR)
    OrganizationMembership.objects.create(organization=other, identity=LogtoIdentity.objects.first())
    assert rows.for_organization(HARBOUR).count() == 2


def test_the_token_of_the_current_organization_or_of_a_named_one(logto: Emulator, editor: Browser) -> None:
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


def test_there_is_no_token_of_no_organization_nor_of_one_of_others(
    logto: Emulator, editor: Browser, reader: Browser
) -> None:
    with pytest.raises(OrganizationRequired):
        editor.client.get("/").wsgi_request.logto.organization_token()
    request_logto = reader.client.get("/").wsgi_request.logto
    with pytest.raises(ProviderError) as caught:
        request_logto.organization_token(HILL)
    assert caught.value.error == "access_denied"
    logto.requests.clear()
    assert request_logto.organization_permissions(HILL) == set()
    assert len(logto.requests) == 0


# Signing in as a member


def test_a_sign_in_for_members_lets_members_in_and_makes_it_the_current_one(logto: Emulator) -> None:
    browser = Browser(logto)
    url = browser.client.get(f"/members-of/{HILL}/")["Location"]
    assert f"organization_id={HILL}" in url
    assert browser.open(browser.logto.sign_in(url, "editor"))["Location"] == "/"
    assert current(browser) == HILL


@pytest.mark.parametrize("username", ["customer", "reader"])
def test_a_sign_in_for_members_lets_nobody_else_in(logto: Emulator, username: str) -> None:
    browser = Browser(logto)
    response = browser.open(browser.logto.sign_in(browser.client.get(f"/members-of/{HILL}/")["Location"], username))
    assert response.status_code == 403
    assert "<code>not_a_member</code>" in response.content.decode()
    assert User.objects.count() == LogtoIdentity.objects.count() == 0
    assert "_auth_user_id" not in browser.client.session


def test_whoever_is_no_member_stays_who_they_were(logto: Emulator, reader: Browser) -> None:
    response = reader.open(reader.logto.sign_in(reader.client.get(f"/members-of/{HILL}/")["Location"], "reader"))
    assert response.status_code == 403
    assert current(reader) == HARBOUR


def test_without_the_scope_membership_cannot_be_seen_and_the_log_says_so(
    logto: Emulator, settings, caplog: Any
) -> None:
    settings.LOGTO_SCOPES = ["openid", "profile"]
    browser = Browser(logto)
    response = browser.open(browser.logto.sign_in(browser.client.get(f"/members-of/{HILL}/")["Location"], "editor"))
    assert response.status_code == 403
    assert "Is urn:logto:scope:organizations among LOGTO_SCOPES?" in caplog.text


def test_the_look_of_an_organization_s_page_is_for_everybody(logto: Emulator) -> None:
    browser = Browser(logto)
    assert browser.open(browser.logto.sign_in(browser.client.get(f"/dressed-as/{HILL}/")["Location"], "customer"))
    assert current(browser) is None
    assert LogtoIdentity.objects.count() == 1


def test_an_address_cannot_make_a_sign_in_one_for_members(client: Client) -> None:
    url = client.get(f"/sign-in?organization_id={HILL}&members_only=1")["Location"]
    assert "organization_id" not in url


# Invitations


def invited(logto: Emulator, email: str, **options: Any) -> str:
    """The link in an invitation."""
    token = logto.tenant.add_one_time_token(email, **options)
    return f"/accept-invitation?token={token.token}&email={email}"


def accept(browser: Browser, link: str, **options: bool) -> Any:
    return browser.open(browser.logto.sign_in_by_link(browser.client.get(link)["Location"], **options))


def test_an_invitation_makes_a_new_person_a_member(logto: Emulator) -> None:
    logto.tenant.add_jit(HILL, roles=["staff"])
    browser = Browser(logto)
    link = invited(logto, "new@bookstore.example", jit_organization_ids=[HILL])
    assert accept(browser, f"{link}&next=/branches/")["Location"] == "/branches/"
    answer = browser.client.get("/").json()
    assert (answer["id"], answer["roles"]) == (HILL, ["staff"])
    assert list(rows().values()) == [["staff"]]


def test_an_invitation_makes_somebody_known_a_member_whoever_is_signed_in_beside_them(
    logto: Emulator, reader: Browser
) -> None:
    logto.tenant.update_user("editor000001", primary_email="editor@bookstore.example")
    logto.tenant.add_organization("Station Branch", id="stationbr001")
    link = invited(logto, "editor@bookstore.example", jit_organization_ids=["stationbr001"])
    assert accept(reader, link, switch_account=True)["Location"] == "/"
    request_logto = reader.client.get("/").wsgi_request.logto
    assert request_logto.sub == "editor000001"
    assert {each.id for each in request_logto.organizations} == {HARBOUR, HILL, "stationbr001"}
    assert ("editor000001", "stationbr001") in rows()


def test_an_invitation_is_good_once(logto: Emulator) -> None:
    link = invited(logto, "new@bookstore.example", jit_organization_ids=[HILL])
    accept(Browser(logto), link)
    with pytest.raises(VisitFailed):
        accept(Browser(logto), link)
    assert LogtoIdentity.objects.count() == 1


def test_an_invitation_of_another_address_leads_nowhere(logto: Emulator) -> None:
    link = invited(logto, "new@bookstore.example", jit_organization_ids=[HILL])
    with pytest.raises(VisitFailed):
        accept(Browser(logto), link.replace("new@", "other@"))
    assert LogtoIdentity.objects.count() == 0


@pytest.mark.parametrize(
    "query", ["", "?token=x", "?email=new@bookstore.example", "?token=x&email=new", "?token=x%00&email=a@b.example"]
)
def test_a_link_that_is_none_is_told_from_a_sign_in(client: Client, query: str) -> None:
    response = client.get(f"/accept-invitation{query}")
    assert response.status_code == 400
    assert "<code>invalid_option</code>" in response.content.decode()
    assert not any(name.startswith("logto_") for name in response.cookies)


def test_a_link_has_to_be_opened_as_a_page(logto: Emulator, client: Client) -> None:
    link = invited(logto, "new@bookstore.example")
    response = client.get(link, headers={"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"})
    assert response.status_code == 403
    assert "<code>not_a_navigation</code>" in response.content.decode()


def test_the_token_of_a_link_stays_between_the_visitor_and_logto(logto: Emulator, client: Client, caplog: Any) -> None:
    link = invited(logto, "new@bookstore.example")
    response = client.get(link)
    assert (response["Referrer-Policy"], response["Cache-Control"]) == ("no-referrer", "no-store")
    token = next(iter(logto.tenant.one_time_tokens.values())).token
    assert token in response["Location"]
    assert token not in caplog.text
    assert token not in str(response.cookies)
