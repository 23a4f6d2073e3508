"""Roles and permissions in one organization never count in another, however the request selects it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import resolve

from logto_auth.api.authentication import authenticate
from logto_auth.emulator import Emulator
from logto_auth.models import LogtoSession, Organization
from logto_auth.testing import Browser
from tests.api import attacked_urls
from tests.api.attackers import API, Door, TokenMaker, challenge_of
from tests.support import changed_claims, row_of

pytestmark = pytest.mark.django_db

HARBOUR, HILL, ISLE = "harbour00001", "hillbranch01", "islebranch01"
# Variants of the id of the harbour that are not its id.
ODD_NAMES = [
    "HARBOUR00001",
    "harbour00001%20",
    "%20harbour00001",
    "harbour00001%00",
    "harbour00001%0a",
    "harbour00001%2f",
    "harbour00001%2f..%2fhillbranch01",
    "harbour00001;",
    "harbour00001%3f",
    "harbour00001%23",
    "harbour00001,hillbranch01",
    "%2568arbour00001",
    "harbour0000%EF%BC%91",
    "harbour00001%E2%80%8B",
    "urn:logto:organization:harbour00001",
    "harbour00001:manager",
    "None",
    "null",
    "*",
    "%ff",
    "x" * 2000,
]


@pytest.fixture
def manager(apis: None, browser: Browser, logto: Emulator, settings: Any) -> Browser:
    """Return the browser of a user: manager in the harbour, member on the hill, no member on the isle."""
    settings.LOGTO_RESOURCES = [API, "urn:logto:resource:organizations"]
    settings.LOGTO_SCOPES = [
        "openid",
        "offline_access",
        "urn:logto:scope:organizations",
        "urn:logto:scope:organization_roles",
        "manage:stock",
        "read:books",
        "write:books",
    ]
    settings.ALLOWED_HOSTS = ["testserver", ".shop.example"]
    logto.tenant.add_resource(API, scopes=["read:books", "write:books"])
    logto.tenant.add_organization_role("manager", scopes=["manage:stock"], resource_scopes={API: ["write:books"]})
    user = logto.tenant.add_user(username="manager", id="manager00001")
    other = logto.tenant.add_user(username="islander", id="islander0001")
    for id in (HARBOUR, HILL, ISLE):
        logto.tenant.add_organization(id.title(), id=id)
    logto.tenant.add_member(HARBOUR, user.id, roles=["manager"])
    logto.tenant.add_member(HILL, user.id)
    logto.tenant.add_member(ISLE, other.id, roles=["manager"])
    Browser(logto).sign_in("islander")
    browser.sign_in("manager")
    return browser


@pytest.fixture
def opens(manager: Browser) -> Callable[..., dict[str, bool]]:
    """Return which pages the manager can open, by requirement."""

    def check(organization_id: str = "", **request: Any) -> dict[str, bool]:
        del attacked_urls.ran[:]
        opened = {}
        for name, path in attacked_urls.PAGES.items():
            response = manager.client.get(f"{path}/{organization_id}" if organization_id else path, **request)
            assert response.status_code in (200, 403), (path, response.status_code)
            opened[name] = response.status_code == 200
        assert len(attacked_urls.ran) == sum(opened.values())
        return opened

    return check


ALL = dict.fromkeys(attacked_urls.PAGES, True)
NONE = dict.fromkeys(attacked_urls.PAGES, False)
MEMBERS_ONLY = {**NONE, "member": True}


def choose(browser: Browser, organization_id: str, **fields: str) -> Any:
    return browser.client.post("/choose-organization", {"organization_id": organization_id, **fields})


# Sessions


def test_url_of_foreign_organization_is_refused(opens: Callable[..., dict[str, bool]], manager: Browser) -> None:
    assert opens(HARBOUR) == ALL
    assert opens(HILL) == MEMBERS_ONLY
    assert opens(ISLE) == NONE
    assert opens("nowhere") == NONE
    # None was chosen, and the user has two.
    assert opens() == NONE


def test_odd_url_selects_no_foreign_organization(manager: Browser) -> None:
    choose(manager, HARBOUR)
    del attacked_urls.ran[:]
    for name in ODD_NAMES:
        assert manager.client.get(f"{attacked_urls.PAGES['member']}/{name}").status_code in (403, 404), name
    assert attacked_urls.ran == []


def test_percent_encoded_id_is_the_same_id(opens: Callable[..., dict[str, bool]]) -> None:
    assert opens("%68arbour00001") == ALL
    assert opens("%68illbranch01") == MEMBERS_ONLY


def test_switcher_refuses_foreign_organization(opens: Callable[..., dict[str, bool]], manager: Browser) -> None:
    assert choose(manager, HARBOUR).status_code == 302
    assert opens() == ALL
    assert choose(manager, HILL).status_code == 302
    assert opens() == MEMBERS_ONLY
    # The choice counts only if the URL selects none.
    assert opens(HARBOUR) == ALL
    choose(manager, HARBOUR)
    assert opens(HILL) == MEMBERS_ONLY
    assert opens(ISLE) == NONE


def test_rows_and_tags_follow_current_organization(manager: Browser) -> None:
    choose(manager, HARBOUR)
    for address, id, rights in [
        ("", HARBOUR, "True True"),
        (f"/{HARBOUR}", HARBOUR, "True True"),
        (f"/{HILL}", HILL, "False False"),
    ]:
        answer = manager.client.get(f"/session/branch{address}").json()
        assert answer == {"organization": id, "tags": rights, "rows": [id]}


def test_other_request_data_selects_no_organization(opens: Callable[..., dict[str, bool]], manager: Browser) -> None:
    session = "; ".join(f"{name}={morsel.value}" for name, morsel in manager.client.cookies.items())
    cookie = f"organization_id={HARBOUR}; chosen_organization={HARBOUR}; {session}"
    of_harbour = f"/session/stock/{HARBOUR}"
    for request in (
        {"data": {"organization_id": HARBOUR}},
        {"headers": {"Organization-Id": HARBOUR, "X-Organization-Id": HARBOUR, "X-Logto-Organization": HARBOUR}},
        {"headers": {"Cookie": cookie}},
        {"headers": {"X-Original-URL": of_harbour, "X-Rewrite-URL": of_harbour}},
        {"headers": {"Referer": f"http://testserver{of_harbour}"}},
        {"headers": {"X-Forwarded-Host": f"{HARBOUR}.shop.example"}},
    ):
        assert opens(HILL, **request) == MEMBERS_ONLY, request
        assert opens(**request) == NONE, request


@pytest.fixture
def subdomains(settings: Any) -> None:
    settings.LOGTO_ORGANIZATION_FROM = "logto_auth.organizations.from_subdomain"
    settings.LOGTO_ORGANIZATION_DOMAIN = "shop.example"


@pytest.mark.parametrize("tail", ["", ".:8000"])
def test_subdomain_of_foreign_organization_is_refused(
    subdomains: None, opens: Callable[..., dict[str, bool]], manager: Browser, tail: str
) -> None:
    choose(manager, HARBOUR)
    assert opens(headers={"Host": f"{HARBOUR}.shop.example{tail}"}) == ALL
    assert opens(headers={"Host": f"{HARBOUR.upper()}.Shop.Example{tail}"}) == ALL
    assert opens(headers={"Host": f"{HILL}.shop.example{tail}"}) == MEMBERS_ONLY
    assert opens(headers={"Host": f"{ISLE}.shop.example{tail}"}) == NONE
    assert opens(headers={"Host": f"unknown.shop.example{tail}"}) == NONE
    assert opens(headers={"Host": f".shop.example{tail}"}) == NONE
    # The domain itself is not a subdomain.
    assert opens(headers={"Host": f"shop.example{tail}"}) == ALL


def test_subdomain_takes_precedence_over_equal_id(subdomains: None, opens: Callable[..., dict[str, bool]]) -> None:
    Organization.objects.filter(logto_id=HILL).update(subdomain=HARBOUR)
    assert opens(headers={"Host": f"{HARBOUR}.shop.example"}) == MEMBERS_ONLY
    # A subdomain of an organization of another issuer selects nothing.
    Organization.objects.filter(logto_id=HILL).update(issuer="https://other.example/oidc")
    assert opens(headers={"Host": f"{HILL}.shop.example"}) == MEMBERS_ONLY


def select_empty_id(request: HttpRequest) -> str:
    return ""


def test_empty_organization_id_selects_no_default(
    opens: Callable[..., dict[str, bool]], manager: Browser, settings: Any
) -> None:
    choose(manager, HARBOUR)
    settings.LOGTO_ORGANIZATION_FROM = f"{__name__}.select_empty_id"
    assert opens() == NONE


def test_foreign_choice_in_session_is_ignored(opens: Callable[..., dict[str, bool]], manager: Browser) -> None:
    for planted in (ISLE, "", HARBOUR + " ", HARBOUR.upper(), "None"):
        LogtoSession.objects.update(chosen_organization=planted)
        assert opens() == NONE


def test_choice_ends_with_membership_on_refresh(
    opens: Callable[..., dict[str, bool]], manager: Browser, logto: Emulator
) -> None:
    choose(manager, HARBOUR)
    assert opens() == ALL
    logto.tenant.remove_member(HARBOUR, "manager00001")
    LogtoSession.objects.update(fresh_until=time.time())
    assert opens() == NONE
    assert opens(HARBOUR) == NONE
    # The only remaining membership is not the chosen one.
    assert manager.client.get("/session/branch").status_code == 403


def test_next_user_does_not_inherit_choice(manager: Browser) -> None:
    choose(manager, HARBOUR)
    manager.sign_in("islander", prompt="login")
    assert row_of(manager).chosen_organization == ""
    assert manager.client.get("/session/managers").json()["organization"] == ISLE
    assert manager.client.get(f"/session/branch/{HARBOUR}").status_code == 403


@pytest.mark.parametrize(
    "organization_roles",
    [
        [f"{HARBOUR}:manager", f"{HARBOUR}:{HILL}:manager", f" {HILL}:manager", f"{HILL} :manager", HILL, ":manager"],
        [f"{HARBOUR}:manager", "manager", f"{HILL.upper()}:manager", f"{HILL}:Manager", f"{HILL}:manager "],
        [f"{HARBOUR}:manager", {HILL: "manager"}, [HILL, "manager"], f"{HILL}\x00:manager", f"{HILL}::manager"],
        {HILL: ["manager"]},
        f"{HILL}:manager",
    ],
)
def test_role_counts_only_in_its_organization(
    opens: Callable[..., dict[str, bool]], manager: Browser, logto: Emulator, organization_roles: Any
) -> None:
    logto.faults.id_token_claims = changed_claims(organization_roles=organization_roles)
    manager.sign_in(ui_locales="en")
    assert opens(HILL) == MEMBERS_ONLY


# Tokens


@pytest.fixture
def token(manager: Browser, logto: Emulator) -> TokenMaker:
    """Return a function that issues tokens for the manager."""
    return TokenMaker(logto, "manager00001")


@pytest.fixture
def branches(apis: None, caplog: Any) -> list[Door]:
    return [Door(name, path, caplog) for name, path in attacked_urls.BRANCH_BOOKS.items()]


@pytest.fixture
def for_managers(apis: None, caplog: Any) -> list[Door]:
    return [Door(name, path, caplog) for name, path in attacked_urls.MANAGERS.items()]


def test_organization_token_is_refused_elsewhere(stock_doors: list[Door], token: TokenMaker) -> None:
    for door in stock_doors:
        door.of(HARBOUR).sees_served(token.for_organization(HARBOUR))
        for other in (HILL, ISLE, "nowhere"):
            door.of(other).sees_refused(token.for_organization(HARBOUR), 403, "insufficient_scope")
            # Claims that a script adds to the token do not change its organization.
            moved = token.for_organization(HARBOUR, organization_id=other, organizations=[other], organization=other)
            door.of(other).sees_refused(moved, 403, "insufficient_scope")
            assert door.of(HARBOUR).sees_served(moved)["organization"] == HARBOUR


def test_api_token_of_organization_is_refused_elsewhere(branches: list[Door], token: TokenMaker) -> None:
    for door in branches:
        assert door.of(HARBOUR).sees_served(token(organization_id=HARBOUR))["organization"] == HARBOUR
        door.of(HILL).sees_refused(token(organization_id=HARBOUR), 403, "insufficient_scope")
        # Without an organization, Logto adds up the permissions of all organizations.
        door.of(HILL).sees_refused(token(), 403, "insufficient_scope")


def test_odd_organization_id_in_url_is_refused(
    stock_doors: list[Door], branches: list[Door], token: TokenMaker
) -> None:
    del attacked_urls.ran[:]
    of_harbour, in_its_name = token.for_organization(HARBOUR), token(organization_id=HARBOUR)
    for name in ODD_NAMES:
        assert stock_doors[0].of(name).call(of_harbour).status_code in (403, 404), name
        assert branches[0].of(name).call(in_its_name).status_code in (403, 404), name
    assert attacked_urls.ran == []


def test_percent_encoded_id_with_token_is_the_same(stock_doors: list[Door], token: TokenMaker) -> None:
    stock_doors[0].of("%68arbour00001").sees_served(token.for_organization(HARBOUR))
    stock_doors[0].of("%68illbranch01").sees_refused(token.for_organization(HARBOUR), 403, "insufficient_scope")


def test_other_request_data_does_not_select_with_token(
    stock_doors: list[Door], manager: Browser, token: TokenMaker
) -> None:
    choose(manager, HILL)
    for door in stock_doors:
        headers = {"X-Organization-Id": HILL, "Authorization": f"Bearer {token.for_organization(HARBOUR)}"}
        response = manager.client.get(door.path, {"organization_id": HILL}, headers=headers)
        assert response.json()["organization"] == HARBOUR


def test_subdomain_with_foreign_token_is_refused(
    subdomains: None, stock_doors: list[Door], doors: list[Door], token: TokenMaker
) -> None:
    for door in stock_doors:
        made = token.for_organization(HARBOUR)
        assert door.call(made, Host=f"{HARBOUR}.shop.example").status_code == 200
        assert door.call(made, Host="shop.example").status_code == 200
        for other in (HILL, "unknown", ""):
            assert door.call(made, Host=f"{other}.shop.example").status_code == 403
    for door in doors:
        made = token(organization_id=HARBOUR)
        assert door.call(made, Host=f"{HARBOUR}.shop.example").status_code == 200
        assert door.call(made, Host=f"{HILL}.shop.example").status_code == 403


def test_early_access_does_not_fix_the_organization(apis: None, rf: RequestFactory, token: TokenMaker) -> None:
    """Authenticate before the URL is resolved, as a middleware may."""
    request: Any = rf.get("/", headers={"Authorization": f"Bearer {token(organization_id=HARBOUR)}"})
    caller: Any = authenticate(request)
    assert (caller.organization.id, caller.organization_id, caller.permissions()) == (HARBOUR, HARBOUR, caller.scopes)
    request.resolver_match = resolve(f"/plain/books/{HILL}")
    assert (caller.organization_id, caller.permissions(), caller.organizations) == (None, frozenset(), ())
    assert caller.organization_permissions() == frozenset()


def test_role_is_ignored_for_other_organization_token(for_managers: list[Door], token: TokenMaker) -> None:
    for door in for_managers:
        door.of(HARBOUR).sees_served(token(organization_id=HARBOUR))
        door.of(HILL).sees_refused(token(organization_id=HILL), 403, "insufficient_scope")
    door = for_managers[0]
    for made, address in [
        (token(organization_id=HARBOUR), HILL),
        (token(organization_id=HILL), HARBOUR),
        (token(organization_id=ISLE), ISLE),
        (token(), HARBOUR),
        (token(organization_id=HILL, organization_roles=[f"{HARBOUR}:manager", "manager", ":manager"]), HILL),
        (token(organization_id=HILL, roles=["manager", f"{HILL}:manager"]), HILL),
        (token(organization_id=HARBOUR, organization_roles=[]), HARBOUR),
    ]:
        door.of(address).sees_refused(made, 403, "insufficient_scope")
    # Roles that a script adds to the token are newer than those of the last sign-in.
    door.of(HILL).sees_served(token(organization_id=HILL, organization_roles=[f"{HILL}:manager"]))


def test_machine_token_has_no_user_roles(for_managers: list[Door], token: TokenMaker) -> None:
    made = token(organization_id=HARBOUR, client_id=token.sub)
    for_managers[0].of(HARBOUR).sees_refused(made, 403, "insufficient_scope")


def test_challenge_for_other_organization_names_no_scope(stock_doors: list[Door], token: TokenMaker) -> None:
    for door in stock_doors:
        response = door.of(HILL).sees_refused(token.for_organization(HARBOUR), 403, "insufficient_scope")
        assert "scope" not in challenge_of(response)


# The switcher


@pytest.mark.parametrize("origin", [None, "https://evil.example"])
def test_cross_site_switch_is_refused(manager: Browser, logto: Emulator, origin: str | None) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies = manager.client.cookies
    headers = {"Origin": origin} if origin else {}
    response = client.post("/choose-organization", {"organization_id": HARBOUR}, headers=headers)
    assert response.status_code == 403
    assert row_of(manager).chosen_organization == ""


def test_switch_needs_post(manager: Browser) -> None:
    for method in ("get", "head", "put", "patch", "delete", "options"):
        response = getattr(manager.client, method)(f"/choose-organization?organization_id={HARBOUR}")
        assert response.status_code == 405, method
    assert row_of(manager).chosen_organization == ""


def test_switch_to_foreign_organization_is_refused(manager: Browser) -> None:
    choose(manager, HILL)
    altered = [HARBOUR.upper(), HARBOUR + "\x00", HARBOUR + " "]
    for organization_id in ["", ISLE, *altered, "\x00", "None", "\ud7ff", "😀", "x" * 100_000, "[]"]:
        response = choose(manager, organization_id, next="/session/branch")
        assert response.status_code == 403, organization_id[:20]
        assert response["Cache-Control"] == "no-store"
        assert row_of(manager).chosen_organization == HILL


def test_checked_id_is_the_chosen_id(manager: Browser) -> None:
    for ids in ([HARBOUR, ISLE], [ISLE, HARBOUR]):
        manager.client.post("/choose-organization", {"organization_id": ids})
    assert row_of(manager).chosen_organization == HARBOUR
    query = f"?organization_id={HILL}"
    assert manager.client.post("/choose-organization" + query).status_code == 403
    assert row_of(manager).chosen_organization == HARBOUR


def test_switcher_redirects_to_this_site_only(manager: Browser) -> None:
    for next_url in ("//evil.example", "/\\evil.example", "/choose-organization", "/sign-out"):
        response = choose(manager, HARBOUR, next=next_url)
        assert (response.status_code, response["Location"]) == (302, "/"), next_url


def test_odd_switcher_form_changes_nothing(manager: Browser) -> None:
    for body, content_type in [
        (b"\xff\xfe", "application/x-www-form-urlencoded"),
        (b'{"organization_id": "harbour00001"}', "application/json"),
        (b"--x\r\n", "multipart/form-data; boundary=x"),
        (b"organization_id=harbour00001", "text/plain"),
        (b"&".join([b"a=b"] * 2000), "application/x-www-form-urlencoded"),
    ]:
        response = manager.client.post("/choose-organization", body, content_type=content_type)
        assert response.status_code in (400, 403), content_type
        assert row_of(manager).chosen_organization == ""


def test_anonymous_user_cannot_choose(manager: Browser) -> None:
    stranger = Client()
    response = stranger.post("/choose-organization", {"organization_id": HARBOUR, "next": "//evil.example"})
    assert (response.status_code, response["Location"]) == (302, "/sign-in?next=/")
    assert not stranger.cookies.get("bookstore_session")
    get_user_model().objects.create_user("local", password="secret")
    stranger.login(username="local", password="secret")
    assert stranger.post("/choose-organization", {"organization_id": HARBOUR}).status_code == 403
