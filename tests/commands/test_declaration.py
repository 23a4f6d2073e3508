"""What a site may declare of its tenant: each fault is a sentence, and nothing is sent when there is one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from logto_auth import checks
from logto_auth.emulator import Emulator, seed_demo
from logto_auth.exceptions import ConfigurationError
from logto_auth.management_api import ManagementAPI
from logto_auth.tenant.declaration import (
    WEBHOOK_EVENTS,
    APIResource,
    OrganizationRole,
    Role,
    TenantDeclaration,
    faults,
    normal_uri,
)
from logto_auth.tenant.plan import apply, plan
from logto_auth.tenant.site import site_tenant
from logto_auth.webhooks.handlers import HANDLERS

from .conftest import SITE, Run

API = "https://shop.example/api"
NOT_DECLARED = "not a declaration"


def resource(**changes: Any) -> dict[str, Any]:
    return {"resources": [replace(APIResource(API), **changes)]}


def role(**changes: Any) -> dict[str, Any]:
    return {"roles": [replace(Role("clerk", "Sells"), **changes)]}


def organization_role(**changes: Any) -> dict[str, Any]:
    return {"organization_roles": [replace(OrganizationRole("clerk"), **changes)]}


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "a permission with a space": (resource(scopes={"read books": ""}), "has a space"),
    "a permission with a quotation mark": (resource(scopes={'read"books': ""}), "has a space or another character"),
    "a permission of OpenID Connect": (resource(scopes={"profile": ""}), "reserved for OpenID Connect"),
    "a permission of Logto": (resource(scopes={"urn:logto:scope:organizations": ""}), "reserved for OpenID Connect"),
    "an indicator that is no URI": (resource(indicator="shop api"), "is not an absolute URI"),
    "an indicator without a scheme": (resource(indicator="shop.example/api"), "is not an absolute URI"),
    "two indicators in one": (resource(indicator="https://a.example,https://b.example"), "is not an absolute URI"),
    "an indicator with a fragment": (resource(indicator=f"{API}#books"), "is not an absolute URI"),
    "the Management API": (resource(indicator="https://default.logto.app/api"), "is one of Logto's own"),
    "the organizations' indicator": (resource(indicator="urn:logto:resource:organizations"), "is one of Logto's own"),
    "an API resource twice": ({"resources": [APIResource(API), APIResource(API)]}, f"{API} is declared twice"),
    "tokens without a life": (resource(access_token_ttl_seconds=0), "are to live 0 seconds"),
    "a name that is too long": (resource(name="x" * 129), "is longer than 128 characters"),
    "a role without a description": (role(description=""), "has no description"),
    "a role described at length": (role(description="x" * 129), "has 129 characters, expected at most 128"),
    "a role without a name": (role(name=""), "has a name of 0 characters"),
    "a role of Logto's own": (role(name="#internal:admin"), "begins with #internal:"),
    "a role twice": ({"roles": [Role("clerk", "Sells"), Role("clerk", "Sells")]}, "role clerk is declared twice"),
    "people with the Management API": (
        role(scopes={"https://default.logto.app/api": ["all"]}),
        'declare type="MachineToMachine"',
    ),
    "an organization permission with a space": ({"organization_scopes": {"manage stock": ""}}, "has a space"),
    "an organization role described at length": (organization_role(description="x" * 257), "expected at most 256"),
    "an organization role twice": (
        {"organization_roles": [OrganizationRole("clerk"), OrganizationRole("clerk")]},
        "organization role clerk is declared twice",
    ),
    "a redirect URI without a scheme": ({"redirect_uris": ["shop.example/callback"]}, "is not an http or https"),
    "a redirect URI with a password": ({"redirect_uris": ["https://a:b@shop.example/"]}, "is not an http or https"),
    "a redirect URI with a space": ({"redirect_uris": ["https://shop.example/call back"]}, "is not an http or https"),
    "a redirect URI with a fragment": ({"redirect_uris": ["https://shop.example/#x"]}, "has a fragment"),
    "a wildcard that never matches": ({"redirect_uris": ["https://shop.*/callback"]}, "would never match"),
    "a wildcard for any domain": ({"post_sign_out_uris": ["https://*.example/"]}, "would never match"),
    "a wildcard in a query": ({"redirect_uris": ["https://shop.example/?a=*"]}, "wildcard in its query"),
    "a wildcard to be called": ({"back_channel_logout_uri": "https://*.shop.example/x"}, "Logto has to call it"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_a_sentence_and_nothing_is_sent(api: ManagementAPI, fresh: Emulator, fault: str) -> None:
    fields, words = FAULTS[fault]
    with pytest.raises(ConfigurationError) as raised:
        plan(api, TenantDeclaration(application="Shop", **fields))
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
    assert len(fresh.requests) == 0


def test_all_faults_are_told_of_at_once() -> None:
    declared = TenantDeclaration(**resource(scopes={"read books": "", "openid": ""}), **role(description=""))
    assert len(faults(declared)) == 3


@pytest.mark.parametrize(
    "uri", ["https://*.shop.example/callback", "https://a*.eu.shop.example:8443/callback", "http://[::1]:8000/callback"]
)
def test_what_logto_takes_has_no_fault(api: ManagementAPI, fresh: Emulator, uri: str) -> None:
    apply(
        plan(api, TenantDeclaration(application="Shop", redirect_uris=[uri], **resource(scopes={"a": "", "b:c": ""})))
    )
    assert [each.redirect_uris for each in fresh.tenant.applications.values()][-1] == [uri]


@pytest.mark.parametrize(
    ("uri", "normal"),
    [
        ("HTTPS://Shop.Example:443", "https://shop.example/"),
        ("http://shop.example:8000/A?b", "http://shop.example:8000/A?b"),
        ("http://[::1]:80/", "http://[::1]/"),
        ("io.shop.app://Callback", "io.shop.app://Callback"),
        ("https://shop.example:port/", "https://shop.example:port/"),
    ],
)
def test_uris_are_compared_as_logto_does(uri: str, normal: str) -> None:
    assert normal_uri(uri) == normal


# What a tenant has that cannot be changed


def refusal(api: ManagementAPI, **fields: Any) -> str:
    """Why a plan cannot be made."""
    with pytest.raises(ConfigurationError) as raised:
        plan(api, TenantDeclaration(**fields))
    return str(raised.value)


def test_an_indicator_cannot_be_changed(api: ManagementAPI, fresh: Emulator) -> None:
    fresh.tenant.add_resource(API + "/", name="Shop")
    assert "Logto cannot change an indicator" in refusal(api, **resource(name="Shop"))
    both = [APIResource(API, "Shop"), APIResource(API + "/", "Old shop")]
    assert [step.action for step in plan(api, TenantDeclaration(resources=both)).steps] == ["create", "change"]


def test_the_type_of_a_role_cannot_be_changed(api: ManagementAPI, fresh: Emulator) -> None:
    fresh.tenant.add_role("clerk", type="MachineToMachine", description="Sells")
    fresh.tenant.add_organization_role("clerk", type="MachineToMachine")
    assert "is of the type MachineToMachine in the tenant" in refusal(api, **role())
    assert "is of the type MachineToMachine in the tenant" in refusal(api, **organization_role())
    machine = TenantDeclaration(**role(type="MachineToMachine"), **organization_role(type="MachineToMachine"))
    assert plan(api, machine).changes == []


def test_a_role_holds_what_is_declared_or_there(api: ManagementAPI, fresh: Emulator) -> None:
    held = {API: ["sell"]}
    words = f'"clerk" is to hold sell of {API}, which is neither declared nor in the tenant.'
    assert words in refusal(api, **role(scopes=held))
    assert words in refusal(api, **organization_role(resource_scopes=held))
    assert "permission sell, which is neither" in refusal(api, **organization_role(scopes=["sell"]))
    fresh.tenant.add_resource(API, scopes=["sell"])
    fresh.tenant.add_organization_scope("sell")
    declared = TenantDeclaration(**role(scopes=held), **organization_role(scopes=["sell"], resource_scopes=held))
    apply(plan(api, declared))
    assert fresh.tenant.find_role("clerk").scopes == held
    assert fresh.tenant.find_organization_role("clerk").resource_scopes == held
    assert list(fresh.tenant.resources.values())[-1].indicator == API


def test_an_organization_role_gets_what_it_lacks_and_keeps_the_rest(api: ManagementAPI, fresh: Emulator) -> None:
    fresh.tenant.add_resource(API, scopes=["sell", "buy"])
    fresh.tenant.add_organization_role("clerk", scopes=["stay"], resource_scopes={API: ["buy"]}, description="Old")
    declared = TenantDeclaration(
        organization_scopes={"move": "Move the shelves"},
        **organization_role(description="New", scopes=["move"], resource_scopes={API: ["sell"]}),
    )
    apply(plan(api, declared))
    role = fresh.tenant.find_organization_role("clerk")
    assert (role.description, set(role.scopes)) == ("New", {"stay", "move"})
    assert {name for names in role.resource_scopes.values() for name in names} == {"buy", "sell"}
    assert plan(api, declared).changes == []


def test_a_machine_may_be_given_the_management_api(api: ManagementAPI, fresh: Emulator) -> None:
    scopes = {"https://default.logto.app/api": ["all"]}
    apply(plan(api, TenantDeclaration(**role(type="MachineToMachine", scopes=scopes))))
    assert fresh.tenant.find_role("clerk").scopes == scopes


def test_how_long_access_tokens_live_is_changed_only_where_it_is_declared(api: ManagementAPI, fresh: Emulator) -> None:
    stored = fresh.tenant.add_resource(API, name="Shop", access_token_ttl=600)
    assert plan(api, TenantDeclaration(**resource())).changes == []
    apply(plan(api, TenantDeclaration(**resource(access_token_ttl_seconds=900))))
    assert (stored.access_token_ttl, stored.name) == (900, "Shop")
    apply(plan(api, TenantDeclaration(**resource(name="Other"))))
    assert (stored.access_token_ttl, stored.name) == (900, "Other")


# Where it is declared


def test_the_emulator_s_demo_is_what_the_bookstore_declares(api: ManagementAPI, fresh: Emulator, settings: Any) -> None:
    settings.LOGTO_APP_ID = seed_demo(fresh.tenant).id
    changes = plan(api, site_tenant(["http://localhost:8000", "http://127.0.0.1:8000"])).changes
    # There is no webhook in the demo until somebody wants to see one.
    assert [step.kind for step in changes] == ["webhook"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("bookstore.nowhere.TENANT", "which cannot be imported"),
        ("bookstore.tenant.NOTHING", "which cannot be imported"),
        ("tests.commands.test_declaration.NOT_DECLARED", "which is a str, expected a TenantDeclaration"),
    ],
)
def test_a_setting_that_names_no_declaration_is_told_of(run: Run, settings: Any, path: str, words: str) -> None:
    settings.LOGTO_TENANT = path
    messages = {message.id: message.msg for message in checks.check_settings()}
    assert words in messages["logto_auth.E050"]
    assert words in run("logto_setup", "--base-url", SITE).error


WITH_FAULTS = TenantDeclaration(**role(description=""), **resource(indicator="shop"))


def test_the_system_checks_find_the_faults_of_a_declaration(settings: Any) -> None:
    settings.LOGTO_TENANT = "tests.commands.test_declaration.WITH_FAULTS"
    assert [each.id for each in checks.check_settings()] == ["logto_auth.E051", "logto_auth.E051"]


def test_the_webhook_tells_of_what_the_package_follows() -> None:
    assert set(WEBHOOK_EVENTS) == set(HANDLERS)


def test_addresses_below_i18n_patterns_are_registered_in_each_language(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.commands.urls_by_language"
    declared = site_tenant([SITE])
    assert declared.redirect_uris == [f"{SITE}/{code}/callback" for code in ("en", "ja", "zh-hans")]
    assert declared.post_sign_out_uris == [f"{SITE}/"]
