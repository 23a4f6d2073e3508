"""Declared organizations: their errors, what a plan adds, and what stays."""

from __future__ import annotations

from typing import Any

import pytest

from logto_auth.emulator import Emulator
from logto_auth.management_api import ManagementAPI
from logto_auth.tenant import DeclaredOrganization, OrganizationRole, TenantDeclaration, apply_plan, make_plan
from logto_auth.tenant.declaration import declaration_errors

from .tenant_state import writes

ROLES = [OrganizationRole("staff"), OrganizationRole("robot", type="MachineToMachine")]
BRANCH = DeclaredOrganization(
    "Branch North",
    "Books for the north",
    applications={"Stock robot": ["robot"]},
    email_domains=["north.example"],
    default_roles=["staff"],
    is_mfa_required=True,
)
TENANT = TenantDeclaration(organization_roles=ROLES, organizations=[BRANCH])

INVALID: dict[str, tuple[dict[str, Any], str]] = {
    "no name": ({"name": ""}, "has a name of 0 characters, expected 1 to 128."),
    "a long description": ({"description": "x" * 257}, "has 257 characters, expected at most 256."),
    "a string of domains": (
        {"email_domains": "a.example"},
        'email_domains of the organization "North" is a string, ex',
    ),
    "an address": ({"email_domains": ["me@a.example"]}, "contains 'me@a.example', which is not a domain in lower case"),
    "upper case": ({"email_domains": ["A.example"]}, "contains 'A.example', which is not a domain in lower case"),
    "one label": ({"email_domains": ["localhost"]}, "contains 'localhost', which is not a domain"),
    "an umlaut": ({"email_domains": ["müller.example"]}, "xn-- form: 'xn--mller-kva.example'."),
    "a string of roles": ({"default_roles": "staff"}, 'default_roles of the organization "North" is a string'),
    "a role of machines": ({"default_roles": ["robot"]}, "the role robot, which is declared with the type MachineToMa"),
    "a string of connectors": ({"sso_connectors": "Okta"}, 'sso_connectors of the organization "North" is a string'),
    "a list of applications": ({"applications": ["Robot"]}, "is ['Robot'], expected a dictionary such as"),
    "an application without a name": ({"applications": {"": []}}, "has a name of 0 characters, expected 1 to 256."),
    "a string of its roles": (
        {"applications": {"Robot": "robot"}},
        "applications['Robot'] of the organization \"North",
    ),
    "a role of users": (
        {"applications": {"Robot": ["staff"]}},
        "the role staff, which is declared with the type User.",
    ),
}


@pytest.fixture
def sent(fresh: Emulator) -> Emulator:
    """A tenant as `TENANT` declares, with more that is not declared."""
    return fresh


def declared(*organizations: Any) -> TenantDeclaration:
    return TenantDeclaration(organization_roles=ROLES, organizations=organizations)


@pytest.mark.parametrize("case", INVALID)
def test_invalid_organization_is_an_error(case: str) -> None:
    fields, text = INVALID[case]
    (error,) = declaration_errors(declared(DeclaredOrganization(**{"name": "North", **fields})))
    assert text in error


def test_name_twice_and_wrong_type_are_errors() -> None:
    twice, kind = declaration_errors(declared(BRANCH, BRANCH, "South"))
    assert twice == "The organization Branch North is declared twice. Remove one declaration."
    assert kind == "organizations contains 'South', expected a DeclaredOrganization."


def shown(api: ManagementAPI, declaration: TenantDeclaration = TENANT) -> dict[str, dict[str, Any]]:
    """Return what the plan would add or set, by step and property."""
    return {
        f"{step.action} {step.kind}": {each.name: each.after for each in step.differences}
        for step in make_plan(api, declaration).changes
    }


def state(logto: Emulator) -> dict[str, Any]:
    (organization,) = logto.tenant.organizations.values()
    names = {each.id: each.name for each in logto.tenant.applications.values()}
    return {
        "name": organization.name,
        "description": organization.description,
        "mfa": organization.is_mfa_required,
        "domains": organization.jit_email_domains,
        "roles": organization.jit_roles,
        "applications": {names[id]: roles for id, roles in organization.applications.items()},
    }


AS_DECLARED = {
    "name": "Branch North",
    "description": "Books for the north",
    "mfa": True,
    "domains": ["north.example"],
    "roles": ["staff"],
    "applications": {"Stock robot": ["robot"]},
}


def test_organization_is_created_once_with_its_application(api: ManagementAPI, fresh: Emulator) -> None:
    assert shown(api) == {
        "create organization role": {"type": "MachineToMachine"},
        "create machine-to-machine application": {},
        "create organization": {
            "description": "Books for the north",
            "requires MFA": True,
            "e-mail domains": ["north.example"],
            "default roles": ["staff"],
            "applications": ["Stock robot"],
            "roles of applications": ["robot of Stock robot"],
        },
    }
    assert writes(fresh) == []
    plan = make_plan(api, TENANT)
    apply_plan(plan)
    (robot,) = (each for each in fresh.tenant.applications.values() if each.name == "Stock robot")
    assert (robot.type, plan.machine_applications.created) == ("MachineToMachine", {"Stock robot": robot.id})
    assert state(fresh) == AS_DECLARED
    assert make_plan(api, TENANT).changes == []
