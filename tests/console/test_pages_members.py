"""The pages of the members of an organization."""

from __future__ import annotations

import re
from typing import Any

import pytest

from logto_auth.emulator import Emulator
from logto_auth.testing import Browser

from .console_site import HARBOUR, HILL, notices_of, signed_in, sub_of, text_of

pytestmark = pytest.mark.django_db

PAGE = f"/organizations/{HARBOUR}/members"


@pytest.fixture
def logto(console_site: Emulator) -> Emulator:
    return console_site


@pytest.fixture
def owner(logto: Emulator) -> Browser:
    return signed_in(logto, "owner")


@pytest.fixture
def manager(logto: Emulator) -> Browser:
    return signed_in(logto, "manager")


def save(browser: Browser, username: str, roles: list[str], *, before: list[str]) -> Any:
    data = {"action": "roles", "roles": roles, "before": before}
    return browser.client.post(f"{PAGE}/{sub_of(username)}", data)


def remove(browser: Browser, username: str) -> Any:
    return browser.client.post(f"{PAGE}/{sub_of(username)}", {"action": "remove"})


def roles_of(logto: Emulator, username: str) -> list[str] | None:
    roles = logto.tenant.organizations[HARBOUR].members.get(sub_of(username))
    return None if roles is None else sorted(roles)


def checked(response: Any) -> list[str]:
    """Return the roles whose boxes are checked."""
    boxes = re.findall(r'<input type="checkbox"[^>]*>', response.content.decode())
    return [re.findall('value="([^"]*)"', box)[0] for box in boxes if "checked" in box]


def test_members_are_listed_with_their_roles(logto: Emulator) -> None:
    page = text_of(signed_in(logto, "staff").open(PAGE))
    assert "3 members" in page
    for text in ("Owner owner@bookstore.example owner", "Manager manager@", "Staff You staff@bookstore.example staff"):
        assert text in page
    assert "Other" not in page


def test_members_are_found_by_name_and_address(owner: Browser) -> None:
    response = owner.client.get(PAGE, {"q": "manager@"})
    assert "1 member found for “manager@”" in text_of(response)
    assert "staff@" not in text_of(response)
    nothing = owner.client.get(PAGE, {"q": "<nobody>"})
    assert "0 members found for “&lt;nobody&gt;”" in text_of(nothing)
    assert "Show all members" in text_of(nothing)
    # What Logto's database refuses is not sent.
    assert owner.client.get(PAGE, {"q": "\0"}).status_code == 200


def test_members_have_pages(logto: Emulator, owner: Browser) -> None:
    for number in range(20):
        user = logto.tenant.add_user(username=f"sailor{number:02}", name=f"Sailor {number:02}")
        logto.tenant.add_member(HARBOUR, user.id)
    first, second = owner.open(PAGE), owner.client.get(PAGE, {"page": "2"})
    assert "Page 1 of 2" in text_of(first)
    assert f'href="{PAGE}?page=2"' in first.content.decode()
    assert "Page 2 of 2" in text_of(second)
    names = re.findall(r"(?:Sailor \d\d|Owner|Manager|Staff)\b", text_of(first) + text_of(second))
    assert len(set(names)) == 23
    found = owner.client.get(PAGE, {"q": "sailor", "page": "9"})
    assert found["Location"] == f"{PAGE}?q=sailor"
    for page in ("0", "-1", "x", "²", "9" * 30):
        assert owner.client.get(PAGE, {"page": page}).status_code in (200, 302)


def test_owner_changes_roles(logto: Emulator, owner: Browser) -> None:
    page = owner.open(f"{PAGE}/{sub_of('staff')}")
    assert checked(page) == ["staff"]
    response = save(owner, "staff", ["manager"], before=["staff"])
    assert "The roles have been saved." in notices_of(owner, response)
    assert roles_of(logto, "staff") == ["manager"]


def test_role_that_user_may_not_grant_stays(logto: Emulator, manager: Browser) -> None:
    logto.tenant.add_member(HARBOUR, sub_of("staff"), roles=["manager", "staff"])
    page = manager.open(f"{PAGE}/{sub_of('staff')}")
    assert "Roles that you may not change: manager" in text_of(page)
    assert 'value="remove"' not in page.content.decode()
    assert save(manager, "staff", [], before=["manager", "staff"]).status_code == 302
    assert roles_of(logto, "staff") == ["manager"]


def test_role_beyond_the_grants_is_refused(logto: Emulator, manager: Browser) -> None:
    for role in ("owner", "unknown"):
        response = save(manager, "staff", [role, "staff"], before=["staff"])
        assert "Select a valid choice" in text_of(response)
        # Nor does it help to claim that the member has it already.
        save(manager, "staff", ["staff"], before=[role, "staff"])
    assert roles_of(logto, "staff") == ["staff"]


def test_change_of_another_manager_is_not_overwritten(logto: Emulator, owner: Browser) -> None:
    owner.open(f"{PAGE}/{sub_of('staff')}")
    logto.tenant.add_member(HARBOUR, sub_of("staff"), roles=["owner"])
    response = save(owner, "staff", ["manager"], before=["staff"])
    assert response.status_code == 409
    assert "has changed this in the meantime." in text_of(response)
    assert "Present roles: owner" in text_of(response)
    assert checked(response) == ["manager"]
    assert roles_of(logto, "staff") == ["owner"]
    # The same form is sent again by a user who has read that.
    assert save(owner, "staff", ["manager"], before=["owner"]).status_code == 302
    assert roles_of(logto, "staff") == ["manager"]


def test_own_roles_count_at_once(logto: Emulator, owner: Browser) -> None:
    logto.tenant.add_member(HARBOUR, sub_of("manager"), roles=["owner"])
    response = save(owner, "owner", ["staff"], before=["owner"])
    assert response["Location"] == f"/organizations/{HARBOUR}/"
    page = owner.open(response["Location"])
    assert "Your roles: staff" in text_of(page)
    assert page.wsgi_request.logto.organizations[0].roles == ("staff",)


def test_last_owner_stays(logto: Emulator, owner: Browser) -> None:
    for response in (save(owner, "owner", ["staff"], before=["owner"]), remove(owner, "owner")):
        assert response.status_code == 409
        assert "The organization would have no owner." in text_of(response)
    assert roles_of(logto, "owner") == ["owner"]


def test_member_is_removed_after_a_confirmation(logto: Emulator, owner: Browser) -> None:
    assert "<summary>Remove from the organization" in owner.open(f"{PAGE}/{sub_of('staff')}").content.decode()
    response = remove(owner, "staff")
    assert response["Location"] == PAGE
    assert "The member has been removed from the organization." in notices_of(owner, response)
    assert roles_of(logto, "staff") is None


def test_member_who_is_gone_needs_no_removal(logto: Emulator, owner: Browser) -> None:
    logto.tenant.remove_member(HARBOUR, sub_of("staff"))
    assert "no longer a member" in notices_of(owner, remove(owner, "staff"))
    for response in (
        owner.open(f"{PAGE}/{sub_of('staff')}"),
        save(owner, "staff", ["manager"], before=["staff"]),
        owner.open(f"{PAGE}/{sub_of('other')}"),
    ):
        assert response.status_code == 404
        assert "This user is no longer a member" in text_of(response)
        assert "other@" not in text_of(response)
        assert f'href="{PAGE}"' in response.content.decode()
    assert HILL in logto.tenant.organizations


def test_manager_cannot_remove_an_owner(logto: Emulator, manager: Browser) -> None:
    response = remove(manager, "owner")
    assert response.status_code == 403
    assert "You may not give or take away one of these roles." in text_of(response)
    assert roles_of(logto, "owner") == ["owner"]


def test_user_removed_while_they_act_reads_so(logto: Emulator, manager: Browser) -> None:
    manager.open(f"{PAGE}/{sub_of('staff')}")
    logto.tenant.remove_member(HARBOUR, sub_of("manager"))
    response = save(manager, "staff", [], before=["staff"])
    assert response.status_code == 404
    assert "There is no such organization, or you are not a member of it." in text_of(response)
    assert roles_of(logto, "staff") == ["staff"]
