"""The script for custom claims in a plan: what is installed, what stays, and what Logto's trial prevents."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpRequest, JsonResponse
from django.urls import include, path

from logto_auth.clients import reset_clients
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.exceptions import ConfigurationError, ManagementAPIError
from logto_auth.management_api import ManagementAPI
from logto_auth.tenant import MFA, APIResource, TenantDeclaration, apply_plan, make_plan
from logto_auth.tenant.claims_script import VERSION, block, merged_script
from logto_auth.testing import Browser
from tests.management_commands import Run, read_env_file, set_all

from .tenant_state import own_application, writes

KEY = "jwt.accessToken"
API = "https://shop.example/api"
DECLARED = TenantDeclaration(resources=[APIResource(API)], authentication_methods_claim=True)
OLD = """// logto_auth: begin authentication_methods, version 0
const logtoAuthClaims = () => ({});
// logto_auth: end authentication_methods
"""
SECRET = "a-secret-of-the-other-team"


def store(logto: Emulator, script: str, **more: Any) -> dict[str, Any]:
    """Give the tenant a script, as another team does."""
    stored = {"script": script, **more}
    logto.tenant.jwt_customizers[KEY] = stored
    return stored


def stored(logto: Emulator) -> Any:
    return logto.tenant.jwt_customizers.get(KEY)


def changes(logto: Emulator) -> list[str]:
    """The requests that change the tenant. A trial changes nothing."""
    return [path for path in writes(logto) if not path.endswith("/test")]


def with_function(body: str, before: str = OLD) -> str:
    parameters = "{ token, context, environmentVariables, api }"
    return f"{before}const getCustomJwtClaims = async ({parameters}) => {{\n{body}\n}};\n"


SPREAD = "return { ...logtoAuthClaims({ token, context }) };"


# Installing it


def test_undeclared_claim_is_not_read(api: ManagementAPI, fresh: Emulator) -> None:
    make_plan(api, TenantDeclaration())
    assert [each.path for each in fresh.requests if "jwt-customizer" in each.path] == []


def test_tenant_without_a_script_gets_one_once(api: ManagementAPI, fresh: Emulator) -> None:
    plan = make_plan(api, DECLARED)
    step = plan.changes[-1]
    assert (step.action, str(step)) == ("create", "script for custom claims of all access tokens of the tenant")
    assert [(each.name, each.after) for each in step.differences] == [
        ("block authentication_methods", f"version {VERSION}")
    ]
    assert changes(fresh) == []
    apply_plan(plan)
    assert stored(fresh) == {"script": merged_script("")}
    assert make_plan(api, DECLARED).changes == []


def test_empty_script_becomes_ours_with_its_settings(api: ManagementAPI, fresh: Emulator) -> None:
    store(fresh, "\n", environmentVariables={"KEY": SECRET})
    apply_plan(make_plan(api, DECLARED))
    assert stored(fresh) == {"script": merged_script(""), "environmentVariables": {"KEY": SECRET}}


def test_script_of_another_team_keeps_its_claims_and_settings(api: ManagementAPI, fresh: Emulator) -> None:
    script = with_function(
        "return { tier: context.user.customData.tier, key: environmentVariables.KEY.length,"
        " ...logtoAuthClaims({ token, context }) };"
    ).replace("\n", "\r\n")
    more = {
        "environmentVariables": {"KEY": SECRET},
        "contextSample": {"user": {"customData": {"tier": "gold"}}},
        "tokenSample": {"scope": "read:books"},
    }
    store(fresh, script, **more)
    (step,) = make_plan(api, TenantDeclaration(authentication_methods_claim=True)).changes
    assert [(each.name, each.before, each.after) for each in step.differences] == [
        ("block authentication_methods", "version 0", f"version {VERSION}")
    ]
    apply_plan(make_plan(api, DECLARED))
    assert stored(fresh) == {
        "script": script.replace(OLD.replace("\n", "\r\n"), block().replace("\n", "\r\n")),
        **more,
    }
    assert make_plan(api, DECLARED).changes == []


def test_edited_block_is_named(api: ManagementAPI, fresh: Emulator) -> None:
    store(fresh, merged_script("").replace("isVerified && isOwn", "isVerified"))
    step = make_plan(api, DECLARED).changes[-1]
    assert [each.before for each in step.differences] == [f"version {VERSION}, edited"]


def test_newer_block_stays(api: ManagementAPI, fresh: Emulator) -> None:
    script = merged_script("").replace(f"version {VERSION}", f"version {VERSION + 1}")
    store(fresh, script)
    apply_plan(make_plan(api, DECLARED))
    assert stored(fresh) == {"script": script}


# What the trial prevents: the script, and the text of the error


FAKED = "return { authentication_methods: ['Password', 'Totp', 'BackupCode'] };"
REFUSED: dict[str, tuple[str, str]] = {
    "a script without the block": (with_function("return {};", before=""), r"Add this block to it[\s\S]*begin"),
    "a block that is not used": (
        with_function("return { tier: 1 };"),
        "For a sign-in with password, authenticator app and backup code, the script returned no authentication_methods,"
        " expected authentication_methods with BackupCode, Password, Totp.",
    ),
    "a claim that is written over": (
        with_function("return { ...logtoAuthClaims({ token, context }), authentication_methods: [] };"),
        "the script returned authentication_methods with no method, expected",
    ),
    "a claim that is no list of names": (
        with_function("return { ...logtoAuthClaims({ token, context }), authentication_methods: 'Totp' };"),
        "the script returned authentication_methods with something else than names, expected",
    ),
    "a claim that is always the same": (
        with_function(FAKED),
        "For the sign-in of another user, the script returned authentication_methods with .*, expected no "
        "authentication_methods.",
    ),
    "records that are passed on changed": (
        with_function("context.user.mfaVerificationFactors = ['Totp']; " + SPREAD),
        "For a factor that was never added to the user, the script returned authentication_methods with Password, Totp,"
        " expected authentication_methods with Password.",
    ),
    "another application only": (
        with_function("if (token.clientId !== 'other') { return {}; } " + SPREAD),
        "the script returned no authentication_methods",
    ),
    "markers in a template": (
        f"const text = `\n{OLD}`;\n" + with_function("return {};", before=""),
        "For every made-up sign-in, the script failed",
    ),
    "markers in a comment": (
        f"/*\n{OLD}*/\n" + with_function(SPREAD, before=""),
        "the script failed: .*logtoAuthClaims",
    ),
    "a block in another function": (
        f"const other = () => {{\n{OLD}}};\n" + with_function(SPREAD, before=""),
        "the script failed: .*logtoAuthClaims",
    ),
    "a syntax error": (OLD + "const getCustomJwtClaims = async (", "the script failed"),
    "no function": (OLD, "the script failed: .*getCustomJwtClaims"),
    "a script that throws": (with_function("throw new Error('boom');"), "the script failed: boom."),
    "a script that denies": (with_function("api.denyAccess('no entry');"), "the script denied access: no entry."),
    "a script that needs other data": (
        with_function("return { city: context.user.customData.address.city, ...logtoAuthClaims({ token, context }) };"),
        "if it needs other data, add that there",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_script_without_the_right_claim_is_not_stored(case: str, api: ManagementAPI, fresh: Emulator) -> None:
    script, text = REFUSED[case]
    store(fresh, script)
    with pytest.raises(ConfigurationError, match=text):
        make_plan(api, DECLARED)
    assert stored(fresh) == {"script": script}
    assert changes(fresh) == []


def test_other_claims_must_not_change(api: ManagementAPI, fresh: Emulator) -> None:
    old = OLD.replace("({})", "({ tier: 'gold', level: 3 })")
    store(fresh, with_function(SPREAD, before=old))
    with pytest.raises(ConfigurationError, match=r"would return other values for 'level', 'tier'\. "):
        make_plan(api, DECLARED)


def test_claims_that_vary_are_compared_by_name(api: ManagementAPI, fresh: Emulator) -> None:
    store(fresh, with_function("return { dice: Math.random(), ...logtoAuthClaims({ token, context }) };"))
    apply_plan(make_plan(api, DECLARED))
    assert stored(fresh)["script"].count("Math.random()") == 1
    store(fresh, with_function(SPREAD, before=OLD.replace("({})", "({ dice: Math.random() })")))
    with pytest.raises(ConfigurationError, match="would return other values for 'dice'"):
        make_plan(api, DECLARED)


def test_script_that_failed_before_has_nothing_to_lose(api: ManagementAPI, fresh: Emulator) -> None:
    store(fresh, with_function(SPREAD, before=OLD.replace("({})", "{ syntax error }")))
    apply_plan(make_plan(api, DECLARED))
    assert block() in stored(fresh)["script"]


def test_error_of_a_script_shows_no_environment_variable(api: ManagementAPI, fresh: Emulator) -> None:
    body = "throw new Error(`no answer for ${environmentVariables.KEY}`);"
    store(fresh, with_function(body), environmentVariables={"KEY": SECRET, "EMPTY": ""})
    with pytest.raises(ConfigurationError, match=r"the script failed: no answer for \*\*\*\.") as raised:
        make_plan(api, DECLARED)
    assert SECRET not in str(raised.value)


def test_installed_script_is_tried_again(api: ManagementAPI, fresh: Emulator) -> None:
    """Another team may take the call out and leave the block."""
    store(fresh, block() + with_function("return { tier: 1 };", before=""))
    with pytest.raises(ConfigurationError, match="would not return the claim authentication_methods as it should"):
        make_plan(api, DECLARED)


# The site in the trial


def test_trial_has_the_application_and_the_resource_of_the_site(run: Run, fresh: Emulator, settings: Any) -> None:
    settings.LOGTO_TENANT = f"{__name__}.SITE"
    settings.LOGTO_API_RESOURCE = "https://shop.example/other"
    assert run("logto_setup", "--yes").code == 0
    application = own_application(fresh)
    body = f"""if (token.clientId !== "{application.id}" || context.application.id !== "{application.id}"
      || token.aud !== "https://shop.example/other" || token.accountId !== context.user.id) {{ return {{}}; }}
    {SPREAD}"""
    store(fresh, with_function(body))
    assert run("logto_setup", "--yes").code == 0
    assert block() in stored(fresh)["script"]


SITE = TenantDeclaration(application="Shop", authentication_methods_claim=True)


# Between plan and application


RACES: dict[str, Callable[[Emulator], object]] = {
    "a script without the block": lambda logto: store(logto, with_function("return {};", before="")),
    "a block that is not used": lambda logto: store(logto, with_function("return {};")),
}


@pytest.mark.parametrize("case", RACES)
def test_script_that_came_after_planning_stays(case: str, api: ManagementAPI, fresh: Emulator) -> None:
    plan = make_plan(api, DECLARED)
    RACES[case](fresh)
    before = stored(fresh)
    with pytest.raises(ConfigurationError):
        apply_plan(plan)
    assert stored(fresh) == before


def test_claims_that_came_after_planning_stay(api: ManagementAPI, fresh: Emulator) -> None:
    plan = make_plan(api, DECLARED)
    script = with_function("return { tier: 1, ...logtoAuthClaims({ token, context }) };")
    store(fresh, script, environmentVariables={"KEY": SECRET})
    apply_plan(plan)
    assert stored(fresh) == {
        "script": script.replace(OLD, block()),
        "environmentVariables": {"KEY": SECRET},
    }


# From the declaration to the session


def methods(request: HttpRequest) -> JsonResponse:
    return JsonResponse(request.logto.authentication_methods, safe=False)  # type: ignore[attr-defined]


urlpatterns = [path("", include("logto_auth.urls")), path("methods", methods)]
COMPLETE = TenantDeclaration(
    application="Shop", resources=[APIResource(API)], mfa=MFA(), authentication_methods_claim=True
)


@pytest.mark.django_db
def test_site_that_was_set_up_knows_the_factor_of_a_sign_in(
    run: Run, fresh: Emulator, settings: Any, tmp_path: Path
) -> None:
    settings.ROOT_URLCONF, settings.LOGTO_TENANT = __name__, f"{__name__}.COMPLETE"
    settings.LOGTO_API_RESOURCE, settings.LOGTO_SECOND_FACTOR = API, True
    settings.LOGTO_RESOURCES, settings.LOGTO_SCOPES = (), ("openid", "offline_access", "profile")
    store(fresh, with_function("return { tier: 'gold', ...logtoAuthClaims({ token, context }) };"))
    assert run("logto_setup", "--yes", "--env-file", str(tmp_path / ".env")).code == 0
    set_all(settings, read_env_file(tmp_path / ".env"))
    reset_clients()
    user = fresh.tenant.add_user(username="reader")
    secret = fresh.tenant.add_totp(user)
    fresh.tenant.add_backup_codes(user)
    browser = Browser(fresh)
    browser.sign_in("reader", totp_secret=secret)
    assert browser.client.get("/methods").json() == ["Password", "Totp"]


# Errors of Logto


def test_plan_without_custom_claims_is_an_error(api: ManagementAPI, fresh: Emulator) -> None:
    fresh.faults.http["management_api"] = HttpFault(status=403, body='{"code": "subscription.limit_exceeded"}')
    with pytest.raises(ManagementAPIError, match=r"subscription\.limit_exceeded"):
        make_plan(api, TenantDeclaration(authentication_methods_claim=True))


# The command


def test_command_says_what_to_add_and_changes_nothing(run: Run, fresh: Emulator, settings: Any) -> None:
    settings.LOGTO_TENANT = f"{__name__}.SITE"
    before = store(fresh, with_function("return {};", before="")).copy()
    result = run("logto_setup", "--yes")
    assert (result.code, stored(fresh), changes(fresh)) == (2, before, [])
    assert block() in result.error
    assert "...logtoAuthClaims({ token, context })" in result.error


def test_command_shows_the_block(run: Run, fresh: Emulator, settings: Any) -> None:
    settings.LOGTO_TENANT = f"{__name__}.SITE"
    result = run("logto_setup", "--check")
    assert (result.code, changes(fresh)) == (1, [])
    assert (
        "+ script for custom claims of all access tokens of the tenant\n"
        f"    block authentication_methods: version {VERSION}\n" in result.out
    )
    assert run("logto_setup", "--yes").code == 0
    assert run("logto_setup", "--check").code == 0
