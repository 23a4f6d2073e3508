"""`/api/branches/<organization_id>/stock/`."""

from __future__ import annotations

import pytest
from django.test import Client

from bookstore.branches.models import Stock
from logto_auth.models import Organization
from logto_auth.testing import Browser

from .programs import API, HARBOUR, HILL, Program, token_of_person, token_of_robot


@pytest.fixture
def robot(logto, tenant) -> Program:
    """A machine that keeps the stock of Harbour Branch."""
    return Program(token_of_robot(logto, "manage:stock", organization_id=HARBOUR))


@pytest.fixture
def manager(logto, tenant) -> Program:
    """The app of a user who manages both branches, with a token for Harbour Branch."""
    return Program(token_of_person(logto, "admin", HARBOUR))


def path(book=None, branch: str = HARBOUR) -> str:
    return f"/api/branches/{branch}/stock/" + (f"{book.slug}/" if book else "")


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize("who", ["robot", "manager"])
def test_first_call_creates_the_organization_row(request, emma, method, who):
    """Neither the machine nor the person was ever at the website."""
    caller = request.getfixturevalue(who)
    assert not Organization.objects.exists()
    response = getattr(caller, method)(path(emma), {"copies": 7})
    assert (response.status_code, response.json()) == (200, {"book": emma.slug, "title": "Emma", "copies": 7})
    stock = Stock.objects.get()
    assert (stock.organization.logto_id, stock.organization.name, stock.copies) == (HARBOUR, "", 7)


def test_branch_name_is_stored_at_first_sign_in(robot, emma, browser):
    robot.put(path(emma), {"copies": 7})
    browser.sign_in("admin")
    assert Stock.objects.get().organization.name == "Harbour Branch"
    assert Organization.objects.count() == 2


def test_reading_creates_no_rows(robot, emma):
    assert robot.get(path()).json()["results"] == []
    assert robot.get(path(emma)).json() == {"book": emma.slug, "title": "Emma", "copies": 0}
    assert not Organization.objects.exists()
    assert not Stock.objects.exists()


def test_stock_is_sorted_with_constant_queries(robot, emma, kokoro, songs, django_assert_num_queries):
    for copies, book in enumerate([emma, kokoro, songs]):
        robot.put(path(book), {"copies": copies})
    with django_assert_num_queries(2):  # count, stock with books
        response = robot.get(path())
    assert [(row["title"], row["copies"]) for row in response.json()["results"]] == [
        ("Book of Songs", 2),
        ("Emma", 0),
        ("Kokoro", 1),
    ]


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({}, {"copies": ["This field is required."]}),
        ({"copies": -1}, {"copies": ["Ensure this value is greater than or equal to 0."]}),
        ({"copies": "many"}, {"copies": ["A valid integer is required."]}),
        ({"copies": None}, {"copies": ["This field may not be null."]}),
    ],
)
def test_field_errors_name_the_field(robot, emma, body, faults):
    response = robot.put(path(emma), body)
    assert (response.status_code, response.json()) == (400, faults)
    assert not Stock.objects.exists()


def test_only_the_copies_can_be_changed(robot, emma, kokoro):
    robot.put(path(emma), {"copies": 7})
    assert robot.patch(path(emma), {}).json()["copies"] == 7
    robot.put(path(emma), {"copies": 1, "book": kokoro.slug, "organization": HILL})
    stock = Stock.objects.get()
    assert (stock.book, stock.organization.logto_id, stock.copies) == (emma, HARBOUR, 1)


def test_a_book_that_does_not_exist_is_not_found(robot):
    response = robot.put("/api/branches/harbourbr001/stock/no-such-book/", {"copies": 1})
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


# Who may


def refusal(response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


@pytest.mark.parametrize("who", ["robot", "manager"])
def test_token_of_another_branch_is_refused(request, emma, who):
    """The manager has the same right in the other branch, and would need a token for that."""
    caller = request.getfixturevalue(who)
    hill = Organization.objects.create(issuer="elsewhere", logto_id=HILL)
    Stock.objects.create(organization=hill, book=emma, copies=3)
    for response in (
        caller.get(path(branch=HILL)),
        caller.get(path(emma, HILL)),
        caller.put(path(emma, HILL), {"copies": 0}),
        caller.patch(path(emma, HILL), {"copies": 0}),
    ):
        assert refusal(response) == (403, "insufficient_scope")
    assert Stock.objects.get().copies == 3


@pytest.mark.parametrize("branch", ["harbourbr001 ", "HARBOURBR001", "%00", "urn:logto:organization:harbourbr001"])
def test_branch_id_must_match_exactly(robot, branch):
    assert refusal(robot.get(path(branch=branch))) == (403, "insufficient_scope")


def test_token_without_permission_is_refused(logto, tenant, emma):
    staff = Program(token_of_person(logto, "editor", HARBOUR))
    response = staff.put(path(emma), {"copies": 1})
    assert refusal(response) == (403, "insufficient_scope")
    assert 'scope="manage:stock"' in response["WWW-Authenticate"]
    assert refusal(staff.get(path())) == (403, "insufficient_scope")


def test_api_token_is_refused_for_a_branch(logto, tenant):
    for token in (token_of_person(logto, "admin"), token_of_robot(logto, "write:books", resource=API)):
        assert refusal(Program(token).get(path())) == (401, "invalid_token")


def test_branch_token_is_refused_for_books(robot, emma):
    assert refusal(robot.delete(f"/api/books/{emma.slug}/")) == (401, "invalid_token")


def test_missing_token_is_challenged(tenant, emma):
    response = Program().put(path(emma), {"copies": 1})
    assert refusal(response) == (401, "not_authenticated")
    assert response["WWW-Authenticate"].startswith("Bearer ")


def test_manager_session_with_csrf_token_is_accepted(logto, tenant, emma):
    browser = Browser(logto, Client(enforce_csrf_checks=True))
    browser.sign_in("admin")
    change = {"data": {"copies": 5}, "content_type": "application/json"}
    assert browser.client.put(path(emma), **change).status_code == 403
    token = str(browser.client.get("/").context["csrf_token"])
    assert browser.client.put(path(emma), **change, headers={"X-CSRFToken": token}).json()["copies"] == 5


def test_session_of_another_branch_is_refused(browser, tenant, emma):
    tenant.add_member(HARBOUR, "editor000001", roles=["manager"])
    browser.sign_in("editor")
    assert browser.client.get(path(emma)).status_code == 200
    assert refusal(browser.client.get(path(emma, HILL))) == (403, "insufficient_scope")
