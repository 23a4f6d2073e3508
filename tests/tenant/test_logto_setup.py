"""`manage.py logto_setup`: from an empty tenant to a site with sign-in, and everything that can go wrong."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from logto_auth.emulator import Application, Emulator, HttpFault
from logto_auth.exceptions import ConfigurationError, ManagementAPIError
from logto_auth.management_api import ManagementAPI
from logto_auth.tenant import WEBHOOK_EVENTS, apply_plan, make_plan, site_declaration
from logto_auth.testing import Browser
from tests.management_commands import SITE, Run, file_mode, read_env_file, set_all

API = "https://bookstore.example/api"
REFUSAL = HttpFault(status=422, body='{"code": "quota.exceeded", "message": "No more of them."}')


def own_application(logto: Emulator) -> Application:
    """Return the only Traditional application."""
    (application,) = (each for each in logto.tenant.applications.values() if each.type == "Traditional")
    return application


def writes(logto: Emulator) -> list[str]:
    """Return the paths of the requests so far that change something."""
    return [each.path for each in logto.requests if each.endpoint == "management_api" and each.method != "GET"]


def snapshot(logto: Emulator) -> dict[str, Any]:
    """Return the declarable objects of the tenant, without ids."""
    tenant = logto.tenant
    return {
        "applications": sorted((each.name, tuple(each.redirect_uris)) for each in tenant.applications.values()),
        "resources": {
            each.indicator: {scope.name: scope.description for scope in each.scopes.values()}
            for each in tenant.resources.values()
        },
        "roles": {each.name: (each.type, each.description, dict(each.scopes)) for each in tenant.roles.values()},
        "organization_scopes": {each.name: each.description for each in tenant.organization_scopes.values()},
        "organization_roles": {
            each.name: (each.description, tuple(each.scopes)) for each in tenant.organization_roles.values()
        },
        "hooks": [(each.url, tuple(each.events), each.enabled) for each in tenant.hooks.values()],
    }


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
    assert browser.sign_in("editor", next_url="/account/").url == "/account/"
    assert get_user_model().objects.get(username="editor").groups.get().name == "Editors"
    assert browser.sign_out().partition("?")[0] == f"{SITE}/"
    assert fresh.tenant.find_role("editor").scopes == {API: ["read:books", "write:books"]}


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
    assert (result.code, result.out.splitlines()[0]) == (0, "= 10 as declared")
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


# Drift


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
    tenant.find_role("editor").scopes = {API: ["read:books"]}
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
        "= 6 as declared",
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
    assert application.custom_client_metadata == {"refreshTokenTtlInDays": 30}
    assert application.custom_data == {"owner": "shop"}
    assert set(tenant.find_resource(API).scopes) == {"read:books", "write:books", "burn:books"}
    assert tenant.find_role("editor").scopes == {
        API: ["burn:books", "read:books", "write:books"],
        "https://other.example/api": ["read"],
    }
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


# Existing applications


def test_application_of_app_id_is_used_with_any_name(run: Run, fresh: Emulator, settings: Any, tmp_path: Path) -> None:
    application = fresh.tenant.add_application(name="Staging", redirect_uris=["https://other.example/callback"])
    settings.LOGTO_APP_ID, settings.LOGTO_APP_SECRET = application.id, application.secret
    fresh.tenant.add_application_secret(application.id, "Another", value="another0000000000000000000000000")
    run("logto_setup", "--yes", "--env-file", str(tmp_path / ".env"))
    assert own_application(fresh).name == "Staging"
    assert read_env_file(tmp_path / ".env")["LOGTO_APP_SECRET"] == application.secret


def test_traditional_application_with_declared_name_is_used(run: Run, fresh: Emulator) -> None:
    for type in ("SPA", "Native", "MachineToMachine"):
        fresh.tenant.add_application(name="Bookstore", type=type)
    fresh.tenant.add_application(name="Bookstore", is_third_party=True)
    fresh.tenant.add_application(name="Other bookstore")
    meant = fresh.tenant.add_application(name="Bookstore")
    result = run("logto_setup", "--yes")
    assert f"~ application Bookstore ({meant.id})" in result.out
    assert f"LOGTO_APP_ID={meant.id}" in result.out
    changed = [each for each in fresh.tenant.applications.values() if each.redirect_uris]
    assert changed == [meant]


def test_application_of_other_type_is_not_used(run: Run, fresh: Emulator) -> None:
    fresh.tenant.add_application(name="Bookstore", type="SPA")
    fresh.tenant.add_application(name="Bookstore", is_third_party=True)
    assert "+ application Bookstore\n" in run("logto_setup", "--yes").out
    assert [each.redirect_uris for each in fresh.tenant.applications.values()] == [[], [], [], [f"{SITE}/callback"]]


def test_two_applications_with_the_name_are_an_error(run: Run, fresh: Emulator) -> None:
    ids = [fresh.tenant.add_application(name="Bookstore").id for _ in range(2)]
    result = run("logto_setup", "--yes")
    assert result.code == 2
    assert result.error.startswith('2 applications have the name "Bookstore": ')
    assert all(id in result.error for id in ids)
    assert writes(fresh) == []


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"type": "SPA"}, "which has the type SPA"),
        ({"type": "MachineToMachine"}, "which has the type MachineToMachine"),
        ({"is_third_party": True}, "which is third-party"),
    ],
)
def test_application_of_wrong_kind_is_an_error(
    run: Run, fresh: Emulator, settings: Any, changes: dict[str, Any], text: str
) -> None:
    settings.LOGTO_APP_ID = fresh.tenant.add_application(name="Bookstore", **changes).id
    result = run("logto_setup", "--yes")
    assert result.code == 2
    assert text in result.error
    assert writes(fresh) == []


def test_unknown_app_id_is_an_error(run: Run, fresh: Emulator, settings: Any) -> None:
    settings.LOGTO_APP_ID = "ofanothertenant000001"
    result = run("logto_setup", "--yes")
    assert result.code == 2
    assert "LOGTO_APP_ID is 'ofanothertenant000001'" in result.error
    assert writes(fresh) == []


# Interruptions


@pytest.mark.parametrize("steps", range(10))
def test_next_run_completes_interrupted_run(api: ManagementAPI, run: Run, fresh: Emulator, steps: int) -> None:
    found = make_plan(api, site_declaration([SITE]))
    done: list[Any] = []

    def interrupt(step: Any = None) -> None:
        done.extend([step] if step else [])
        if len(done) == steps:
            fresh.faults.http["management_api"] = REFUSAL

    interrupt()
    with pytest.raises(ManagementAPIError, match=r"quota\.exceeded"):
        apply_plan(found, interrupt)
    fresh.faults.clear()
    rest = make_plan(api, site_declaration([SITE]))
    assert len(rest.changes) == 10 - steps
    apply_plan(rest)
    interrupted = snapshot(fresh)
    assert make_plan(api, site_declaration([SITE])).changes == []
    fresh.tenant.clear()
    fresh.tenant.add_application(name="Setup", type="MachineToMachine")
    apply_plan(make_plan(api, site_declaration([SITE])))
    assert interrupted == snapshot(fresh)


def test_interrupted_run_reports_number_of_applied_steps(run: Run, fresh: Emulator) -> None:
    class Interrupting(io.StringIO):
        def write(self, text: str) -> int:
            if text.startswith("done: role admin"):
                fresh.faults.http["management_api"] = REFUSAL
            return super().write(text)

    result = run("logto_setup", "--yes", stdout=Interrupting())
    assert result.code == 2
    assert "422: quota.exceeded: No more of them." in result.error
    assert result.error.endswith("Done: 6 of 10. Run the command again to apply the rest.")
    fresh.faults.clear()
    again = run("logto_setup", "--yes")
    assert again.code == 0
    assert "done: organization role staff" in again.out
    assert "done: role admin" not in again.out
    assert run("logto_setup", "--check").code == 0


def test_object_created_without_response_is_found_again(run: Run, fresh: Emulator) -> None:
    class LosesTheAnswer(io.StringIO):
        def write(self, text: str) -> int:
            if text.startswith("done: application"):
                fresh.faults.http["management_api"] = HttpFault(truncate_after=0, times=1)
            return super().write(text)

    result = run("logto_setup", "--yes", stdout=LosesTheAnswer())
    assert (result.code, fresh.tenant.find_resource(API) is None) == (2, False)
    assert "done: API resource" not in run("logto_setup", "--yes").out
    assert run("logto_setup", "--check").code == 0


def test_object_created_by_others_stops_the_run(api: ManagementAPI, run: Run, fresh: Emulator) -> None:
    first, second = make_plan(api, site_declaration([SITE])), make_plan(api, site_declaration([SITE]))
    apply_plan(first)
    with pytest.raises(ConfigurationError, match='An application "Bookstore" was created in the meantime'):
        apply_plan(second)
    assert run("logto_setup", "--check").code == 0
    fresh.tenant.delete_role(fresh.tenant.find_role("editor"))
    first, second = make_plan(api, site_declaration([SITE])), make_plan(api, site_declaration([SITE]))
    apply_plan(first)
    with pytest.raises(ManagementAPIError, match=r"role\.name_in_use"):
        apply_plan(second)
    assert run("logto_setup", "--check").code == 0


# The settings


def test_secrets_are_printed_only_with_show_secret(run: Run, fresh: Emulator) -> None:
    result = run("logto_setup", "--yes")
    hidden = "# hidden; --env-file PATH writes it, --show-secret prints it"
    assert result.out.endswith(f"LOGTO_APP_SECRET=  {hidden}\nLOGTO_WEBHOOK_SIGNING_KEY=  {hidden}\n")
    result = run("logto_setup", "--show-secret")
    (hook,) = fresh.tenant.hooks.values()
    assert result.out.endswith(
        f"LOGTO_APP_SECRET={own_application(fresh).secret}\nLOGTO_WEBHOOK_SIGNING_KEY={hook.signing_key}\n"
    )


def test_env_file_keeps_its_other_lines(run: Run, fresh: Emulator, tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(
        "# the shop\nDJANGO_DEBUG=0\nLOGTO_APP_ID=old\nexport LOGTO_APP_SECRET='old'\nLOGTO_APP_ID=older\n"
        "MY_LOGTO_APP_ID=mine\nLOGTO_FRESHNESS_SECONDS=60"
    )
    path.chmod(0o644)
    run("logto_setup", "--yes", "--env-file", str(path))
    application, (hook,) = own_application(fresh), fresh.tenant.hooks.values()
    assert path.read_text() == (
        f"# the shop\nDJANGO_DEBUG=0\nexport LOGTO_APP_SECRET={application.secret}\nLOGTO_APP_ID={application.id}\n"
        f"MY_LOGTO_APP_ID=mine\nLOGTO_FRESHNESS_SECONDS=60\nLOGTO_ENDPOINT={fresh.endpoint}\n"
        f"LOGTO_WEBHOOK_SIGNING_KEY={hook.signing_key}\n"
    )
    assert file_mode(path) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [".env"]


def test_env_file_that_is_a_link_stays_a_link(run: Run, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real")
    run("logto_setup", "--yes", "--env-file", str(tmp_path / "link"))
    assert (tmp_path / "link").is_symlink()
    assert file_mode(tmp_path / "real") == 0o600


def test_unwritable_env_file_stops_before_any_change(run: Run, fresh: Emulator, tmp_path: Path) -> None:
    result = run("logto_setup", "--yes", "--env-file", str(tmp_path / "nowhere" / ".env"))
    assert result.code == 2
    assert "cannot be written" in result.error
    assert writes(fresh) == []


@pytest.mark.parametrize("secret", ["one\nDJANGO_DEBUG=1", "two words", "$(reboot)", "#none", 'a"quote'])
def test_secret_that_needs_quotes_is_not_written(run: Run, fresh: Emulator, tmp_path: Path, secret: str) -> None:
    fresh.tenant.add_application(name="Bookstore", secret=secret)
    path = tmp_path / ".env"
    path.write_text("DJANGO_DEBUG=0\n")
    result = run("logto_setup", "--yes", "--env-file", str(path))
    assert result.code == 2
    assert "The value of LOGTO_APP_SECRET contains a character that would need quotes" in result.error
    assert path.read_text() == "DJANGO_DEBUG=0\n"


def test_expired_secrets_give_a_warning(run: Run, fresh: Emulator, settings: Any, tmp_path: Path) -> None:
    application = fresh.tenant.add_application(name="Bookstore")
    application.secrets[0].expires_at = 1
    path = tmp_path / ".env"
    result = run("logto_setup", "--yes", "--env-file", str(path))
    assert result.code == 0
    assert "All app secrets of the application have expired." in result.err
    assert "LOGTO_APP_SECRET" not in read_env_file(path)
    fresh.tenant.add_application_secret(application.id, "Short", value="s" * 32, expires_at=10**13)
    fresh.tenant.add_application_secret(application.id, "Long", value="l" * 32, expires_at=10**14)
    result = run("logto_setup", "--env-file", str(path))
    assert (result.err, read_env_file(path)["LOGTO_APP_SECRET"]) == ("", "l" * 32)
    settings.LOGTO_APP_SECRET = "s" * 32
    run("logto_setup", "--env-file", str(path))
    assert read_env_file(path)["LOGTO_APP_SECRET"] == "s" * 32


# The webhook


def test_site_with_webhook_view_gets_webhook_and_key(run: Run, fresh: Emulator, tmp_path: Path) -> None:
    path = tmp_path / ".env"
    run("logto_setup", "--yes", "--env-file", str(path))
    (hook,) = fresh.tenant.hooks.values()
    assert (hook.url, hook.events, hook.enabled) == (f"{SITE}/webhooks/logto", list(WEBHOOK_EVENTS), True)
    assert read_env_file(path)["LOGTO_WEBHOOK_SIGNING_KEY"] == hook.signing_key
    assert run("logto_setup", "--check").code == 0


def test_existing_webhook_keeps_key_headers_and_events(run: Run, fresh: Emulator) -> None:
    other = fresh.tenant.add_hook("https://other.example/hook", ["User.Created"])
    hook = fresh.tenant.add_hook(f"{SITE}/webhooks/logto", ["PostRegister", "User.Deleted"], enabled=False)
    hook.config["headers"] = {"X-Proxy": "open"}
    key = hook.signing_key
    result = run("logto_setup", "--yes")
    assert f"~ webhook {SITE}/webhooks/logto\n" in result.out
    assert hook.events[:2] == ["PostRegister", "User.Deleted"]
    assert set(hook.events) == {"PostRegister", *WEBHOOK_EVENTS}
    assert hook.enabled
    assert (hook.signing_key, hook.config["headers"]) == (key, {"X-Proxy": "open"})
    assert (other.url, other.events) == ("https://other.example/hook", ["User.Created"])


# As JSON


def test_json_contains_plan_and_settings(run: Run, fresh: Emulator) -> None:
    checked = json.loads(run("logto_setup", "--check", "--json").out)
    assert (checked["applied"], checked["warnings"]) == (False, [])
    applied = json.loads(run("logto_setup", "--yes", "--json").out)
    assert applied["steps"] == checked["steps"]
    assert applied["applied"] is True
    assert applied["settings"] == {"LOGTO_ENDPOINT": fresh.endpoint, "LOGTO_APP_ID": own_application(fresh).id}
    assert {each["action"] for each in applied["steps"]} == {"create"}
    assert applied["steps"][-2] == {
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
    assert {each.type for each in fresh.tenant.applications.values()} == {"MachineToMachine"}


def test_site_without_views_gets_no_application(run: Run, fresh: Emulator, settings: Any) -> None:
    settings.ROOT_URLCONF = "django.conf.urls.i18n"
    settings.LOGTO_BASE_URL = ""
    result = run("logto_setup", "--yes")
    assert (result.code, result.out.splitlines()[-1]) == (0, f"LOGTO_ENDPOINT={fresh.endpoint}")
    assert {each.type for each in fresh.tenant.applications.values()} == {"MachineToMachine"}
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
