"""Which declarations are invalid: each error is one sentence, and nothing is sent to Logto."""

from __future__ import annotations

from typing import Any

import pytest

from logto_auth.emulator import Emulator
from logto_auth.exceptions import ConfigurationError
from logto_auth.management_api import ManagementAPI
from logto_auth.tenant import (
    WEBHOOK_EVENTS,
    APIResource,
    OrganizationRole,
    Role,
    TenantDeclaration,
    apply_plan,
    make_plan,
)
from logto_auth.tenant.declaration import declaration_errors, normalize_uri
from logto_auth.webhooks.handlers import HANDLERS

from .declarations import API, organization_role, resource, role

INVALID: dict[str, tuple[dict[str, Any], str]] = {
    "a permission with a space": (resource(scopes={"read books": ""}), "has a space"),
    "a permission with a quotation mark": (resource(scopes={'read"books': ""}), "has a space or another character"),
    "a permission of OpenID Connect": (resource(scopes={"profile": ""}), "reserved for OpenID Connect"),
    "a permission of Logto": (resource(scopes={"urn:logto:scope:organizations": ""}), "reserved for OpenID Connect"),
    "an indicator that is no URI": (resource(indicator="shop api"), "is not an absolute URI"),
    "an indicator without a scheme": (resource(indicator="shop.example/api"), "is not an absolute URI"),
    "two indicators in one": (resource(indicator="https://a.example,https://b.example"), "is not an absolute URI"),
    "an indicator with a fragment": (resource(indicator=f"{API}#books"), "is not an absolute URI"),
    "the Management API": (resource(indicator="https://default.logto.app/api"), "is reserved for Logto"),
    "the organizations' indicator": (resource(indicator="urn:logto:resource:organizations"), "is reserved for Logto"),
    "an API resource twice": ({"resources": [APIResource(API), APIResource(API)]}, f"{API} is declared twice"),
    "tokens without a lifetime": (resource(access_token_ttl_seconds=0), "is 0, expected 1 or more"),
    "a name that is too long": (resource(name="x" * 129), "is longer than 128 characters"),
    "a role without a description": (role(description=""), "has no description"),
    "a role described at length": (role(description="x" * 129), "has 129 characters, expected at most 128"),
    "a role without a name": (role(name=""), "has a name of 0 characters"),
    "a role of Logto's own": (role(name="#internal:admin"), "begins with #internal:"),
    "a role declared twice": (
        {"roles": [Role("clerk", "Sells"), Role("clerk", "Sells")]},
        "role clerk is declared twice",
    ),
    "a user role with the Management API": (
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
    "a domain with an umlaut": (
        {"redirect_uris": ["https://müller.example:8443/callback"]},
        "Use 'https://xn--mller-kva.example:8443/callback'.",
    ),
    "a wildcard below a domain with an umlaut": (
        {"redirect_uris": ["https://*.müller.example/callback"]},
        "Use 'https://*.xn--mller-kva.example/callback'.",
    ),
    "a path with an umlaut": (
        {"post_sign_out_uris": ["https://shop.example/größe"]},
        "Use 'https://shop.example/gr%C3%B6%C3%9Fe'.",
    ),
    "a domain with invisible letters": ({"redirect_uris": ["https://mü\u200b.example/"]}, "is not an http or https"),
    "an indicator with an umlaut": (
        resource(indicator="https://müller.example/api"),
        "xn-- form: 'https://xn--mller-kva.example/api'.",
    ),
    "a redirect URI with a space": ({"redirect_uris": ["https://shop.example/call back"]}, "is not an http or https"),
    "a redirect URI with a fragment": ({"redirect_uris": ["https://shop.example/#x"]}, "has a fragment"),
    "a wildcard that never matches": ({"redirect_uris": ["https://shop.*/callback"]}, "would never match"),
    "a wildcard for any domain": ({"post_sign_out_uris": ["https://*.example/"]}, "would never match"),
    "a wildcard in a query": ({"redirect_uris": ["https://shop.example/?a=*"]}, "wildcard in its query"),
    "a wildcard to be called": ({"back_channel_logout_uri": "https://*.shop.example/x"}, "Logto has to call it"),
}


@pytest.mark.parametrize("case", INVALID)
def test_invalid_declaration_raises_error_without_requests(api: ManagementAPI, fresh: Emulator, case: str) -> None:
    fields, text = INVALID[case]
    with pytest.raises(ConfigurationError) as raised:
        make_plan(api, TenantDeclaration(application="Shop", **fields))
    assert text in str(raised.value)
    assert "\n" not in str(raised.value)
    assert len(fresh.requests) == 0


def test_all_errors_are_reported_at_once() -> None:
    declared = TenantDeclaration(**resource(scopes={"read books": "", "openid": ""}), **role(description=""))
    assert len(declaration_errors(declared)) == 3


@pytest.mark.parametrize(
    "uri", ["https://*.shop.example/callback", "https://a*.eu.shop.example:8443/callback", "http://[::1]:8000/callback"]
)
def test_valid_redirect_uri_is_accepted_by_logto(api: ManagementAPI, fresh: Emulator, uri: str) -> None:
    apply_plan(
        make_plan(
            api, TenantDeclaration(application="Shop", redirect_uris=[uri], **resource(scopes={"a": "", "b:c": ""}))
        )
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
def test_uri_is_normalized_as_in_logto(uri: str, normal: str) -> None:
    assert normalize_uri(uri) == normal


def test_webhook_events_are_those_that_have_handlers() -> None:
    assert set(WEBHOOK_EVENTS) == set(HANDLERS)
