"""Declared third-party applications and dynamic clients: their errors, what a plan adds and removes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.exceptions import ConfigurationError, ManagementAPIError
from logto_auth.management_api import ManagementAPI
from logto_auth.tenant import (
    APIResource,
    DynamicClients,
    TenantDeclaration,
    ThirdPartyApplication,
    apply_plan,
    make_plan,
)
from logto_auth.tenant.consent_scopes import ConsentScopes
from logto_auth.tenant.declaration import declaration_errors
from tests.management_commands import Run

from .tenant_state import writes

MCP = "https://shop.example/mcp"
ORGANIZATIONS = "urn:logto:scope:organizations"
CLIENT = ThirdPartyApplication(
    "Agent",
    ["http://localhost/callback", "com.example.agent:/callback"],
    scopes={MCP: ["mcp:tools"]},
    user_scopes=["profile", ORGANIZATIONS],
    organization_scopes=["manage:stock"],
    organization_resource_scopes={MCP: ["read:orders"]},
)
CEILING = DynamicClients(scopes={MCP: ["mcp:tools"]}, user_scopes=["profile"])
BASE = TenantDeclaration(
    resources=[APIResource(MCP, scopes={"mcp:tools": "Tools", "read:orders": "Read", "write:stock": "Write"})],
    organization_scopes={"manage:stock": "Stock"},
)
TENANT = replace(BASE, third_party_applications=[CLIENT])

INVALID: dict[str, tuple[dict[str, Any], str]] = {
    "no name": ({"name": ""}, "has the name '', expected 1 to 256 printable characters."),
    "a blank name": ({"name": " "}, "has the name ' ', expected"),
    "a name with a NUL": ({"name": "a\0"}, "has the name 'a\\x00', expected"),
    "a number as name": ({"name": 1}, "has the name 1, expected"),
    "a list as name": ({"name": []}, "has the name [], expected"),
    "a long name": ({"name": "x" * 257}, "has a name of 257 characters"),
    "another type": ({"type": "MachineToMachine"}, "expected one of Native, SPA, Traditional."),
    "no redirect URI": ({"redirect_uris": []}, "has no redirect URI, so no user can sign in with it."),
    "a string of redirect URIs": ({"redirect_uris": "http://localhost/"}, "is 'http://localhost/', expected a list of"),
    "a number": ({"redirect_uris": [1]}, "is [1], expected a list of strings."),
    "a path": ({"redirect_uris": ["/callback"]}, "is neither an http or https URL nor a URL with a scheme of the app"),
    "a script": ({"redirect_uris": ["javascript:alert(1)"]}, "is neither an http or https URL nor"),
    "a user in the URL": ({"redirect_uris": ["https://me@a.example/"]}, "is neither an http or https URL nor"),
    "a NUL": ({"redirect_uris": ["https://a.example/\0"]}, "is neither an http or https URL nor"),
    "a fragment": ({"redirect_uris": ["https://a.example/#b"]}, "has a fragment, which Logto rejects."),
    "a wildcard": ({"redirect_uris": ["https://*.a.example/cb"]}, "would let codes of users reach other sites."),
    "an umlaut": ({"redirect_uris": ["https://müller.example/"]}, "is not in ASCII"),
    "a string of user scopes": (
        {"user_scopes": "profile"},
        'user_scopes of the third-party application "Agent" is \'p',
    ),
    "an unknown user scope": (
        {"user_scopes": ["read:books"]},
        "which is no user scope of Logto. Expected some of prof",
    ),
    "openid": ({"user_scopes": ["openid"]}, "contains openid, which Logto always allows. Remove it."),
    "a list of permissions": ({"scopes": ["mcp:tools"]}, "expected a dictionary such as"),
    "a number as resource": (
        {"scopes": {1: ["mcp:tools"]}},
        "has the key 1, expected the indicator of an API resource.",
    ),
    "a string of permissions": ({"scopes": {MCP: "mcp:tools"}}, f"scopes['{MCP}'] of the third-party application"),
    "the Management API": (
        {"scopes": {"https://default.logto.app/api": ["all"]}},
        "a permission of the Management API.",
    ),
    "an organization without the scope": ({"organization_scopes": ["a"]}, f"but not the user scope {ORGANIZATIONS}"),
    "permissions in organizations": ({"organization_resource_scopes": {MCP: ["a"]}}, "but not the user scope"),
}


@pytest.mark.parametrize("case", INVALID)
def test_invalid_third_party_application_is_an_error(case: str) -> None:
    fields, text = INVALID[case]
    declared = ThirdPartyApplication(**{"name": "Agent", "redirect_uris": ["http://localhost/cb"], **fields})
    (error,) = declaration_errors(TenantDeclaration(third_party_applications=[declared]))
    assert text in error


def test_wrong_kinds_and_repeated_names_are_errors() -> None:
    others: Any = [CLIENT, CLIENT, "Agent"]
    twice, kind, dynamic = declaration_errors(
        TenantDeclaration(third_party_applications=others, dynamic_clients=ConsentScopes())  # type: ignore[arg-type]
    )
    assert twice == "The third-party application Agent is declared twice. Remove one declaration."
    assert kind == "third_party_applications contains 'Agent', expected a ThirdPartyApplication."
    assert dynamic.endswith("expected DynamicClients(...) or None.")
    (no_list,) = declaration_errors(TenantDeclaration(third_party_applications=5))  # type: ignore[arg-type]
    assert no_list == "third_party_applications is 5, expected a list of ThirdPartyApplication."
    (enabled,) = declaration_errors(TenantDeclaration(dynamic_clients=DynamicClients(enabled="no")))  # type: ignore
    assert enabled == "enabled of the dynamic clients (CIMD) is 'no', expected True or False."
    assert declaration_errors(replace(TENANT, dynamic_clients=CEILING)) == []


def differences(api: ManagementAPI, declaration: TenantDeclaration) -> dict[str, dict[str, tuple[Any, Any]]]:
    """Return what the plan would change, by step and property."""
    return {
        f"{step.action} {step}": {each.name: (each.removed, each.added) for each in step.differences}
        for step in make_plan(api, declaration).changes
    }


# Third-party applications


def test_third_party_application_is_created_with_its_permissions(api: ManagementAPI, fresh: Emulator) -> None:
    apply_plan(plan := make_plan(api, TENANT))
    (application,) = (each for each in fresh.tenant.applications.values() if each.is_third_party)
    assert plan.third_party_applications.ids == {"Agent": application.id}
    assert (application.name, application.type, application.secrets) == ("Agent", "Native", [])
    assert application.redirect_uris == CLIENT.redirect_uris
    assert application.resource_scopes == {MCP: ["mcp:tools"]}
    assert application.user_scopes == ["profile", ORGANIZATIONS]
    assert application.organization_scopes == ["manage:stock"]
    assert application.organization_resource_scopes == {MCP: ["read:orders"]}
    again = make_plan(api, TENANT)
    assert again.changes == []
    assert again.third_party_applications.ids == {"Agent": application.id}


def test_permissions_become_exact_and_redirect_uris_are_added(api: ManagementAPI, fresh: Emulator) -> None:
    apply_plan(make_plan(api, TENANT))
    (application,) = (each for each in fresh.tenant.applications.values() if each.is_third_party)
    application.backchannel_logout_uri = "https://agent.example/logout"
    fewer = ThirdPartyApplication("Agent", ["http://127.0.0.1/callback"], scopes={MCP: ["write:stock"]})
    changed = replace(BASE, third_party_applications=[fewer])
    assert differences(api, changed) == {
        "change third-party application Agent": {
            "redirect URIs": ([], ["http://127.0.0.1/callback"]),
            "permissions": ([f"mcp:tools of {MCP}"], [f"write:stock of {MCP}"]),
            "user scopes": (["profile", ORGANIZATIONS], []),
            "organization permissions": (["manage:stock"], []),
            "permissions in organizations": ([f"read:orders of {MCP}"], []),
        }
    }
    apply_plan(make_plan(api, changed))
    assert application.redirect_uris == [*CLIENT.redirect_uris, "http://127.0.0.1/callback"]
    assert application.backchannel_logout_uri == "https://agent.example/logout"
    assert application.resource_scopes == {MCP: ["write:stock"]}
    assert not application.user_scopes
    assert not application.organization_scopes
    assert not application.organization_resource_scopes
    assert make_plan(api, changed).changes == []


def test_order_of_permissions_does_not_count(api: ManagementAPI, fresh: Emulator) -> None:
    one, other = (
        replace(CLIENT, scopes={MCP: scopes}, user_scopes=users)
        for scopes, users in (
            (["mcp:tools", "write:stock"], ["profile", "email", ORGANIZATIONS]),
            (["write:stock", "mcp:tools", "mcp:tools"], [ORGANIZATIONS, "email", "profile"]),
        )
    )
    apply_plan(make_plan(api, replace(BASE, third_party_applications=[one])))
    assert make_plan(api, replace(BASE, third_party_applications=[other])).changes == []


def test_undeclared_third_party_application_stays(api: ManagementAPI, fresh: Emulator) -> None:
    other = fresh.tenant.add_application(name="Other", type="SPA", is_third_party=True, user_scopes=["email"])
    own = fresh.tenant.add_application(name="Agent", type="SPA")
    apply_plan(make_plan(api, TENANT))
    assert (other.user_scopes, own.is_third_party) == (["email"], False)


def test_interrupted_creation_is_completed(api: ManagementAPI, fresh: Emulator) -> None:
    plan = make_plan(api, TENANT)
    fresh.faults.http["management_api"] = HttpFault(status=500, body="{}", only="POST .*/user-consent-scopes")
    with pytest.raises(ManagementAPIError):
        apply_plan(plan)
    fresh.faults.clear()
    apply_plan(make_plan(api, TENANT))
    (application,) = (each for each in fresh.tenant.applications.values() if each.is_third_party)
    assert application.resource_scopes == {MCP: ["mcp:tools"]}


def test_permission_removed_by_others_in_the_meantime_is_no_error(api: ManagementAPI, fresh: Emulator) -> None:
    apply_plan(make_plan(api, TENANT))
    plan = make_plan(api, replace(BASE, third_party_applications=[replace(CLIENT, scopes={})]))
    gone = '{"code": "entity.not_found", "message": "gone"}'
    fresh.faults.http["management_api"] = HttpFault(status=404, body=gone, only="DELETE .*")
    apply_plan(plan)
    # A proxy has removed nothing.
    fresh.faults.http["management_api"] = HttpFault(status=404, body="Not Found", only="DELETE .*")
    with pytest.raises(ManagementAPIError):
        apply_plan(plan)


@pytest.mark.parametrize(
    ("stored", "declared", "text"),
    [
        (["SPA"], CLIENT, "has the type SPA in the tenant and the type Native in the declaration."),
        (["Native", "SPA"], CLIENT, '2 third-party applications have the name "Agent"'),
        ([], replace(CLIENT, scopes={MCP: ["nope"]}), 'application "Agent" holds the permission nope of'),
        ([], replace(CLIENT, organization_scopes=["nope"]), "holds the organization permission nope, which is neither"),
    ],
)
def test_plan_refuses(
    api: ManagementAPI, fresh: Emulator, stored: list[Any], declared: ThirdPartyApplication, text: str
) -> None:
    for type in stored:
        fresh.tenant.add_application(name="Agent", type=type, is_third_party=True)
    with pytest.raises(ConfigurationError, match=text):
        make_plan(api, replace(BASE, third_party_applications=[declared]))
    assert writes(fresh) == []


def test_application_created_by_others_stops_the_run(api: ManagementAPI, fresh: Emulator) -> None:
    first, second = make_plan(api, TENANT), make_plan(api, TENANT)
    apply_plan(first)
    with pytest.raises(ConfigurationError, match='"Agent" was created in the meantime'):
        second.changes[-1].send()


def test_permissions_of_the_tenant_need_no_declaration(api: ManagementAPI, fresh: Emulator) -> None:
    apply_plan(make_plan(api, BASE))
    apply_plan(make_plan(api, replace(TENANT, resources=[], organization_scopes={})))
    assert make_plan(api, TENANT).changes == []


# Dynamic clients

DYNAMIC = replace(BASE, dynamic_clients=CEILING)


@pytest.fixture
def head(fresh: Emulator) -> Emulator:
    """The development head, which has dynamic clients, with its outbound guard on."""
    fresh.like, fresh.outbound_guard = "head", True
    return fresh


def test_dynamic_clients_get_their_ceiling_before_they_are_on(api: ManagementAPI, head: Emulator) -> None:
    head.tenant.cimd_ceiling.user_scopes = ["email"]
    apply_plan(make_plan(api, BASE))
    (step,) = (plan := make_plan(api, DYNAMIC)).changes
    assert str(step) == "dynamic clients (CIMD) of the tenant"
    assert {each.name: (each.before, each.after) for each in step.differences} == {
        "enabled": (False, True),
        "permissions": ([], [f"mcp:tools of {MCP}"]),
        "user scopes": (["email"], ["profile"]),
    }
    head.requests.clear()
    apply_plan(plan)
    assert [path.removeprefix("/api/") for path in writes(head)] == [
        "cimd/user-consent-scopes/user-scopes/email",
        "cimd/user-consent-scopes",
        "configs/cimd",
    ]
    ceiling = head.tenant.cimd_ceiling
    assert (ceiling.user_scopes, ceiling.resource_scopes) == (["profile"], {MCP: ["mcp:tools"]})
    assert head.tenant.cimd_enabled
    assert make_plan(api, DYNAMIC).changes == []


def test_dynamic_clients_are_turned_off_first(api: ManagementAPI, head: Emulator) -> None:
    apply_plan(make_plan(api, DYNAMIC))
    head.requests.clear()
    apply_plan(make_plan(api, replace(BASE, dynamic_clients=DynamicClients(enabled=False))))
    assert writes(head)[0] == "/api/configs/cimd"
    assert not head.tenant.cimd_enabled
    assert not head.tenant.cimd_ceiling.user_scopes
    assert not head.tenant.cimd_ceiling.resource_scopes


def test_undeclared_dynamic_clients_stay(api: ManagementAPI, head: Emulator) -> None:
    apply_plan(make_plan(api, DYNAMIC))
    apply_plan(make_plan(api, BASE))
    assert head.tenant.cimd_enabled
    assert head.tenant.cimd_ceiling.user_scopes == ["profile"]


@pytest.mark.parametrize("like", ["1.41", "1.42"])
def test_logto_without_dynamic_clients_is_a_clear_error(api: ManagementAPI, fresh: Emulator, like: str) -> None:
    fresh.like = like
    with pytest.raises(ConfigurationError, match="no released version of Logto has them"):
        make_plan(api, DYNAMIC)
    off = replace(BASE, dynamic_clients=DynamicClients(enabled=False))
    apply_plan(make_plan(api, off))
    assert make_plan(api, off).changes == []


def test_other_error_of_the_setting_is_no_missing_feature(api: ManagementAPI, head: Emulator) -> None:
    head.faults.http["management_api"] = HttpFault(status=500, body="{}", only="GET .*/configs/cimd")
    with pytest.raises(ManagementAPIError):
        make_plan(api, DYNAMIC)


def test_setup_explains_that_the_outbound_guard_is_off(run: Run, head: Emulator, settings: Any) -> None:
    settings.LOGTO_TENANT = f"{__name__}.DYNAMIC"
    head.outbound_guard = False
    result = run("logto_setup", "--yes", "--name", "Shop")
    assert result.code == 2
    assert "because it runs with OIDC_PROVIDER_SSRF_PROTECTION_DISABLED=true" in result.error
    assert "third_party_applications" in result.error
    assert not head.tenant.cimd_enabled
    # All other steps are done.
    left = run("logto_setup", "--check", "--name", "Shop")
    assert left.out.startswith("~ dynamic clients (CIMD) of the tenant\n    enabled: no -> yes\n= ")


def test_setup_shows_removed_permissions_and_app_ids(run: Run, fresh: Emulator, settings: Any) -> None:
    settings.LOGTO_TENANT = f"{__name__}.TENANT"
    created = run("logto_setup", "--yes", "--name", "Shop")
    (application,) = (each for each in fresh.tenant.applications.values() if each.is_third_party)
    assert f"done: third-party application Agent, App ID {application.id}" in created.out
    application.user_scopes = ["email", *application.user_scopes]
    application.resource_scopes = {MCP: ["write:stock"]}
    shown = run("logto_setup", "--check", "--name", "Shop")
    assert shown.out.startswith(
        "~ third-party application Agent\n"
        f"    permissions:\n      - write:stock of {MCP}\n      + mcp:tools of {MCP}\n"
        "    user scopes:\n      - email\n= "
    )
    data = json.loads(run("logto_setup", "--check", "--json", "--name", "Shop").out)
    assert data["third_party_applications"] == {"Agent": application.id}
