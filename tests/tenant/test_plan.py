"""Plans for tenants that have objects already: what is added, what stays, and what cannot be changed."""

from __future__ import annotations

from typing import Any

import pytest

from logto_auth.emulator import Emulator
from logto_auth.exceptions import ConfigurationError
from logto_auth.management_api import ManagementAPI
from logto_auth.tenant import APIResource, TenantDeclaration, apply_plan, make_plan

from .declarations import API, organization_role, resource, role


def planning_error(api: ManagementAPI, **fields: Any) -> str:
    """Return why a plan cannot be made."""
    with pytest.raises(ConfigurationError) as raised:
        make_plan(api, TenantDeclaration(**fields))
    return str(raised.value)


def test_changed_indicator_is_an_error(api: ManagementAPI, fresh: Emulator) -> None:
    fresh.tenant.add_resource(API + "/", name="Shop")
    assert "Logto cannot change an indicator" in planning_error(api, **resource(name="Shop"))
    both = [APIResource(API, "Shop"), APIResource(API + "/", "Old shop")]
    assert [step.action for step in make_plan(api, TenantDeclaration(resources=both)).steps] == ["create", "change"]


def test_changed_role_type_is_an_error(api: ManagementAPI, fresh: Emulator) -> None:
    fresh.tenant.add_role("clerk", type="MachineToMachine", description="Sells")
    fresh.tenant.add_organization_role("clerk", type="MachineToMachine")
    assert "has the type MachineToMachine in the tenant" in planning_error(api, **role())
    assert "has the type MachineToMachine in the tenant" in planning_error(api, **organization_role())
    machine = TenantDeclaration(**role(type="MachineToMachine"), **organization_role(type="MachineToMachine"))
    assert make_plan(api, machine).changes == []


def test_role_with_unknown_permission_is_an_error(api: ManagementAPI, fresh: Emulator) -> None:
    held = {API: ["sell"]}
    text = f'"clerk" holds the permission sell of {API}, which is neither declared nor in the tenant.'
    assert text in planning_error(api, **role(scopes=held))
    assert text in planning_error(api, **organization_role(resource_scopes=held))
    assert "permission sell, which is neither" in planning_error(api, **organization_role(scopes=["sell"]))
    fresh.tenant.add_resource(API, scopes=["sell"])
    fresh.tenant.add_organization_scope("sell")
    declared = TenantDeclaration(**role(scopes=held), **organization_role(scopes=["sell"], resource_scopes=held))
    apply_plan(make_plan(api, declared))
    assert fresh.tenant.find_role("clerk").scopes == held
    assert fresh.tenant.find_organization_role("clerk").resource_scopes == held
    assert list(fresh.tenant.resources.values())[-1].indicator == API


def test_organization_role_gets_missing_permissions_and_keeps_others(api: ManagementAPI, fresh: Emulator) -> None:
    fresh.tenant.add_resource(API, scopes=["sell", "buy"])
    fresh.tenant.add_organization_role("clerk", scopes=["stay"], resource_scopes={API: ["buy"]}, description="Old")
    declared = TenantDeclaration(
        organization_scopes={"move": "Move the shelves"},
        **organization_role(description="New", scopes=["move"], resource_scopes={API: ["sell"]}),
    )
    apply_plan(make_plan(api, declared))
    role = fresh.tenant.find_organization_role("clerk")
    assert (role.description, set(role.scopes)) == ("New", {"stay", "move"})
    assert {name for names in role.resource_scopes.values() for name in names} == {"buy", "sell"}
    assert make_plan(api, declared).changes == []


def test_machine_role_may_hold_management_api_permission(api: ManagementAPI, fresh: Emulator) -> None:
    scopes = {"https://default.logto.app/api": ["all"]}
    apply_plan(make_plan(api, TenantDeclaration(**role(type="MachineToMachine", scopes=scopes))))
    assert fresh.tenant.find_role("clerk").scopes == scopes


def test_token_lifetime_changes_only_if_declared(api: ManagementAPI, fresh: Emulator) -> None:
    stored = fresh.tenant.add_resource(API, name="Shop", access_token_ttl=600)
    assert make_plan(api, TenantDeclaration(**resource())).changes == []
    apply_plan(make_plan(api, TenantDeclaration(**resource(access_token_ttl_seconds=900))))
    assert (stored.access_token_ttl, stored.name) == (900, "Shop")
    apply_plan(make_plan(api, TenantDeclaration(**resource(name="Other"))))
    assert (stored.access_token_ttl, stored.name) == (900, "Other")


def test_unknown_session_redirect_is_set_and_otherwise_kept(api: ManagementAPI, fresh: Emulator) -> None:
    experience = fresh.tenant.sign_in_experience
    assert make_plan(api, TenantDeclaration()).steps == []
    declared = TenantDeclaration(unknown_session_redirect_url="https://shop.example/")
    (step,) = make_plan(api, declared).changes
    assert (step.kind, step.differences[0].before, step.differences[0].after) == (
        "sign-in experience",
        "",
        "https://shop.example/",
    )
    before = dict(experience.settings)
    apply_plan(make_plan(api, declared))
    assert experience.settings == {**before, "unknownSessionRedirectUrl": "https://shop.example/"}
    assert make_plan(api, declared).changes == []
    apply_plan(make_plan(api, TenantDeclaration()))
    assert experience.unknown_session_redirect_url == "https://shop.example/"


@pytest.mark.parametrize(
    "url", ["shop.example", "//shop.example/", "javascript:alert(1)", "https://", "ftp://shop.example"]
)
def test_unknown_session_redirect_must_be_a_url_or_path(api: ManagementAPI, url: str) -> None:
    assert "neither an http or https URL nor a path" in planning_error(api, unknown_session_redirect_url=url)
