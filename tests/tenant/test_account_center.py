"""The account center of a declaration: its errors, what a plan changes, and what stays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.exceptions import ConfigurationError
from logto_auth.management_api import ManagementAPI
from logto_auth.tenant import AccountCenter, Step, TenantDeclaration, apply_plan, make_plan, site_declaration
from logto_auth.tenant.account_center import ACCOUNT_FIELDS
from logto_auth.tenant.declaration import declaration_errors
from tests.management_commands import SITE, Run
from tests.recorded import recording

from .tenant_state import writes

INVALID: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown field": ({"fields": {"nickname": "Edit"}}, "has the field 'nickname', expected one of name, avatar"),
    "an unknown permission": ({"fields": {"name": "Yes"}}, "'Yes' for the field name, expected Off, ReadOnly or Edit"),
    "an origin with a path": ({"webauthn_related_origins": ["https://shop.example/x"]}, "an origin without a path"),
    "an origin with a wildcard": ({"webauthn_related_origins": ["https://*.shop.example"]}, "without a wildcard"),
    "an origin without a scheme": ({"webauthn_related_origins": ["shop.example"]}, "contains 'shop.example', expected"),
    "an origin with an umlaut": (
        {"webauthn_related_origins": ["https://müller.example"]},
        "'https://xn--mller-kva.example'",
    ),
    "a URL without a scheme": ({"delete_account_url": "shop.example"}, "neither an http or https URL nor a path"),
    "a URL with another host": ({"delete_account_url": "//other.example/"}, "neither an http or https URL nor a path"),
    "a script": ({"delete_account_url": "javascript:alert(1)"}, "neither an http or https URL nor a path"),
    "a scheme in upper case": ({"delete_account_url": "HTTPS://shop.example/"}, "neither an http or https URL"),
    "a URL with an umlaut": ({"delete_account_url": "https://müller.example/"}, "'https://xn--mller-kva.example/'"),
    "a long URL": ({"delete_account_url": "https://shop.example/" + "x" * 2048}, "2069 characters, expected at most"),
}


@pytest.mark.parametrize("case", INVALID)
def test_invalid_account_center_is_an_error(case: str) -> None:
    fields, text = INVALID[case]
    (error,) = declaration_errors(TenantDeclaration(account_center=AccountCenter(**fields)))
    assert text in error


def declared(**fields: Any) -> TenantDeclaration:
    return TenantDeclaration(account_center=AccountCenter(**fields))


def shown(step: Step) -> dict[str, tuple[Any, Any]]:
    return {each.name: (each.before, each.after) for each in step.differences}


def settings_of(logto: Emulator) -> Mapping[str, Any]:
    return logto.tenant.account_center


# Plans


def test_undeclared_account_center_is_not_read(api: ManagementAPI, fresh: Emulator) -> None:
    assert make_plan(api, TenantDeclaration()).steps == []
    assert [each.path for each in fresh.requests if "account-center" in each.path] == []


def test_declared_account_center_is_applied_once(api: ManagementAPI, fresh: Emulator) -> None:
    declaration = declared(
        fields={"name": "Edit", "email": "ReadOnly", "phone": "Off"},
        webauthn_related_origins=["https://shop.example"],
        delete_account_url="https://shop.example/account/delete",
    )
    (step,) = make_plan(api, declaration).changes
    assert (step.action, str(step)) == ("change", "account center of all applications of the tenant")
    # A field that a tenant does not name is Off.
    assert shown(step) == {
        "enabled": (False, True),
        "field name": ("Off", "Edit"),
        "field email": ("Off", "ReadOnly"),
        "WebAuthn related origins": ([], ["https://shop.example"]),
        "delete account URL": (None, "https://shop.example/account/delete"),
    }
    assert writes(fresh) == []
    apply_plan(make_plan(api, declaration))
    assert settings_of(fresh)["enabled"] is True
    assert settings_of(fresh)["fields"] == {"name": "Edit", "email": "ReadOnly", "phone": "Off"}
    assert settings_of(fresh)["webauthnRelatedOrigins"] == ["https://shop.example"]
    assert settings_of(fresh)["deleteAccountUrl"] == "https://shop.example/account/delete"
    assert make_plan(api, declaration).changes == []


def test_undeclared_values_of_account_center_stay(api: ManagementAPI, fresh: Emulator) -> None:
    fresh.tenant.account_center |= {
        "enabled": True,
        "fields": {"social": "ReadOnly", "name": "Off"},
        "webauthnRelatedOrigins": ["https://other.example"],
        "deleteAccountUrl": "https://other.example/delete",
        "customCss": "body {}",
        "profileFields": [{"name": "givenName"}],
    }
    declaration = declared(fields={"name": "Edit"}, webauthn_related_origins=["https://shop.example"])
    apply_plan(make_plan(api, declaration))
    assert {key: value for key, value in settings_of(fresh).items() if key not in {"id", "tenantId"}} == {
        "enabled": True,
        "fields": {"social": "ReadOnly", "name": "Edit"},
        "webauthnRelatedOrigins": ["https://other.example", "https://shop.example"],
        "deleteAccountUrl": "https://other.example/delete",
        "customCss": "body {}",
        "profileFields": [{"name": "givenName"}],
    }


def test_values_set_after_planning_stay(api: ManagementAPI, fresh: Emulator) -> None:
    plan = make_plan(api, declared(fields={"name": "Edit"}, webauthn_related_origins=["https://shop.example"]))
    fresh.tenant.account_center |= {"fields": {"email": "Edit"}, "webauthnRelatedOrigins": ["https://other.example"]}
    apply_plan(plan)
    assert settings_of(fresh)["fields"] == {"email": "Edit", "name": "Edit"}
    assert settings_of(fresh)["webauthnRelatedOrigins"] == ["https://other.example", "https://shop.example"]


def test_origin_is_stored_as_browsers_report_it(api: ManagementAPI, fresh: Emulator) -> None:
    declaration = declared(webauthn_related_origins=["HTTPS://Shop.example:443/", "http://localhost:8000"])
    apply_plan(make_plan(api, declaration))
    assert settings_of(fresh)["webauthnRelatedOrigins"] == ["https://shop.example", "http://localhost:8000"]
    assert make_plan(api, declaration).changes == []


def test_account_center_can_be_turned_off(api: ManagementAPI, fresh: Emulator) -> None:
    fresh.tenant.account_center |= {"enabled": True, "fields": {"name": "Edit"}}
    (step,) = make_plan(api, declared(enabled=False)).changes
    assert shown(step) == {"enabled": (True, False)}
    apply_plan(make_plan(api, declared(enabled=False)))
    assert (settings_of(fresh)["enabled"], settings_of(fresh)["fields"]) == (False, {"name": "Edit"})


def test_field_that_logto_drops_is_an_error(api: ManagementAPI, fresh: Emulator) -> None:
    plan = make_plan(api, declared(fields={"name": "Edit", "passkey": "Edit"}))
    answer = {**settings_of(fresh), "enabled": True, "fields": {"name": "Edit"}}
    fresh.faults.http["management_api"] = HttpFault(status=200, body=json.dumps(answer))
    with pytest.raises(ConfigurationError, match=r"^Logto did not store the permission of passkey\. "):
        apply_plan(plan)


# The short form


def test_all_editable_names_every_field_of_logto() -> None:
    recorded = recording("account/account_center_settings", "1.42")["body"]["fields"]
    center = AccountCenter.all_editable(fields={"social": "Off"}, delete_account_url="/account/delete")
    assert center.fields == {**recorded, "passkey": "Edit", "social": "Off"}
    assert (center.enabled, center.delete_account_url) == (True, "/account/delete")
    assert AccountCenter.all_editable().fields == dict.fromkeys(ACCOUNT_FIELDS, "Edit")


# The URLs of the site

DECLARED = declared(fields={"mfa": "Edit"}, delete_account_url="/account/delete")
DECLARED_WITHOUT_PASSKEYS = declared(fields={"mfa": "ReadOnly"})
DECLARED_WITHOUT_PASSKEY_FIELD = declared(fields={"mfa": "Edit", "passkey": "Off"})
DECLARED_WITH_ORIGINS = declared(fields={"mfa": "Edit"}, webauthn_related_origins=[])


def test_urls_of_the_site_are_filled_in(settings: Any) -> None:
    settings.LOGTO_TENANT = f"{__name__}.DECLARED"
    urls = ["https://*.shop.example", "https://shop.example", "http://localhost:8000"]
    center = site_declaration(urls).account_center
    assert center is not None
    assert center.webauthn_related_origins == ["https://shop.example", "http://localhost:8000"]
    assert center.delete_account_url == "https://shop.example/account/delete"


@pytest.mark.parametrize(
    "name", ["DECLARED_WITHOUT_PASSKEYS", "DECLARED_WITHOUT_PASSKEY_FIELD", "DECLARED_WITH_ORIGINS"]
)
def test_site_gets_no_origin_without_need(settings: Any, name: str) -> None:
    settings.LOGTO_TENANT = f"{__name__}.{name}"
    center = site_declaration(["https://shop.example"]).account_center
    assert center is not None
    assert center.webauthn_related_origins == []


def test_change_by_hand_is_shown_and_corrected(run: Run, fresh: Emulator, settings: Any) -> None:
    settings.LOGTO_TENANT = f"{__name__}.DECLARED"
    assert run("logto_setup", "--yes", "--name", "Shop").code == 0
    assert settings_of(fresh)["webauthnRelatedOrigins"] == [SITE]
    fresh.tenant.account_center |= {"enabled": False, "fields": {"mfa": "ReadOnly"}, "webauthnRelatedOrigins": []}
    result = run("logto_setup", "--check", "--name", "Shop")
    assert (result.code, result.out.splitlines()[:5]) == (
        1,
        [
            "~ account center of all applications of the tenant",
            "    enabled: no -> yes",
            "    field mfa: ReadOnly -> Edit",
            "    WebAuthn related origins:",
            "      + http://testserver",
        ],
    )
    assert run("logto_setup", "--yes", "--name", "Shop").code == 0
    assert run("logto_setup", "--check", "--name", "Shop").code == 0
