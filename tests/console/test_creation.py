"""Creating, renaming and deleting organizations."""

from __future__ import annotations

from threading import Thread
from typing import Any

import pytest
from django.db import connections

from logto_auth.emulator import Emulator
from logto_auth.exceptions import ConfigurationError, LogtoError, ManagementAPIError
from logto_auth.models import Organization, OrganizationMembership
from logto_auth.organizations.console.errors import (
    Incomplete,
    InvalidName,
    NotAMember,
    NotPermitted,
    TooManyOrganizations,
)
from logto_auth.sessions.principal import session_principal

from .service import HARBOUR, Caller, Signals, broken, sub_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("service_site")]


def named(logto: Emulator, name: str) -> list[Any]:
    return [each for each in logto.tenant.organizations.values() if each.name == name]


def test_creator_owns_the_new_organization_at_once(logto: Emulator, signals: Signals) -> None:
    staff = Caller(logto, "staff")
    created = staff.console.create("  Lake 🌊  ", key="form")
    assert (created.name, created.roles) == ("Lake 🌊", ("owner",))
    assert named(logto, "Lake 🌊")[0].members == {staff.sub: ["owner"]}
    assert signals.actions == [("organization_created", created.id, "")]
    assert signals.memberships == [(staff.sub, {}, {created.id: ["owner"]})]
    row = OrganizationMembership.objects.get(organization__logto_id=created.id)
    assert (row.roles, row.organization.name) == (["owner"], "Lake 🌊")
    assert created.id in [each.id for each in session_principal(staff.request).organizations]
    assert staff.at(created.id).is_owner


@pytest.mark.parametrize(
    ("only", "done"),
    [
        pytest.param("POST /api/organizations", None, id="organization"),
        pytest.param("POST .*/users", ["The organization was created."], id="member"),
        pytest.param("POST .*/roles", ["The organization was created.", "You have become a member."], id="role"),
    ],
)
def test_failure_half_way_is_finished_by_the_same_form(
    logto: Emulator, signals: Signals, only: str, done: list[str] | None
) -> None:
    staff = Caller(logto, "staff")
    broken(logto, only)
    with pytest.raises(LogtoError) as caught:
        staff.console.create("Lake", key="form")
    assert [str(each) for each in getattr(caught.value, "done", [])] == (done or [])
    assert isinstance(caught.value, Incomplete) is bool(done)
    assert signals.actions == []
    logto.faults.clear()
    created = staff.console.create("Lake", key="form")
    assert [(each.id, each.members) for each in named(logto, "Lake")] == [(created.id, {staff.sub: ["owner"]})]
    assert len(signals.actions) == 1


def test_last_answer_that_was_lost_is_made_up_for(logto: Emulator, signals: Signals) -> None:
    staff = Caller(logto, "staff")
    broken(logto, "POST .*/roles", status=None, body=None, truncate_after=1, times=1)
    with pytest.raises(Incomplete):
        staff.console.create("Lake", key="form")
    created = staff.console.create("Lake", key="form")
    assert signals.actions == [("organization_created", created.id, "")]
    assert OrganizationMembership.objects.get(organization__logto_id=created.id).roles == ["owner"]
    assert created.id in [each.id for each in session_principal(staff.request).organizations]


def test_same_form_creates_one_organization(logto: Emulator, signals: Signals) -> None:
    staff = Caller(logto, "staff")
    first, second = (staff.console.create("Lake", key="form") for _ in range(2))
    assert (first, len(named(logto, "Lake")), len(signals.actions)) == (second, 1, 1)
    assert staff.console.create("Lake", key="another form").id != first.id


@pytest.mark.django_db(transaction=True)
def test_form_sent_twice_at_once_creates_one_organization(logto: Emulator) -> None:
    staff = Caller(logto, "staff")
    consoles = [staff.console for _ in range(2)]
    broken(logto, "POST /api/organizations", status=None, body=None, delay_seconds=0.5)

    def create(console: Any) -> None:
        try:
            console.create("Lake", key="form")
        finally:
            connections.close_all()

    threads = [Thread(target=create, args=(each,)) for each in consoles]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(named(logto, "Lake")) == 1


def test_form_of_other_user_finishes_nothing(logto: Emulator) -> None:
    staff = Caller(logto, "staff")
    broken(logto, "POST .*/users")
    with pytest.raises(Incomplete):
        staff.console.create("Lake", key="form")
    logto.faults.clear()
    Caller(logto, "other").console.create("Lake", key="form")
    assert sorted(map(list, (each.members for each in named(logto, "Lake")))) == [[], [sub_of("other")]]


def test_founder_who_was_removed_does_not_return_by_old_form(logto: Emulator) -> None:
    staff = Caller(logto, "staff")
    created = staff.console.create("Lake", key="form")
    logto.tenant.add_member(created.id, sub_of("manager"), roles=["owner"])
    logto.tenant.remove_member(created.id, staff.sub)
    assert staff.console.create("Lake", key="form").id != created.id
    logto.tenant.add_member(created.id, staff.sub, roles=[])
    assert staff.console.create("Lake", key="form").roles in [(), ("owner",)]
    assert logto.tenant.organizations[created.id].members[staff.sub] == []


def test_number_of_owned_organizations_is_limited(logto: Emulator) -> None:
    owner = Caller(logto, "owner")
    owner.console.create("Lake", key="1")
    with pytest.raises(TooManyOrganizations):
        owner.console.create("Sea", key="2")
    # The form of the last one is no other organization.
    assert owner.console.create("Lake", key="1").name == "Lake"


@pytest.mark.parametrize("name", ["", "  \x00 ", "\u200b\u202e", "x" * 129, "🌊" * 65])
def test_name_that_logto_refuses_is_not_sent(logto: Emulator, name: str) -> None:
    owner = Caller(logto, "owner")
    logto.requests.clear()
    with pytest.raises(InvalidName) as caught:
        owner.console.create(name, key="form")
    assert caught.value.field == "name"
    assert len(logto.requests.to("management_api")) == 0
    with pytest.raises(InvalidName):
        owner.at().rename(name)


def test_template_without_owner_role_is_an_error_of_the_site(logto: Emulator) -> None:
    role = logto.tenant.find_organization_role("owner")
    logto.tenant.rename_organization_role(role, "chief")
    with pytest.raises(ConfigurationError, match="owner_roles"):
        Caller(logto, "staff").console.create("Lake", key="form")
    assert named(logto, "Lake") == []


# Renaming and deleting


def test_new_name_is_seen_at_once(logto: Emulator, signals: Signals) -> None:
    manager = Caller(logto, "manager")
    organization = manager.at()
    organization.rename("Port")
    assert organization.name == "Port"
    assert signals.actions == [("organization_renamed", HARBOUR, "")]
    assert session_principal(manager.request).organizations[0].name == "Port"
    with pytest.raises(NotPermitted):
        Caller(logto, "staff").at().rename("Quay")


def test_deleted_organization_has_no_members_here(logto: Emulator, signals: Signals) -> None:
    staff, owner = Caller(logto, "staff"), Caller(logto, "owner")
    owner.at().delete()
    assert HARBOUR not in logto.tenant.organizations
    assert not OrganizationMembership.objects.filter(organization__logto_id=HARBOUR).exists()
    assert Organization.objects.filter(logto_id=HARBOUR).exists()
    assert signals.actions == [("organization_deleted", HARBOUR, "")]
    assert sorted(sub for sub, _former, _current in signals.memberships) == sorted([owner.sub, staff.sub])
    assert staff.browser.client.get("/").wsgi_request.logto.organizations == ()


def test_manager_cannot_delete(logto: Emulator) -> None:
    with pytest.raises(NotPermitted):
        Caller(logto, "manager").at().delete()


def test_organization_deleted_meanwhile_is_unknown(logto: Emulator) -> None:
    organization = Caller(logto, "owner").at()
    logto.tenant.delete_organization(HARBOUR)
    with pytest.raises(NotAMember):
        organization.rename("Port")
    organization.delete()


def test_deletion_that_logto_refuses_changes_nothing_here(logto: Emulator) -> None:
    organization = Caller(logto, "owner").at()
    broken(logto, "DELETE .*")
    with pytest.raises(ManagementAPIError):
        organization.delete()
    assert OrganizationMembership.objects.filter(organization__logto_id=HARBOUR).exists()
