"""Roles and removal of members, the last owner, and what follows on this site."""

from __future__ import annotations

from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connections

from logto_auth.emulator import Emulator
from logto_auth.exceptions import ManagementAPIError, ProviderError
from logto_auth.models import LogtoSession, Organization, OrganizationMembership
from logto_auth.organizations.console.errors import (
    ChangedMeanwhile,
    ConsoleError,
    Incomplete,
    LastOwner,
    MemberGone,
    NotAMember,
    NotPermitted,
    RoleNotGrantable,
)
from logto_auth.sessions.principal import session_principal

from .service import HARBOUR, HILL, Caller, Signals, broken, sub_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("service_site")]


def members(logto: Emulator, organization_id: str = HARBOUR) -> dict[str, list[str]]:
    return logto.tenant.organizations[organization_id].members


def stored(username: str) -> list[str] | None:
    """Return the roles that this site has stored for a member of the harbour."""
    row = OrganizationMembership.objects.filter(identity__sub=sub_of(username), organization__logto_id=HARBOUR).first()
    return row.roles if row else None


# The list


def test_members_are_found_by_text_and_page(logto: Emulator) -> None:
    for number in range(22):
        user = logto.tenant.add_user(username=f"clerk{number:02}", name=None)
        logto.tenant.add_member(HARBOUR, user.id)
    organization = Caller(logto, "staff").at()
    second = organization.members(page=2)
    assert (len(second.members), second.count, second.last_number) == (5, 25, 2)
    found = organization.members(search=" CLERK07\x00 ")
    assert [(each.name, each.email, each.roles) for each in found.members] == [("clerk07", "", ())]
    assert organization.members(page=-3).number == 1
    assert organization.members(page=99).members == ()


def test_search_does_not_find_phone_numbers(logto: Emulator) -> None:
    user = logto.tenant.add_user(username="clerk5550", primary_phone="15551234")
    logto.tenant.add_member(HARBOUR, user.id)
    organization = Caller(logto, "staff").at()
    for text, count in (("5550", 1), ("5551", 0), ("5_51", 0), ("1%1234", 0), ("clerk", 1)):
        page = organization.members(search=text)
        assert (page.count, len(page.members)) == (count, count), text


def test_member_of_other_organization_is_not_shown(logto: Emulator) -> None:
    organization = Caller(logto, "owner").at()
    for user_id in (sub_of("other"), "unknown", "..", "", "a/b", "\ud800", "x" * 3000):
        with pytest.raises(MemberGone):
            organization.member(user_id)


# Roles


def test_roles_of_other_member_change_at_once(logto: Emulator, signals: Signals) -> None:
    staff = Caller(logto, "staff")
    member = Caller(logto, "owner").at().set_roles(staff.sub, ["manager", "guest"], before=["staff"])
    assert member.roles == ("guest", "manager")
    assert sorted(members(logto)[staff.sub]) == ["guest", "manager"]
    assert stored("staff") == ["guest", "manager"]
    assert signals.actions == [("member_roles_changed", HARBOUR, staff.sub)]
    assert signals.memberships == [(staff.sub, {HARBOUR: ["staff"]}, {HARBOUR: ["guest", "manager"]})]
    # The next request of the member asks Logto.
    seen = staff.browser.client.get("/").wsgi_request.logto.organizations[0].roles
    assert sorted(seen) == ["guest", "manager"]


def test_own_roles_change_in_own_session(logto: Emulator) -> None:
    owner = Caller(logto, "owner")
    request = owner.request
    organization = owner.console.organization(HARBOUR)
    organization.set_roles(owner.sub, ["owner", "staff"])
    assert sorted(session_principal(request).organizations[0].roles) == ["owner", "staff"]


def test_roles_that_somebody_else_has_changed_are_kept(logto: Emulator) -> None:
    organization = Caller(logto, "owner").at()
    logto.tenant.add_member(HARBOUR, sub_of("staff"), roles=["guest"])
    with pytest.raises(ChangedMeanwhile):
        organization.set_roles(sub_of("staff"), ["staff", "manager"], before=["staff"])
    assert members(logto)[sub_of("staff")] == ["guest"]


def test_same_change_by_somebody_else_is_no_conflict(logto: Emulator, signals: Signals) -> None:
    organization = Caller(logto, "owner").at()
    logto.tenant.add_member(HARBOUR, sub_of("staff"), roles=["manager"])
    assert organization.set_roles(sub_of("staff"), ["manager"], before=["staff"]).roles == ("manager",)
    assert signals.actions == []


def test_failure_half_way_is_told_and_finished(logto: Emulator, signals: Signals) -> None:
    organization, staff = Caller(logto, "owner").at(), sub_of("staff")
    broken(logto, "DELETE .*")
    with pytest.raises(Incomplete) as caught:
        organization.set_roles(staff, ["manager"], before=["staff"])
    assert [str(each) for each in caught.value.done] == ["The roles were added: manager."]
    assert sorted(members(logto)[staff]) == ["manager", "staff"]
    # Receivers learn of what was done.
    assert signals.actions == [("member_roles_changed", HARBOUR, staff)]
    logto.faults.clear()
    assert organization.set_roles(staff, ["manager"], before=["staff"]).roles == ("manager",)
    assert members(logto)[staff] == ["manager"]
    assert signals.actions == [("member_roles_changed", HARBOUR, staff)] * 2


def test_change_whose_answer_was_lost_is_stored_by_the_repetition(logto: Emulator) -> None:
    owner, staff = Caller(logto, "owner"), Caller(logto, "staff")
    broken(logto, "POST .*/roles", status=None, body=None, truncate_after=1, times=1)
    with pytest.raises(ProviderError):
        owner.at().set_roles(staff.sub, ["staff", "manager"], before=["staff"])
    assert stored("staff") == ["staff"]
    assert owner.at().set_roles(staff.sub, ["staff", "manager"], before=["staff"]).roles == ("manager", "staff")
    assert stored("staff") == ["manager", "staff"]


def test_failure_of_first_step_changes_nothing(logto: Emulator) -> None:
    organization = Caller(logto, "owner").at()
    broken(logto, "POST .*")
    with pytest.raises(ManagementAPIError):
        organization.set_roles(sub_of("staff"), ["manager"])
    assert members(logto)[sub_of("staff")] == ["staff"]


def test_roles_need_the_right(logto: Emulator) -> None:
    with pytest.raises(NotPermitted):
        Caller(logto, "staff").at().set_roles(sub_of("staff"), ["guest"])


def test_roles_of_removed_member_cannot_change(logto: Emulator) -> None:
    Caller(logto, "staff")
    organization = Caller(logto, "owner").at()
    logto.tenant.remove_member(HARBOUR, sub_of("staff"))
    with pytest.raises(MemberGone):
        organization.set_roles(sub_of("staff"), ["guest"])
    assert stored("staff") is None


# Removal


def test_removed_member_has_left_at_once(logto: Emulator, signals: Signals) -> None:
    staff = Caller(logto, "staff")
    Caller(logto, "manager").at().remove(staff.sub)
    assert staff.sub not in members(logto)
    assert stored("staff") is None
    assert signals.actions == [("member_removed", HARBOUR, staff.sub)]
    assert signals.memberships == [(staff.sub, {HARBOUR: ["staff"]}, {})]
    assert staff.browser.client.get("/").wsgi_request.logto.organizations == ()


def test_manager_cannot_remove_member_with_other_roles(logto: Emulator) -> None:
    logto.tenant.add_member(HARBOUR, sub_of("staff"), roles=["staff", "manager"])
    with pytest.raises(RoleNotGrantable):
        Caller(logto, "manager").at().remove(sub_of("staff"))


def test_member_who_is_gone_is_told(logto: Emulator, signals: Signals) -> None:
    organization = Caller(logto, "owner").at()
    Caller(logto, "staff")
    logto.tenant.remove_member(HARBOUR, sub_of("staff"))
    with pytest.raises(MemberGone):
        organization.remove(sub_of("staff"))
    assert stored("staff") is None
    assert signals.actions == []
    with pytest.raises(MemberGone):
        organization.remove(sub_of("other"))
    assert sub_of("other") in members(logto, HILL)


# A proxy may answer 404 too.
@pytest.mark.parametrize("status", [503, 404])
def test_removal_that_logto_does_not_confirm_is_not_stored(logto: Emulator, signals: Signals, status: int) -> None:
    Caller(logto, "staff")
    organization = Caller(logto, "owner").at()
    broken(logto, "DELETE .*", status=status)
    with pytest.raises(ManagementAPIError):
        organization.remove(sub_of("staff"))
    assert stored("staff") == ["staff"]
    assert signals.actions == []


def test_own_session_that_ends_after_a_change_does_not_hide_it(logto: Emulator, signals: Signals) -> None:
    staff = Caller(logto, "staff")
    organization = staff.at()
    logto.tenant.suspend_user(staff.sub)
    organization.leave()
    assert signals.actions == [("member_left", HARBOUR, staff.sub)]
    assert not LogtoSession.objects.exists()


# The last owner


def test_last_owner_stays(logto: Emulator) -> None:
    organization = Caller(logto, "owner").at()
    for change in (
        organization.leave,
        lambda: organization.remove(sub_of("owner")),
        lambda: organization.set_roles(sub_of("owner"), ["manager"]),
    ):
        with pytest.raises(LastOwner):
            change()
    assert members(logto)[sub_of("owner")] == ["owner"]


def test_suspended_owner_is_no_other_owner(logto: Emulator) -> None:
    logto.tenant.add_member(HARBOUR, sub_of("staff"), roles=["owner"])
    logto.tenant.suspend_user(sub_of("staff"))
    with pytest.raises(LastOwner):
        Caller(logto, "owner").at().leave()


def test_owner_leaves_another_one(logto: Emulator, signals: Signals) -> None:
    logto.tenant.add_member(HARBOUR, sub_of("staff"), roles=["staff", "owner"])
    owner = Caller(logto, "owner")
    owner.at().leave()
    assert signals.actions == [("member_left", HARBOUR, owner.sub)]
    assert session_principal(owner.request).organizations == ()
    with pytest.raises(NotAMember):
        owner.at()
    with pytest.raises(LastOwner):
        Caller(logto, "staff").at().leave()


def test_member_without_owner_role_leaves(logto: Emulator) -> None:
    Caller(logto, "staff").at().leave()
    assert sub_of("staff") not in members(logto)
    assert Organization.objects.filter(logto_id=HARBOUR).exists()


def test_user_who_was_removed_cannot_leave(logto: Emulator) -> None:
    organization = Caller(logto, "staff").at()
    logto.tenant.remove_member(HARBOUR, sub_of("staff"))
    with pytest.raises(NotAMember):
        organization.leave()


@pytest.mark.django_db(transaction=True)
def test_two_owners_cannot_leave_at_once(logto: Emulator) -> None:
    logto.tenant.add_member(HARBOUR, sub_of("staff"), roles=["owner"])
    organizations = [Caller(logto, username).at() for username in ("owner", "staff")]
    barrier, results = Barrier(2), list[str]()
    # Long enough for both to see the other as an owner, if they did not wait for each other.
    broken(logto, "DELETE .*", status=None, body=None, delay_seconds=0.5)

    def leave(organization: Any) -> None:
        try:
            barrier.wait()
            organization.leave()
            results.append("left")
        except ConsoleError as error:
            results.append(error.code)
        finally:
            connections.close_all()

    threads = [Thread(target=leave, args=(each,)) for each in organizations]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["last_owner", "left"]
    assert len([roles for roles in members(logto).values() if "owner" in roles]) == 1


def test_sessions_of_removed_member_are_stale(logto: Emulator) -> None:
    Caller(logto, "staff")
    versions = dict(LogtoSession.objects.values_list("identity__sub", "version"))
    Caller(logto, "owner").at().remove(sub_of("staff"))
    assert LogtoSession.objects.get(identity__sub=sub_of("staff")).version == versions[sub_of("staff")] + 1
