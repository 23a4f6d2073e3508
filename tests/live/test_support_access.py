"""Support access: what Logto's tokens for another user contain, and when Logto refuses them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from .conftest import MakePerson, opened
from .people import Person
from .sites import Site, eventually
from .targets import Target
from .test_browser_tokens import claims_of
from .test_calls_of_logto import suspend
from .test_rights import Rights

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]

# Names of users at Logto, which are deleted after the run.
numbers = count(1)

PERMIT = """
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
user = get_user_model().objects.get(username={username!r})
user.is_staff = True
user.save()
user.user_permissions.add(Permission.objects.get(codename="impersonate_users"))
"""


@pytest.fixture(scope="module")
def desk(target: Target, tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Iterator[Site]:
    """A site with support access, which asks Logto after every second."""
    folder = tmp_path_factory.mktemp("desk")
    site = Site(target, "desk", folder, has_webhooks=False, freshness_seconds=1, has_support_access=True)
    with opened(site, empty_database):
        yield site


@pytest.fixture
def staff(desk: Site, make_person: MakePerson) -> Person:
    """A staff member who may act as users."""
    staff = make_person(f"helper{next(numbers)}")
    staff.sign_in(desk)
    desk.command("shell", "-c", PERMIT.format(username=staff.username))
    return staff


@pytest.fixture
def customer(desk: Site, make_person: MakePerson) -> Person:
    customer = make_person(f"helped{next(numbers)}")
    Rights(desk).give_role(customer)
    customer.sign_in(desk)
    return customer


def start(desk: Site, staff: Person, customer: Person) -> None:
    """Let the staff member act as the customer."""
    key = customer.at(desk)["user_id"]
    fields = {"action": "start", "reason": "Ticket 4711", "seconds": "900"}
    answer = staff.post(desk, f"/support-access/users/{key}", fields)
    assert answer.status_code == 302, (answer.status_code, answer.text, desk.log())


def end_of_support_access(desk: Site, staff: Person) -> str:
    """Return the URL to which the first page after the end redirects. The site asks Logto after a second."""
    urls: list[str] = []

    def has_ended() -> bool:
        urls.append(staff.get(desk, "/").headers.get("Location", ""))
        return bool(urls[-1])

    eventually(has_ended, desk.log)
    return urls[-1]


def test_staff_have_the_claims_and_permissions_of_the_user(
    desk: Site, staff: Person, customer: Person, target: Target
) -> None:
    rights = Rights(desk)
    branch = rights.make_organization("support")
    rights.add_member(branch, customer, "clerk")
    start(desk, staff, customer)

    seen = staff.at(desk)
    assert (seen["user"], seen["sub"], seen["impersonator"]) == (customer.username, customer.id, staff.username)
    assert seen["roles"] == [f"{target.run} editor"]
    assert seen["organizations"] == {branch: [f"{target.run} clerk"]}

    claims = claims_of(staff.get(desk, "/token/", resource=rights.resource).json()["token"])
    assert (claims["sub"], claims["act"]["sub"]) == (customer.id, staff.id)
    assert claims["scope"].split() == ["read:books", "write:books"]
    claims = claims_of(staff.get(desk, "/token/", organization_id=branch).json()["token"])
    assert (claims["sub"], claims["act"]["sub"]) == (customer.id, staff.id)

    staff.post(desk, "/support-access/leave")
    seen = staff.at(desk)
    assert (seen["user"], seen["impersonator"]) == (staff.username, None)
    assert customer.is_signed_in(desk)


def test_suspension_of_the_user_ends_it(desk: Site, staff: Person, customer: Person) -> None:
    start(desk, staff, customer)
    suspend(desk, customer)
    assert "ended=user_refused" in end_of_support_access(desk, staff)
    assert staff.at(desk)["user"] == staff.username


def test_suspended_user_is_refused(desk: Site, staff: Person, customer: Person) -> None:
    key = customer.at(desk)["user_id"]
    suspend(desk, customer)
    fields = {"action": "start", "reason": "Ticket 4711", "seconds": "900"}
    answer = staff.post(desk, f"/support-access/users/{key}", fields)
    assert answer.status_code != 302, desk.log()
    assert staff.at(desk)["user"] == staff.username


def test_suspension_of_the_staff_member_ends_it(desk: Site, staff: Person, customer: Person) -> None:
    start(desk, staff, customer)
    suspend(desk, staff)
    assert "ended=impersonator_session_ended" in end_of_support_access(desk, staff)
    assert not staff.is_signed_in(desk)


def test_sign_out_ends_the_session_of_the_staff_member_at_logto(desk: Site, staff: Person, customer: Person) -> None:
    start(desk, staff, customer)
    staff.sign_out(desk)
    assert not staff.is_signed_in(desk)
    assert customer.is_signed_in(desk)
