"""Declared organizations: their errors, what a plan adds, and what stays."""

from __future__ import annotations

import json
from typing import Any

import pytest

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.emulator.faults import HttpFaults
from logto_auth.exceptions import ConfigurationError, ManagementAPIError, ProviderUnreachable
from logto_auth.management_api import ManagementAPI
from logto_auth.tenant import DeclaredOrganization, OrganizationRole, TenantDeclaration, apply_plan, make_plan
from logto_auth.tenant.declaration import declaration_errors
from tests.management_commands import Run

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
    assert (robot.type, plan.machine_applications.ids) == ("MachineToMachine", {"Stock robot": robot.id})
    assert state(fresh) == AS_DECLARED
    assert make_plan(api, TENANT).changes == []


def by_name(logto: Emulator, name: str) -> Any:
    (application,) = (each for each in logto.tenant.applications.values() if each.name == name)
    return application


def add_template(logto: Emulator) -> None:
    for role in ROLES:
        logto.tenant.add_organization_role(role.name, type=role.type)


def test_existing_organization_gets_what_is_missing_and_keeps_the_rest(api: ManagementAPI, fresh: Emulator) -> None:
    add_template(fresh)
    fresh.tenant.add_organization_role("guest")
    fresh.tenant.add_organization_role("auditor", type="MachineToMachine")
    organization = fresh.tenant.add_organization("Branch North", custom_data={"floor": 2})
    organization.jit_email_domains, organization.jit_roles = ["old.example"], ["guest"]
    scanner = fresh.tenant.add_application(name="Scanner", type="MachineToMachine")
    robot = fresh.tenant.add_application(name="Stock robot", type="MachineToMachine")
    organization.applications = {scanner.id: ["auditor"], robot.id: ["auditor"]}
    other = fresh.tenant.add_organization("Branch North East")
    (step,) = make_plan(api, TENANT).changes
    assert str(step) == f"organization Branch North ({organization.id})"
    assert {each.name: (each.before, each.after) for each in step.differences} == {
        "description": (None, "Books for the north"),
        "requires MFA": (False, True),
        "e-mail domains": (["old.example"], ["old.example", "north.example"]),
        "default roles": (["guest"], ["guest", "staff"]),
        "roles of applications": (
            ["auditor of Scanner", "auditor of Stock robot"],
            ["auditor of Scanner", "auditor of Stock robot", "robot of Stock robot"],
        ),
    }
    apply_plan(make_plan(api, TENANT))
    assert organization.custom_data == {"floor": 2}
    assert organization.jit_email_domains == ["old.example", "north.example"]
    assert organization.jit_roles == ["guest", "staff"]
    assert organization.applications == {scanner.id: ["auditor"], robot.id: ["auditor", "robot"]}
    assert (other.jit_email_domains, other.applications) == ([], {})
    assert make_plan(api, TENANT).changes == []


def test_what_is_not_declared_is_neither_read_nor_changed(api: ManagementAPI, fresh: Emulator) -> None:
    organization = fresh.tenant.add_organization("Branch North", description="Old", is_mfa_required=True)
    assert make_plan(api, declared(DeclaredOrganization("Branch North"))).changes[:-2] == []
    assert [each.path for each in fresh.requests if organization.id in each.path] == []


def test_second_factor_can_be_declared_as_not_required(api: ManagementAPI, fresh: Emulator) -> None:
    add_template(fresh)
    organization = fresh.tenant.add_organization("Branch North", is_mfa_required=True)
    apply_plan(make_plan(api, declared(DeclaredOrganization("Branch North", is_mfa_required=False))))
    assert organization.is_mfa_required is False


@pytest.mark.parametrize("by_id", [False, True])
def test_enterprise_connectors_are_linked_by_name_or_id(api: ManagementAPI, fresh: Emulator, by_id: bool) -> None:
    add_template(fresh)
    okta, other = (fresh.tenant.add_sso_connector(name=name, domains=[f"{name}.example"]) for name in ("okta", "other"))
    organization = fresh.tenant.add_organization("Branch North")
    organization.jit_sso_connectors = [other.id]
    tenant = declared(DeclaredOrganization("Branch North", sso_connectors=[okta.id if by_id else "okta"]))
    (step,) = make_plan(api, tenant).changes
    assert [each.name for each in step.differences] == ["enterprise SSO connectors"]
    apply_plan(make_plan(api, tenant))
    assert organization.jit_sso_connectors == [other.id, okta.id]
    assert make_plan(api, tenant).changes == []


def test_application_is_shared_and_found_by_app_id(api: ManagementAPI, fresh: Emulator) -> None:
    robot = fresh.tenant.add_application(name="Stock robot", type="MachineToMachine")
    tenant = declared(
        DeclaredOrganization("North", applications={"Clerk": ["robot"], robot.id: []}),
        DeclaredOrganization("South", applications={"Clerk": []}),
    )
    apply_plan(make_plan(api, tenant))
    clerk = by_name(fresh, "Clerk")
    north, south = fresh.tenant.organizations.values()
    assert (north.applications, south.applications) == ({clerk.id: ["robot"], robot.id: []}, {clerk.id: []})
    assert make_plan(api, tenant).changes == []


REFUSED: dict[str, tuple[DeclaredOrganization, str]] = {
    "a name of two organizations": (DeclaredOrganization("Twin"), '2 organizations have the name "Twin": '),
    "an unknown role": (
        DeclaredOrganization("North", default_roles=["boss"]),
        "has the organization role boss, which is neither declared nor in the tenant.",
    ),
    "a stored role of machines": (
        DeclaredOrganization("North", default_roles=["stored robot"]),
        "which has the type MachineToMachine in the tenant. Expected a role of the type User.",
    ),
    "a stored role of users": (
        DeclaredOrganization("North", applications={"Clerk": ["stored staff"]}),
        "which has the type User in the tenant. Expected a role of the type MachineToMachine.",
    ),
    "an unknown App ID": (
        DeclaredOrganization("North", applications={"a" * 21: []}),
        "which has the form of an App ID, and the tenant has no such application.",
    ),
    "a web application": (
        DeclaredOrganization("North", applications={"webapplication0000001": []}),
        'The application "Web" (webapplication0000001) has the type Traditional. Only a machine-to-machine',
    ),
    "a name of two applications": (
        DeclaredOrganization("North", applications={"Double": []}),
        '2 machine-to-machine applications have the name "Double": ',
    ),
    "an unknown connector": (
        DeclaredOrganization("North", sso_connectors=["Okta"]),
        "has the enterprise SSO connector 'Okta', which is not in the tenant.",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_declaration_that_does_not_fit_the_tenant_is_refused(api: ManagementAPI, fresh: Emulator, case: str) -> None:
    organization, text = REFUSED[case]
    tenant = fresh.tenant
    tenant.add_organization_role("stored staff")
    tenant.add_organization_role("stored robot", type="MachineToMachine")
    tenant.add_application(name="Web", type="Traditional", id="webapplication0000001")
    for _ in range(2):
        tenant.add_organization("Twin")
        tenant.add_application(name="Double", type="MachineToMachine")
    with pytest.raises(ConfigurationError) as raised:
        make_plan(api, declared(organization))
    assert text in str(raised.value)
    assert writes(fresh) == []


def test_application_of_another_type_does_not_count(api: ManagementAPI, fresh: Emulator) -> None:
    fresh.tenant.add_application(name="Stock robot", type="Traditional")
    apply_plan(make_plan(api, TENANT))
    assert [each.type for each in fresh.tenant.applications.values() if each.name == "Stock robot"] == [
        "Traditional",
        "MachineToMachine",
    ]


@pytest.mark.parametrize("name", ['100 % \\ "North" _', "Büro"])
def test_unusual_name_is_found_again(api: ManagementAPI, fresh: Emulator, name: str) -> None:
    tenant = declared(DeclaredOrganization(name))
    apply_plan(make_plan(api, tenant))
    assert make_plan(api, tenant).changes == []


class FailsOnce(HttpFaults):
    """Faults that spare the first `spared` requests, and affect one."""

    def __init__(self, fault: HttpFault, spared: int) -> None:
        super().__init__()
        self._fault, self.left = fault, spared

    def take(self, endpoint: str, request: str = "") -> HttpFault | None:
        self.left -= 1
        return self._fault if self.left == -1 else None


@pytest.mark.parametrize(
    "fault",
    [HttpFault(status=422, body='{"code": "quota.exceeded", "message": "No more."}'), HttpFault(truncate_after=0)],
)
def test_run_that_fails_at_any_request_is_continued(api: ManagementAPI, fresh: Emulator, fault: HttpFault) -> None:
    failures = 0
    for spared in range(13):
        for organization in list(fresh.tenant.organizations):
            fresh.tenant.delete_organization(organization)
        for application in [each.id for each in fresh.tenant.applications.values() if each.name == "Stock robot"]:
            fresh.tenant.delete_application(application)
        plan, fresh.faults.http = make_plan(api, TENANT), FailsOnce(fault, spared)
        try:
            apply_plan(plan)
        except (ManagementAPIError, ProviderUnreachable):
            failures += 1
        fresh.faults.http = HttpFaults()
        apply_plan(make_plan(api, TENANT))
        assert state(fresh) == AS_DECLARED
        assert make_plan(api, TENANT).changes == []
    # Each request that changes something has failed once, and the others are repeated after a lost answer.
    assert failures >= 7


def test_organization_created_by_others_stops_the_run(api: ManagementAPI, fresh: Emulator) -> None:
    first, second = make_plan(api, TENANT), make_plan(api, TENANT)
    apply_plan(first)
    with pytest.raises(ConfigurationError, match='"Stock robot" was created in the meantime'):
        second.changes[-2].send()
    with pytest.raises(ConfigurationError, match='organization "Branch North" was created in the meantime'):
        second.changes[-1].send()
    assert state(fresh) == AS_DECLARED


def test_command_reports_app_id_and_no_secret(run: Run, fresh: Emulator, settings: Any) -> None:
    settings.LOGTO_TENANT = f"{__name__}.TENANT"
    out = run("logto_setup", "--yes", "--name", "Shop").out
    robot = by_name(fresh, "Stock robot")
    assert "+ organization Branch North\n    description: Books for the north\n    requires MFA: yes\n" in out
    assert f"done: machine-to-machine application Stock robot, App ID {robot.id}\n" in out
    again = run("logto_setup", "--yes", "--json", "--name", "Shop").out
    assert json.loads(again)["machine_applications"] == {"Stock robot": robot.id}
    assert run("logto_setup", "--check", "--name", "Shop").code == 0
