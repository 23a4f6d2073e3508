"""Token exchange of a declaration: for which application, what stays, and errors."""

from __future__ import annotations

from typing import Any

import pytest

from logto_auth.emulator import Application, Emulator
from logto_auth.exceptions import ConfigurationError
from logto_auth.management_api import ManagementAPI
from logto_auth.tenant import TenantDeclaration, make_plan, site_declaration
from tests.management_commands import SITE, Run

DECLARED = TenantDeclaration(application="Bookstore", webhook_events=(), token_exchange=True)
REDIRECT_URI = f"{SITE}/callback"


def declared(**fields: Any) -> TenantDeclaration:
    return TenantDeclaration(application="Bookstore", token_exchange=True, redirect_uris=[REDIRECT_URI], **fields)


def test_undeclared_token_exchange_is_not_changed(api: ManagementAPI, fresh: Emulator) -> None:
    application = fresh.tenant.add_application(name="Bookstore", redirect_uris=[REDIRECT_URI])
    application.allow_token_exchange = True
    plan = make_plan(api, TenantDeclaration(application="Bookstore", redirect_uris=[REDIRECT_URI]))
    assert plan.changes == []


def test_new_application_may_exchange_tokens(run: Run, fresh: Emulator, settings: Any) -> None:
    settings.LOGTO_TENANT = f"{__name__}.DECLARED"
    result = run("logto_setup", "--yes")
    assert "+ token exchange of the application Bookstore\n    allowed: yes\n" in result.out
    (application,) = (each for each in fresh.tenant.applications.values() if each.name == "Bookstore")
    assert application.allow_token_exchange
    assert run("logto_setup", "--check").code == 0


def test_token_exchange_is_allowed_once(api: ManagementAPI, fresh: Emulator) -> None:
    application = fresh.tenant.add_application(name="Bookstore", redirect_uris=[REDIRECT_URI])
    (step,) = make_plan(api, declared()).changes
    assert (step.action, str(step)) == ("change", f"token exchange of the application Bookstore ({application.id})")
    # Changed in the Logto Console in the meantime.
    application.custom_client_metadata = {"refreshTokenTtlInDays": 7}
    step.send()
    assert application.custom_client_metadata == {"refreshTokenTtlInDays": 7, "allowTokenExchange": True}
    assert make_plan(api, declared()).changes == []


@pytest.mark.parametrize("has_app_id", [True, False])
def test_site_without_sign_in_uses_its_application(
    api: ManagementAPI, fresh: Emulator, settings: Any, has_app_id: bool
) -> None:
    settings.ROOT_URLCONF = "tests.tenant.urls_api_only"
    settings.LOGTO_TENANT = f"{__name__}.DECLARED"
    application: Application = fresh.tenant.applications[settings.LOGTO_M2M_APP_ID]
    if has_app_id:
        application = fresh.tenant.add_application(name="API")
        settings.LOGTO_APP_ID = application.id
    (step,) = make_plan(api, site_declaration([])).changes
    step.send()
    assert application.allow_token_exchange


def test_third_party_application_is_an_error(api: ManagementAPI, fresh: Emulator) -> None:
    application = fresh.tenant.add_application(name="Other", is_third_party=True)
    with pytest.raises(ConfigurationError, match=r'"Other" \(\w+\) is third-party\. Logto allows token exchange for'):
        make_plan(api, TenantDeclaration(token_exchange=True, token_exchange_id=application.id))


def test_unknown_application_is_an_error(api: ManagementAPI) -> None:
    with pytest.raises(ConfigurationError, match="has no such application"):
        make_plan(api, TenantDeclaration(token_exchange=True, token_exchange_id="ofanothertenant000001"))
