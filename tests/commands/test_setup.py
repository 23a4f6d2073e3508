"""`manage.py logto_setup`, from an empty tenant to a site that signs people in, and everything that is in the way."""

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
from logto_auth.tenant.declaration import WEBHOOK_EVENTS
from logto_auth.tenant.plan import apply, plan
from logto_auth.tenant.site import site_tenant
from logto_auth.testing import Browser

from .conftest import SITE, Run, mode, settings_in, use

API = "https://bookstore.example/api"
REFUSAL = HttpFault(status=422, body='{"code": "quota.exceeded", "message": "No more of them."}')


def own_application(logto: Emulator) -> Application:
    """The one Traditional application that there is."""
    (application,) = (each for each in logto.tenant.applications.values() if each.type == "Traditional")
    return application


def writes(logto: Emulator) -> list[str]:
    """The requests so far that were to change something."""
    return [each.path for each in logto.requests if each.endpoint == "management_api" and each.method != "GET"]


def snapshot(logto: Emulator) -> dict[str, Any]:
    """What is in a tenant that a site declares things in, without ids."""
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


# The whole way


@pytest.mark.django_db
def test_an_empty_tenant_becomes_one_that_the_bookstore_signs_in_with(
    run: Run, fresh: Emulator, settings: Any, tmp_path: Path
) -> None:
    ran = run("logto_setup", "--env-file", str(tmp_path / ".env"), typed="y\n")
    assert ran.code == 0
    assert "+ application Bookstore\n    redirect URIs:\n      + http://testserver/callback" in ran.out
    assert ran.out.endswith("LOGTO_ENDPOINT, LOGTO_APP_ID, LOGTO_APP_SECRET, LOGTO_WEBHOOK_SIGNING_KEY.\n")
    use(settings, settings_in(tmp_path / ".env"))
    settings.LOGTO_GROUPS_BY_ROLE = {"editor": "Editors"}
    fresh.tenant.add_user(username="editor", roles=["editor"])
    browser = Browser(fresh)
    assert browser.sign_in("editor", next_url="/account/").url == "/account/"
    assert get_user_model().objects.get(username="editor").groups.get().name == "Editors"
    assert browser.sign_out().partition("?")[0] == f"{SITE}/"
    assert fresh.tenant.find_role("editor").scopes == {API: ["read:books", "write:books"]}


def test_the_application_is_told_of_sign_outs_by_session(run: Run, fresh: Emulator) -> None:
    run("logto_setup", "--yes")
    application = own_application(fresh)
    assert application.backchannel_logout_uri == f"{SITE}/back-channel-logout"
    assert application.gets_sid


def test_every_base_url_gets_its_addresses_and_logto_calls_the_first(run: Run, fresh: Emulator) -> None:
    run("logto_setup", "--yes", "--base-url", "https://shop.example", "--base-url", "https://*.shop.example")
    application = own_application(fresh)
    assert application.redirect_uris == ["https://shop.example/callback", "https://*.shop.example/callback"]
    assert application.post_logout_redirect_uris == ["https://shop.example/", "https://*.shop.example/"]
    assert application.backchannel_logout_uri == "https://shop.example/back-channel-logout"


def test_the_second_run_changes_nothing(run: Run, fresh: Emulator) -> None:
    run("logto_setup", "--yes")
    before = snapshot(fresh)
    fresh.requests.clear()
    ran = run("logto_setup")
    assert (ran.code, ran.out.splitlines()[0]) == (0, "= 10 as declared")
    assert (writes(fresh), snapshot(fresh)) == ([], before)


@pytest.mark.parametrize("typed", ["n\n", "\n", "", "yess\n"])
def test_without_a_clear_yes_nothing_is_changed(run: Run, fresh: Emulator, typed: str) -> None:
    before = snapshot(fresh)
    ran = run("logto_setup", typed=typed)
    assert (ran.code, ran.error) == (
        1,
        "Nothing was changed. Where nobody can be asked, --yes says that it is meant.",
    )
    assert (writes(fresh), snapshot(fresh)) == ([], before)


# Drift


def test_check_exits_with_1_for_a_difference_and_changes_nothing(run: Run, fresh: Emulator) -> None:
    before = snapshot(fresh)
    assert run("logto_setup", "--check").code == 1
    assert (writes(fresh), snapshot(fresh)) == ([], before)
    run("logto_setup", "--yes")
    assert run("logto_setup", "--check").code == 0


def test_what_somebody_has_changed_is_shown_and_mended(run: Run, fresh: Emulator) -> None:
    run("logto_setup", "--yes")
    tenant, application = fresh.tenant, own_application(fresh)
    declared = snapshot(fresh)
    tenant.find_role("editor").description = "Old"
    tenant.find_role("editor").scopes = {API: ["read:books"]}
    tenant.find_resource(API).scopes["write:books"].description = None
    tenant.find_organization_role("manager").scopes = ()
    application.redirect_uris = []
    application.backchannel_logout_session_required = False
    ran = run("logto_setup", "--check")
    assert ran.code == 1
    assert ran.out.splitlines() == [
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


def test_what_is_not_declared_stays(run: Run, fresh: Emulator) -> None:
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
    tenant.add_role("stranger", description="Somebody else's")
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
    assert tenant.find_role("stranger").description == "Somebody else's"


def test_an_address_in_another_spelling_is_the_same_address(run: Run, fresh: Emulator) -> None:
    run("logto_setup", "--yes")
    own_application(fresh).post_logout_redirect_uris = ["HTTP://TestServer:80"]
    assert run("logto_setup", "--check").code == 0


def test_what_somebody_adds_while_the_plan_is_read_stays(api: ManagementAPI, run: Run, fresh: Emulator) -> None:
    run("logto_setup", "--yes")
    application = own_application(fresh)
    application.redirect_uris = []
    found = plan(api, site_tenant([SITE], application="Bookstore"))
    application.redirect_uris = ["https://other.example/callback"]
    apply(found)
    assert application.redirect_uris == ["https://other.example/callback", f"{SITE}/callback"]


# Adopting an application


def test_the_application_of_the_settings_is_adopted_whatever_it_is_called(
    run: Run, fresh: Emulator, settings: Any, tmp_path: Path
) -> None:
    application = fresh.tenant.add_application(name="Staging", redirect_uris=["https://other.example/callback"])
    settings.LOGTO_APP_ID, settings.LOGTO_APP_SECRET = application.id, application.secret
    fresh.tenant.add_application_secret(application.id, "Another", value="another0000000000000000000000000")
    run("logto_setup", "--yes", "--env-file", str(tmp_path / ".env"))
    assert own_application(fresh).name == "Staging"
    assert settings_in(tmp_path / ".env")["LOGTO_APP_SECRET"] == application.secret


def test_the_one_traditional_application_of_the_name_is_adopted(run: Run, fresh: Emulator) -> None:
    for type in ("SPA", "Native", "MachineToMachine"):
        fresh.tenant.add_application(name="Bookstore", type=type)
    fresh.tenant.add_application(name="Bookstore", is_third_party=True)
    fresh.tenant.add_application(name="Bookstore of somebody else")
    meant = fresh.tenant.add_application(name="Bookstore")
    ran = run("logto_setup", "--yes")
    assert f"~ application Bookstore ({meant.id})" in ran.out
    assert f"LOGTO_APP_ID={meant.id}" in ran.out
    changed = [each for each in fresh.tenant.applications.values() if each.redirect_uris]
    assert changed == [meant]


def test_applications_of_another_type_are_never_adopted(run: Run, fresh: Emulator) -> None:
    fresh.tenant.add_application(name="Bookstore", type="SPA")
    fresh.tenant.add_application(name="Bookstore", is_third_party=True)
    assert "+ application Bookstore\n" in run("logto_setup", "--yes").out
    assert [each.redirect_uris for each in fresh.tenant.applications.values()] == [[], [], [], [f"{SITE}/callback"]]


def test_two_applications_of_the_name_are_one_too_many(run: Run, fresh: Emulator) -> None:
    ids = [fresh.tenant.add_application(name="Bookstore").id for _ in range(2)]
    ran = run("logto_setup", "--yes")
    assert ran.code == 2
    assert ran.error.startswith('2 applications are called "Bookstore": ')
    assert all(id in ran.error for id in ids)
    assert writes(fresh) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"type": "SPA"}, "an application of the type SPA"),
        ({"type": "MachineToMachine"}, "an application of the type MachineToMachine"),
        ({"is_third_party": True}, "an application for others (third-party)"),
    ],
)
def test_an_application_that_cannot_be_used_is_refused(
    run: Run, fresh: Emulator, settings: Any, changes: dict[str, Any], words: str
) -> None:
    settings.LOGTO_APP_ID = fresh.tenant.add_application(name="Bookstore", **changes).id
    ran = run("logto_setup", "--yes")
    assert ran.code == 2
    assert words in ran.error
    assert writes(fresh) == []


def test_an_app_id_that_the_tenant_does_not_have_is_refused(run: Run, fresh: Emulator, settings: Any) -> None:
    settings.LOGTO_APP_ID = "ofanothertenant000001"
    ran = run("logto_setup", "--yes")
    assert ran.code == 2
    assert "LOGTO_APP_ID is 'ofanothertenant000001'" in ran.error
    assert writes(fresh) == []


# Interruptions


@pytest.mark.parametrize("steps", range(10))
def test_wherever_it_is_interrupted_the_next_run_does_the_rest(
    api: ManagementAPI, run: Run, fresh: Emulator, steps: int
) -> None:
    found = plan(api, site_tenant([SITE]))
    done: list[Any] = []

    def interrupt(step: Any = None) -> None:
        done.extend([step] if step else [])
        if len(done) == steps:
            fresh.faults.http["management_api"] = REFUSAL

    interrupt()
    with pytest.raises(ManagementAPIError, match=r"quota\.exceeded"):
        apply(found, interrupt)
    fresh.faults.clear()
    rest = plan(api, site_tenant([SITE]))
    assert len(rest.changes) == 10 - steps
    apply(rest)
    interrupted = snapshot(fresh)
    assert plan(api, site_tenant([SITE])).changes == []
    fresh.tenant.clear()
    fresh.tenant.add_application(name="Setup", type="MachineToMachine")
    apply(plan(api, site_tenant([SITE])))
    assert interrupted == snapshot(fresh)


def test_an_interrupted_run_says_how_far_it_came_and_the_next_one_goes_on(run: Run, fresh: Emulator) -> None:
    class Interrupting(io.StringIO):
        def write(self, text: str) -> int:
            if text.startswith("done: role admin"):
                fresh.faults.http["management_api"] = REFUSAL
            return super().write(text)

    ran = run("logto_setup", "--yes", stdout=Interrupting())
    assert ran.code == 2
    assert "422: quota.exceeded: No more of them." in ran.error
    assert ran.error.endswith("Done: 6 of 10. Run it again: it goes on from what is there.")
    fresh.faults.clear()
    again = run("logto_setup", "--yes")
    assert again.code == 0
    assert "done: organization role staff" in again.out
    assert "done: role admin" not in again.out
    assert run("logto_setup", "--check").code == 0


def test_what_was_made_and_went_unanswered_is_found_again(run: Run, fresh: Emulator) -> None:
    class LosesTheAnswer(io.StringIO):
        def write(self, text: str) -> int:
            if text.startswith("done: application"):
                fresh.faults.http["management_api"] = HttpFault(truncate_after=0, times=1)
            return super().write(text)

    ran = run("logto_setup", "--yes", stdout=LosesTheAnswer())
    assert (ran.code, fresh.tenant.find_resource(API) is None) == (2, False)
    assert "done: API resource" not in run("logto_setup", "--yes").out
    assert run("logto_setup", "--check").code == 0


def test_what_somebody_else_has_made_meanwhile_stops_it_and_the_next_run_is_content(
    api: ManagementAPI, run: Run, fresh: Emulator
) -> None:
    first, second = plan(api, site_tenant([SITE])), plan(api, site_tenant([SITE]))
    apply(first)
    with pytest.raises(ConfigurationError, match='Somebody has made an application "Bookstore" meanwhile'):
        apply(second)
    assert run("logto_setup", "--check").code == 0
    fresh.tenant.delete_role(fresh.tenant.find_role("editor"))
    first, second = plan(api, site_tenant([SITE])), plan(api, site_tenant([SITE]))
    apply(first)
    with pytest.raises(ManagementAPIError, match=r"role\.name_in_use"):
        apply(second)
    assert run("logto_setup", "--check").code == 0


# The settings


def test_secrets_are_shown_when_asked_for_alone(run: Run, fresh: Emulator) -> None:
    ran = run("logto_setup", "--yes")
    hidden = "# not shown; --env-file PATH writes it, --show-secret prints it"
    assert ran.out.endswith(f"LOGTO_APP_SECRET=  {hidden}\nLOGTO_WEBHOOK_SIGNING_KEY=  {hidden}\n")
    ran = run("logto_setup", "--show-secret")
    (hook,) = fresh.tenant.hooks.values()
    assert ran.out.endswith(
        f"LOGTO_APP_SECRET={own_application(fresh).secret}\nLOGTO_WEBHOOK_SIGNING_KEY={hook.signing_key}\n"
    )


def test_an_env_file_keeps_what_is_not_of_this_command(run: Run, fresh: Emulator, tmp_path: Path) -> None:
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
    assert mode(path) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [".env"]


def test_an_env_file_that_is_a_link_stays_one(run: Run, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real")
    run("logto_setup", "--yes", "--env-file", str(tmp_path / "link"))
    assert (tmp_path / "link").is_symlink()
    assert mode(tmp_path / "real") == 0o600


def test_an_env_file_that_cannot_be_written_is_told_of_before_anything_is_made(
    run: Run, fresh: Emulator, tmp_path: Path
) -> None:
    ran = run("logto_setup", "--yes", "--env-file", str(tmp_path / "nowhere" / ".env"))
    assert ran.code == 2
    assert "cannot be written" in ran.error
    assert writes(fresh) == []


@pytest.mark.parametrize("secret", ["one\nDJANGO_DEBUG=1", "two words", "$(reboot)", "#none", 'a"quote'])
def test_a_secret_that_would_be_read_as_something_else_is_not_written(
    run: Run, fresh: Emulator, tmp_path: Path, secret: str
) -> None:
    fresh.tenant.add_application(name="Bookstore", secret=secret)
    path = tmp_path / ".env"
    path.write_text("DJANGO_DEBUG=0\n")
    ran = run("logto_setup", "--yes", "--env-file", str(path))
    assert ran.code == 2
    assert "The value of LOGTO_APP_SECRET holds a character that would need quotes" in ran.error
    assert path.read_text() == "DJANGO_DEBUG=0\n"


def test_when_all_secrets_have_expired_it_says_so(run: Run, fresh: Emulator, settings: Any, tmp_path: Path) -> None:
    application = fresh.tenant.add_application(name="Bookstore")
    application.secrets[0].expires_at = 1
    path = tmp_path / ".env"
    ran = run("logto_setup", "--yes", "--env-file", str(path))
    assert ran.code == 0
    assert "no app secret that is still good" in ran.err
    assert "LOGTO_APP_SECRET" not in settings_in(path)
    fresh.tenant.add_application_secret(application.id, "Short", value="s" * 32, expires_at=10**13)
    fresh.tenant.add_application_secret(application.id, "Long", value="l" * 32, expires_at=10**14)
    ran = run("logto_setup", "--env-file", str(path))
    assert (ran.err, settings_in(path)["LOGTO_APP_SECRET"]) == ("", "l" * 32)
    settings.LOGTO_APP_SECRET = "s" * 32
    run("logto_setup", "--env-file", str(path))
    assert settings_in(path)["LOGTO_APP_SECRET"] == "s" * 32


# The webhook


def test_a_site_that_takes_webhooks_gets_one_with_its_signing_key(run: Run, fresh: Emulator, tmp_path: Path) -> None:
    path = tmp_path / ".env"
    run("logto_setup", "--yes", "--env-file", str(path))
    (hook,) = fresh.tenant.hooks.values()
    assert (hook.url, hook.events, hook.enabled) == (f"{SITE}/webhooks/logto", list(WEBHOOK_EVENTS), True)
    assert settings_in(path)["LOGTO_WEBHOOK_SIGNING_KEY"] == hook.signing_key
    assert run("logto_setup", "--check").code == 0


def test_a_webhook_keeps_its_key_its_headers_and_further_events(run: Run, fresh: Emulator) -> None:
    other = fresh.tenant.add_hook("https://other.example/hook", ["User.Created"])
    hook = fresh.tenant.add_hook(f"{SITE}/webhooks/logto", ["PostRegister", "User.Deleted"], enabled=False)
    hook.config["headers"] = {"X-Proxy": "open"}
    key = hook.signing_key
    ran = run("logto_setup", "--yes")
    assert f"~ webhook {SITE}/webhooks/logto\n" in ran.out
    assert hook.events[:2] == ["PostRegister", "User.Deleted"]
    assert set(hook.events) == {"PostRegister", *WEBHOOK_EVENTS}
    assert hook.enabled
    assert (hook.signing_key, hook.config["headers"]) == (key, {"X-Proxy": "open"})
    assert (other.url, other.events) == ("https://other.example/hook", ["User.Created"])


def test_a_logto_elsewhere_is_not_told_to_call_this_machine(settings: Any) -> None:
    settings.LOGTO_ENDPOINT = "https://abc123.logto.app"
    declared = site_tenant(["http://localhost:8000", "https://shop.example"])
    assert declared.redirect_uris == ["http://localhost:8000/callback", "https://shop.example/callback"]
    assert declared.back_channel_logout_uri == "https://shop.example/back-channel-logout"
    assert declared.webhook_url == "https://shop.example/webhooks/logto"
    alone = site_tenant(["http://localhost:8000"])
    assert (alone.back_channel_logout_uri, alone.webhook_url) == ("", "")


# As JSON


def test_json_says_the_plan_and_what_came_of_it(run: Run, fresh: Emulator) -> None:
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


def test_json_can_be_confirmed_by_hand(run: Run) -> None:
    ran = run("logto_setup", "--json", typed="y\n")
    assert json.loads(ran.out)["applied"] is True
    assert ran.err.startswith("Go on? [y/N] ")


# What it needs


def test_without_a_base_url_it_asks_for_one(run: Run, settings: Any) -> None:
    settings.LOGTO_BASE_URL = ""
    ran = run("logto_setup")
    assert (ran.code, ran.error) == (2, "Say where the site is reached: by --base-url, or by LOGTO_BASE_URL.")


@pytest.mark.parametrize("url", ["shop.example", "https://shop.example/shop", "ftp://shop.example"])
def test_a_base_url_is_an_origin(run: Run, url: str) -> None:
    assert f"The base URL {url!r} is not an origin" in run("logto_setup", "--base-url", url).error


def test_without_a_declaration_a_name_is_enough(run: Run, fresh: Emulator, settings: Any) -> None:
    settings.LOGTO_TENANT = ""
    assert "--name" in run("logto_setup", "--yes").error
    ran = run("logto_setup", "--yes", "--name", "Shop")
    assert ran.code == 0
    assert (own_application(fresh).name, len(fresh.tenant.roles)) == ("Shop", 1)


def test_an_api_that_takes_webhooks_gets_one_and_no_application(run: Run, fresh: Emulator, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.commands.urls_of_an_api"
    settings.LOGTO_BASE_URL = ""
    assert "--base-url" in run("logto_setup", "--yes").error
    run("logto_setup", "--yes", "--base-url", SITE)
    assert [each.url for each in fresh.tenant.hooks.values()] == [f"{SITE}/webhooks/logto"]
    assert {each.type for each in fresh.tenant.applications.values()} == {"MachineToMachine"}


def test_a_site_that_is_an_api_alone_gets_no_application(run: Run, fresh: Emulator, settings: Any) -> None:
    settings.ROOT_URLCONF = "django.conf.urls.i18n"
    settings.LOGTO_BASE_URL = ""
    ran = run("logto_setup", "--yes")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, f"LOGTO_ENDPOINT={fresh.endpoint}")
    assert {each.type for each in fresh.tenant.applications.values()} == {"MachineToMachine"}
    assert fresh.tenant.find_resource(API) is not None


def test_without_credentials_it_says_which_are_missing(run: Run, settings: Any) -> None:
    settings.LOGTO_M2M_APP_SECRET = ""
    ran = run("logto_setup")
    assert ran.code == 2
    assert ran.error.startswith("LOGTO_M2M_APP_SECRET must be set")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("LOGTO_M2M_APP_ID", "nobody", "invalid client nobody. Check LOGTO_M2M_APP_ID"),
        ("LOGTO_M2M_APP_SECRET", "wrong", "client authentication failed. Check LOGTO_M2M_APP_ID"),
    ],
)
def test_wrong_credentials_are_called_by_their_names(
    run: Run, settings: Any, name: str, value: str, words: str
) -> None:
    setattr(settings, name, value)
    ran = run("logto_setup")
    assert ran.code == 2
    assert words in ran.error
