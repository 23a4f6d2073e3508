"""Pages and searches of lists, also in a large tenant."""

import re

import pytest

from logto_auth.emulator import run_in_thread
from tests.emulator.management_api_client import ManagementAPI


def names(response):
    return [user["username"] for user in response.json()]


def test_newest_users_come_first_in_pages_of_twenty(emulator, api):
    for number in range(30):
        emulator.tenant.add_user(username=f"user_{number}")
    first, second = api.get("/users"), api.get("/users", page=2)
    assert names(first) == [f"user_{number}" for number in range(29, 9, -1)]
    assert len(names(second)) == 16
    assert first.headers["Total-Number"] == second.headers["Total-Number"] == "36"


def test_link_header_lists_pages_without_api_prefix(emulator, api):
    response = api.get("/users", page=2, page_size=1, search="%o%")
    pages = {rel: url for url, rel in re.findall(r'<([^>]+)>; rel="(\w+)"', response.headers["Link"])}
    assert list(pages) == ["first", "prev", "last", "next"]
    assert pages["next"].startswith(f"{emulator.endpoint}/users?")
    assert "page=3" in pages["next"]
    assert "search=%25o%25" in pages["next"]


def test_page_after_the_last_is_empty(api):
    assert api.get("/users", page=99).json() == []


@pytest.mark.parametrize("query", [{"page": 0}, {"page": "x"}, {"page": 2**63}, {"page_size": 0}, {"page_size": 101}])
def test_invalid_pages_are_refused(api, query):
    response = api.get("/users", **query)
    assert (response.status_code, response.json()["code"]) == (400, "guard.invalid_pagination")


def test_some_lists_are_complete_without_page_parameter(emulator, api):
    for number in range(25):
        emulator.tenant.add_application(name=f"App {number}")
    whole, page = api.get("/applications"), api.get("/applications", page=1)
    assert len(whole.json()) == 30
    assert "Total-Number" not in whole.headers
    assert len(page.json()) == 20
    assert page.headers["Total-Number"] == "30"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"search": "%@bookstore.example"}, ["suspended", "manager", "owner", "admin", "editor", "customer"]),
        ({"search.username": "EDIT%"}, ["editor"]),
        ({"search.username": "EDIT%", "isCaseSensitive": "true"}, []),
        ({"search.username": "edit"}, []),
        ({"search.username": "editor", "mode": "exact"}, ["editor"]),
        ({"search.username": "^ed", "mode.username": "posix"}, ["editor"]),
        ({"search.username": "(editor|admin)", "mode": "similar_to"}, ["admin", "editor"]),
        ({"search.username": "%i%", "search.name": "Ed%", "joint": "and"}, ["editor"]),
        ({"search.username": "admin", "search.name": "Ed%"}, ["admin", "editor"]),
    ],
)
def test_search_finds_users(api, query, found):
    assert names(api.get("/users", **query)) == found


@pytest.mark.parametrize(
    "query",
    [
        {"search.shoe": "1"},
        {"search": "%", "mode": "fuzzy"},
        {"search": "%", "joint": "xor"},
        {"search": "(", "mode": "posix"},
        {"excludeRoleId": "x", "excludeOrganizationId": "y"},
    ],
)
def test_invalid_searches_are_refused(api, query):
    response = api.get("/users", **query)
    assert (response.status_code, response.json()["code"]) == (400, "request.invalid_input")


def test_role_holders_and_members_can_be_excluded(api):
    assert "editor" not in names(api.get("/users", excludeRoleId="roleeditor00000000001"))
    assert names(api.get("/users", excludeOrganizationId="harbourbr001")) == ["suspended", "customer"]


def test_large_tenant_is_listed_within_a_second():
    with run_in_thread() as emulator:
        for number in range(20_000):
            emulator.tenant.add_user(username=f"user_{number}", primary_email=f"user_{number}@example.com")
        api = ManagementAPI(emulator)
        page = api.get("/users", page=200, page_size=100)
        assert names(page)[-1] == "user_0"
        assert page.headers["Total-Number"] == "20000"
        # Some 0.05 s on a machine that does nothing else; each user looked up among all would take minutes.
        assert page.elapsed.total_seconds() < 5
        found = api.get("/users", **{"search.primaryEmail": "user_7@example.com", "mode.primaryEmail": "exact"})
        assert names(found) == ["user_7"]
        api.http.close()


@pytest.mark.parametrize(
    "path", ["organizations/nope/users", "organizations/nope/applications", "resources/nope/scopes"]
)
def test_lists_of_unknown_objects_are_empty(api, path):
    response = api.get(f"/{path}")
    assert (response.status_code, response.json(), response.headers["Total-Number"]) == (200, [], "0")


def test_unknown_user_has_no_sessions(api):
    assert api.get("/users/nope/sessions").json() == {"sessions": []}


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("get", "one-time-tokens/nope", "entity.not_exists_with_id"),
        ("delete", "one-time-tokens/nope", "entity.not_found"),
        ("get", "organization-roles/nope", "entity.not_found"),
        ("get", "organization-scopes/nope", "entity.not_exists_with_id"),
        ("delete", "applications/nope", "entity.not_exists_with_id"),
        ("get", "applications/nope/roles", "entity.not_exists_with_id"),
    ],
)
def test_code_for_unknown_object_depends_on_route(api, method, path, code):
    response = getattr(api, method)(f"/{path}")
    assert (response.status_code, response.json()["code"]) == (404, code)


def test_webhook_has_a_name_that_is_not_empty(api):
    hook = {"name": "", "events": ["User.Created"], "config": {"url": "http://localhost:9/"}}
    assert api.post("/hooks", hook).json()["code"] == "guard.invalid_input"
