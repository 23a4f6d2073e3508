"""`manage.py logto_setup`: from an empty tenant to a site with sign-in, differences, JSON and requirements."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from logto_auth.emulator import Emulator
from logto_auth.management_api import ManagementAPI
from logto_auth.tenant import apply_plan, make_plan, site_declaration
from logto_auth.testing import Browser
from tests.management_commands import SITE, Run, read_env_file, set_all

from .tenant_state import API, own_application, snapshot, writes

# From start to end


@pytest.mark.django_db
def test_empty_tenant_is_set_up_for_bookstore_sign_in(run: Run, fresh: Emulator, settings: Any, tmp_path: Path) -> None:
    result = run("logto_setup", "--env-file", str(tmp_path / ".env"), stdin="y\n")
    assert result.code == 0
    assert "+ application Bookstore\n    redirect URIs:\n      + http://testserver/callback" in result.out
    assert result.out.endswith("LOGTO_ENDPOINT, LOGTO_APP_ID, LOGTO_APP_SECRET, LOGTO_WEBHOOK_SIGNING_KEY.\n")
    set_all(settings, read_env_file(tmp_path / ".env"))
    settings.LOGTO_GROUPS_BY_ROLE = {"editor": "Editors"}
    fresh.tenant.add_user(username="editor", roles=["editor"])
    browser = Browser(fresh)
    assert browser.sign_in("editor", next_url="/account/claims").url == "/account/claims"
    assert get_user_model().objects.get(username="editor").groups.get().name == "Editors"
    assert browser.sign_out().partition("?")[0] == f"{SITE}/"
    assert fresh.tenant.find_role("editor").scopes[API] == ["read:books", "write:books"]


def test_application_gets_back_channel_logout_with_session(run: Run, fresh: Emulator) -> None:
    run("logto_setup", "--yes")
    application = own_application(fresh)
    assert application.backchannel_logout_uri == f"{SITE}/back-channel-logout"
    assert application.gets_sid


def test_every_base_url_gets_uris_and_first_is_called(run: Run, fresh: Emulator) -> None:
    run("logto_setup", "--yes", "--base-url", "https://shop.example", "--base-url", "https://*.shop.example")
    application = own_application(fresh)
    assert application.redirect_uris == ["https://shop.example/callback", "https://*.shop.example/callback"]
    assert application.post_logout_redirect_uris == ["https://shop.example/", "https://*.shop.example/"]
    assert application.backchannel_logout_uri == "https://shop.example/back-channel-logout"


def test_second_run_changes_nothing(run: Run, fresh: Emulator) -> None:
    run("logto_setup", "--yes")
    before = snapshot(fresh)
    fresh.requests.clear()
    result = run("logto_setup")
    assert (result.code, result.out.splitlines()[0]) == (0, "= 30 as declared")
    assert (writes(fresh), snapshot(fresh)) == ([], before)


@pytest.mark.parametrize("stdin", ["n\n", "\n", "", "yess\n"])
def test_answer_other_than_yes_changes_nothing(run: Run, fresh: Emulator, stdin: str) -> None:
    before = snapshot(fresh)
    result = run("logto_setup", stdin=stdin)
    assert (result.code, result.error) == (
        1,
        "Aborted, nothing was changed. Use --yes in non-interactive runs.",
    )
    assert (writes(fresh), snapshot(fresh)) == ([], before)


# Differences


def test_check_exits_with_1_on_difference_without_changes(run: Run, fresh: Emulator) -> None:
    before = snapshot(fresh)
    assert run("logto_setup", "--check").code == 1
    assert (writes(fresh), snapshot(fresh)) == ([], before)
    run("logto_setup", "--yes")
    assert run("logto_setup", "--check").code == 0


def test_changed_tenant_is_shown_and_corrected(run: Run, fresh: Emulator) -> None:
    run("logto_setup", "--yes")
    tenant, application = fresh.tenant, own_application(fresh)
    declared = snapshot(fresh)
    tenant.find_role("editor").description = "Old"
    tenant.find_role("editor").scopes = {**tenant.find_role("editor").scopes, API: ["read:books"]}
    tenant.find_resource(API).scopes["write:books"].description = None
    tenant.find_organization_role("manager").scopes = ()
    application.redirect_uris = []
    application.backchannel_logout_session_required = False
    result = run("logto_setup", "--check")
    assert result.code == 1
    assert result.out.splitlines() == [
        f"~ application Bookstore ({application.id})",
        "    redirect URIs:",
        "      + http://testserver/callback",
        "    session required for back-channel logout: no -> yes",
        f"~ permission write:books of {API}",
        "    description: Add and change books",
        "~ role editor",
        "    description: Old -> Adds and changes books",
        "    permissions:",
        f"      + write:books of {API}",
        "~ organization role manager",
        "    organization permissions:",
        "      + manage:stock",
        "      + invite:members",
        "      + manage:members",
        "= 26 as declared",
    ]
    run("logto_setup", "--yes")
    assert snapshot(fresh) == declared
    assert application.gets_sid


def test_undeclared_objects_stay(run: Run, fresh: Emulator) -> None:
    run("logto_setup", "--yes")
    tenant, application = fresh.tenant, own_application(fresh)
    application.redirect_uris = ["https://other.example/callback"]
    application.post_logout_redirect_uris = ["https://other.example/"]
    application.logo_uri = "https://other.example/logo.png"
    application.custom_client_metadata = {"refreshTokenTtlInDays": 30}
    application.custom_data = {"owner": "shop"}
    tenant.add_resource("https://other.example/api", scopes=["read"])
    tenant.add_scope(tenant.find_resource(API), "burn:books")
    tenant.find_role("editor").scopes = {API: ["burn:books"], "https://other.example/api": ["read"]}
    tenant.add_role("stranger", description="Another site's")
    run("logto_setup", "--yes")
    assert application.redirect_uris == ["https://other.example/callback", f"{SITE}/callback"]
    assert application.post_logout_redirect_uris == ["https://other.example/", f"{SITE}/"]
    assert application.logo_uri == "https://other.example/logo.png"
    assert application.custom_client_metadata == {"refreshTokenTtlInDays": 30, "allowTokenExchange": True}
    assert application.custom_data == {"owner": "shop"}
    assert set(tenant.find_resource(API).scopes) == {"read:books", "write:books", "burn:books"}
    scopes = tenant.find_role("editor").scopes
    assert scopes[API] == ["burn:books", "read:books", "write:books"]
    assert scopes["https://other.example/api"] == ["read"]
    assert tenant.find_role("stranger").description == "Another site's"


def test_equivalent_uri_is_no_difference(run: Run, fresh: Emulator) -> None:
    run("logto_setup", "--yes")
    own_application(fresh).post_logout_redirect_uris = ["HTTP://TestServer:80"]
    assert run("logto_setup", "--check").code == 0


def test_uri_added_after_planning_stays(api: ManagementAPI, run: Run, fresh: Emulator) -> None:
    run("logto_setup", "--yes")
    application = own_application(fresh)
    application.redirect_uris = []
    found = make_plan(api, site_declaration([SITE], application="Bookstore"))
    application.redirect_uris = ["https://other.example/callback"]
    apply_plan(found)
    assert application.redirect_uris == ["https://other.example/callback", f"{SITE}/callback"]


# JSON


def test_json_contains_plan_and_settings(run: Run, fresh: Emulator) -> None:
    checked = json.loads(run("logto_setup", "--check", "--json").out)
    assert checked["applied"] is False
    assert [warning.partition(",")[0] for warning in checked["warnings"]] == [
        "Logto 1.42 and newer sends no back-channel logout to testserver"
    ]
    applied = json.loads(run("logto_setup", "--yes", "--json").out)
    assert applied["steps"] == checked["steps"]
    assert applied["applied"] is True
    assert applied["settings"] == {"LOGTO_ENDPOINT": fresh.endpoint, "LOGTO_APP_ID": own_application(fresh).id}
    # The sign-in experience, with MFA, and the account center of a tenant exist from the start.
    *created, experience, mfa, center, script, webhook = applied["steps"]
    assert {each["action"] for each in (*created, script, webhook)} == {"create"}
    assert (experience["action"], experience["kind"]) == ("change", "sign-in experience")
    assert (mfa["action"], mfa["kind"]) == ("change", "MFA")
    assert (center["action"], center["kind"]) == ("change", "account center")
    assert next(each for each in created if each["name"] == "staff") == {
        "action": "create",
        "kind": "organization role",
        "name": "staff",
        "differences": [
            {"property": "type", "before": None, "after": "User"},
            {"property": "description", "before": None, "after": "Works in a branch"},
        ],
    }
    again = json.loads(run("logto_setup", "--json", "--show-secret").out)
    assert {each["action"] for each in again["steps"]} == {"nothing"}
    assert again["settings"]["LOGTO_APP_SECRET"] == own_application(fresh).secret


def test_json_output_can_be_confirmed_interactively(run: Run) -> None:
    result = run("logto_setup", "--json", stdin="y\n")
    assert json.loads(result.out)["applied"] is True
    assert result.err.startswith("Continue? [y/N] ")


# Requirements


def test_missing_base_url_is_an_error(run: Run, settings: Any) -> None:
    settings.LOGTO_BASE_URL = ""
    result = run("logto_setup")
    assert (result.code, result.error) == (
        2,
        "The URL of the site is not known. Pass --base-url, or set LOGTO_BASE_URL.",
    )


@pytest.mark.parametrize("url", ["shop.example", "https://shop.example/shop", "ftp://shop.example"])
def test_base_url_with_path_or_other_scheme_is_rejected(run: Run, url: str) -> None:
    assert f"The base URL {url!r} is not an origin" in run("logto_setup", "--base-url", url).error


def test_name_suffices_without_declaration(run: Run, fresh: Emulator, settings: Any) -> None:
    settings.LOGTO_TENANT = ""
    assert "--name" in run("logto_setup", "--yes").error
    result = run("logto_setup", "--yes", "--name", "Shop")
    assert result.code == 0
    assert (own_application(fresh).name, len(fresh.tenant.roles)) == ("Shop", 1)


def test_api_only_site_with_webhook_gets_no_application(run: Run, fresh: Emulator, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.tenant.urls_api_only"
    settings.LOGTO_BASE_URL = ""
    assert "--base-url" in run("logto_setup", "--yes").error
    run("logto_setup", "--yes", "--base-url", SITE)
    assert [each.url for each in fresh.tenant.hooks.values()] == [f"{SITE}/webhooks/logto"]
    own = [each for each in fresh.tenant.applications.values() if not each.is_third_party]
    assert {each.type for each in own} == {"MachineToMachine"}


def test_site_without_views_gets_no_application(run: Run, fresh: Emulator, settings: Any) -> None:
    settings.ROOT_URLCONF = "django.conf.urls.i18n"
    settings.LOGTO_BASE_URL = ""
    result = run("logto_setup", "--yes")
    assert (result.code, result.out.splitlines()[-1]) == (0, f"LOGTO_ENDPOINT={fresh.endpoint}")
    own = [each for each in fresh.tenant.applications.values() if not each.is_third_party]
    assert {each.type for each in own} == {"MachineToMachine"}
    assert fresh.tenant.find_resource(API) is not None


def test_missing_credentials_are_named(run: Run, settings: Any) -> None:
    settings.LOGTO_M2M_APP_SECRET = ""
    result = run("logto_setup")
    assert result.code == 2
    assert result.error.startswith("LOGTO_M2M_APP_SECRET must be set")


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("LOGTO_M2M_APP_ID", "unknown", "invalid client unknown. Check LOGTO_M2M_APP_ID"),
        ("LOGTO_M2M_APP_SECRET", "wrong", "client authentication failed. Check LOGTO_M2M_APP_ID"),
    ],
)
def test_wrong_credentials_are_named(run: Run, settings: Any, name: str, value: str, text: str) -> None:
    setattr(settings, name, value)
    result = run("logto_setup")
    assert result.code == 2
    assert text in result.error
