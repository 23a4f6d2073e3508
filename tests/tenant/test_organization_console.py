"""The console of organizations in a declaration: each error is a sentence, and Logto is not asked."""

from __future__ import annotations

from typing import Any

import pytest

from logto_auth.emulator import Emulator
from logto_auth.management_api import ManagementAPI
from logto_auth.tenant import (
    EVERY_MEMBER,
    EVERY_USER,
    AnyRole,
    OrganizationConsole,
    OrganizationRole,
    Role,
    TenantDeclaration,
    make_plan,
)
from logto_auth.tenant.declaration import declaration_errors

INVALID: dict[str, tuple[dict[str, Any], str]] = {
    "a string of owner roles": ({"owner_roles": "owner"}, "owner_roles of organization_console is 'owner', expected"),
    "a set of owner roles": ({"owner_roles": {"owner"}}, "is {'owner'}, expected a list of roles."),
    "no owner role": ({"owner_roles": []}, "owner_roles of organization_console is empty."),
    "an unknown owner role": ({"owner_roles": ["boss"]}, "names the role 'boss', which organization_roles does not"),
    "an owner role of machines": ({"owner_roles": ["robot"]}, "'robot', which organization_roles does not declare for"),
    "an unknown permission": ({"invite": "invite:all"}, "invite of organization_console is 'invite:all', which organi"),
    "a role as a permission": ({"rename": "manager"}, 'expected a permission. For a role, write AnyRole("manager").'),
    "an empty permission": ({"delete": ""}, "delete of organization_console is '', which organization_scopes does not"),
    "a list of roles as a guard": ({"delete": ["manager"]}, "expected the name of an organization permission, AnyRole"),
    "any user as a guard": ({"view_members": EVERY_USER}, "is EVERY_USER, expected the name of an organization perm"),
    "any role of none": ({"view_members": AnyRole()}, "view_members of organization_console is AnyRole() without a"),
    "any role of an unknown one": (
        {"view_members": AnyRole("owner", "boss")},
        "view_members of organization_console ",
    ),
    "any role of a list": ({"view_members": AnyRole(["owner"])}, "names the role \"['owner']\", which"),  # type: ignore[arg-type]
    "grants that are a list": ({"grants": ["staff"]}, "grants of organization_console is ['staff'], expected a dict"),
    "a grant of a string": ({"grants": {"manager": "staff"}}, "grants['manager'] of organization_console is 'staff'"),
    "a grant of nothing": ({"grants": {"manager": None}}, "grants['manager'] of organization_console is None, expect"),
    "a grant by an unknown role": ({"grants": {"boss": ["staff"]}}, "grants of organization_console names the role 'b"),
    "a grant of an unknown role": (
        {"grants": {"manager": ["boss"]}},
        "grants['manager'] of organization_console name",
    ),
    "a grant to machines": ({"grants": {"manager": ["robot"]}}, "'robot', which organization_roles does not declare"),
    "a grant of an owner role": ({"grants": {"manager": ["owner"]}}, "lets 'manager' give the owner role 'owner'."),
    "a grant by an owner": ({"grants": {"owner": ["staff"]}}, "has the owner role 'owner', but owners may give"),
    "members as creators": ({"creators": EVERY_MEMBER}, "creators of organization_console is EVERY_MEMBER, expected"),
    "an organization role as a creator": ({"creators": AnyRole("owner")}, "the role 'owner', which roles does not"),
    "a role of machines as a creator": ({"creators": AnyRole("importer")}, "the role 'importer', which roles does not"),
    "no organization": ({"max_owned": 0}, "max_owned of organization_console is 0, expected a number from 1."),
    "a truth as a number": ({"max_owned": True}, "max_owned of organization_console is True, expected a number from 1"),
}


def declared(console: Any) -> TenantDeclaration:
    return TenantDeclaration(
        roles=[Role("founder", "Opens branches"), Role("importer", "Imports", type="MachineToMachine")],
        organization_scopes={"invite:members": ""},
        organization_roles=[
            OrganizationRole("owner"),
            OrganizationRole("manager"),
            OrganizationRole("staff"),
            OrganizationRole("robot", type="MachineToMachine"),
        ],
        organization_console=console,
    )


@pytest.mark.parametrize("case", INVALID)
def test_invalid_console_is_an_error(case: str) -> None:
    fields, text = INVALID[case]
    (error,) = declaration_errors(declared(OrganizationConsole(**{"owner_roles": ["owner"], **fields})))
    assert text in error


def test_console_of_another_type_is_an_error() -> None:
    (error,) = declaration_errors(declared({"owner_roles": ["owner"]}))
    assert error == "organization_console is {'owner_roles': ['owner']}, expected an OrganizationConsole."


def test_valid_console_changes_nothing_at_logto(api: ManagementAPI, fresh: Emulator) -> None:
    console = OrganizationConsole(
        owner_roles=["owner"],
        view_members=EVERY_MEMBER,
        invite="invite:members",
        manage_members=AnyRole("manager"),
        grants={"manager": ["staff", "manager"]},
        creators=AnyRole("founder"),
    )
    assert make_plan(api, declared(console)).steps == make_plan(api, declared(None)).steps
