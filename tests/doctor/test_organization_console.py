"""Findings about what the console of organizations needs of the tenant."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from logto_auth.emulator import Application, Emulator
from logto_auth.emulator.state.message_connectors import MESSAGE_FACTORIES
from logto_auth.emulator.state.social_connectors import Connector
from logto_auth.tenant import DeclaredOrganization, OrganizationConsole, OrganizationRole, TenantDeclaration
from tests.management_commands import Run

from .findings import Found, only

pytestmark = pytest.mark.django_db

# The permission is not one of the bookstore, whose roles are in the tenant too.
DECLARED = TenantDeclaration(
    application="Bookstore",
    organization_scopes={"ask:members": "Invite members"},
    organization_roles=[OrganizationRole("owner"), OrganizationRole("staff", scopes=["ask:members"])],
    webhook_events=(),
    organization_console=OrganizationConsole(owner_roles=["owner"], invite="ask:members"),
)
WITHOUT_PERMISSION = replace(DECLARED, organization_roles=[OrganizationRole("owner"), OrganizationRole("staff")])
WITH_CONNECTOR = replace(
    DECLARED,
    organizations=[DeclaredOrganization("Head office", sso_connectors=["okta"]), DeclaredOrganization("North")],
)
WITHOUT_CONSOLE = replace(DECLARED, organization_console=None)


@pytest.fixture
def console(fresh: Emulator, run: Run, settings: Any, application: Application) -> Emulator:
    """The Logto of a site with the console of organizations, which is set up as declared."""
    settings.ROOT_URLCONF = "tests.checks.urls_with_console"
    settings.LOGTO_BASE_URL = "http://localhost:8000"
    settings.ALLOWED_HOSTS = ["localhost"]
    settings.LOGTO_TENANT = f"{__name__}.DECLARED"
    settings.LOGTO_SCOPES = (
        "openid",
        "offline_access",
        "urn:logto:scope:organizations",
        "urn:logto:scope:organization_roles",
    )
    settings.LOGTO_RESOURCES = ()
    settings.LOGTO_API_RESOURCE = ""
    settings.LOGTO_API_SCOPES = ()
    settings.LOGTO_WEBHOOK_SIGNING_KEY = ""
    set_email_connector(fresh, {"templates": [{"usageType": "OrganizationInvitation", "content": "{{link}}"}]})
    assert run("logto_setup", "--yes").code == 0
    return fresh


def set_email_connector(logto: Emulator, config: dict[str, Any]) -> None:
    connector = Connector(MESSAGE_FACTORIES["simple-mail-transfer-protocol"], config=config)
    logto.tenant.sign_in_experience.connector_instances = {connector.id: connector}


def test_console_that_is_set_up_has_no_problems(console: Emulator, run: Run, found: Found) -> None:
    assert found() == []
    assert (
        "ok       organization-console The tenant has what the console of organizations needs.\n"
        in run("logto_doctor").out
    )


def test_permission_that_no_user_role_has_is_a_warning(console: Emulator, found: Found, settings: Any) -> None:
    settings.SILENCED_SYSTEM_CHECKS = ["logto_auth.W034"]
    settings.LOGTO_TENANT = f"{__name__}.WITHOUT_PERMISSION"
    # A role that is not declared may have the permission.
    console.tenant.find_organization_role("staff").scopes = ()
    console.tenant.add_organization_role("robot", scopes=["ask:members"], type="MachineToMachine")
    assert only(found()) == (
        "warning organization-console: invite of organization_console requires the permission ask:members, which "
        "no organization role for users has: only owners may do it."
    )
    console.tenant.add_organization_role("inviter", scopes=["ask:members"])
    assert found() == []


NO_TEMPLATE = (
    "warning organization-console: The configuration of the e-mail connector has no template for "
    "OrganizationInvitation. Unless the tenant has a custom e-mail template for invitations, Logto uses the one for "
    "Generic, which is for codes, or sends nothing."
)
NO_LINK = (
    "warning organization-console: The template for OrganizationInvitation in the configuration of the e-mail "
    "connector has no {{link}}, like the default of Logto. Unless the tenant has a custom e-mail template for "
    "invitations, invited users get no link."
)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"templates": [{"usageType": "Generic", "content": "{{code}}"}]}, [NO_TEMPLATE]),
        ({"templates": [{"usageType": "OrganizationInvitation", "content": "Your code is {{code}}."}]}, [NO_LINK]),
        ({"templates": [{"usageType": "OrganizationInvitation", "templateId": "7"}]}, []),
        ({"deliveries": {"Generic": {}}}, [NO_TEMPLATE]),
        ({"deliveries": {"OrganizationInvitation": {}}}, []),
        # The service of Logto Cloud has templates of its own.
        ({}, []),
    ],
)
def test_template_for_invitations_is_looked_for(
    console: Emulator, found: Found, config: dict[str, Any], expected: list[str]
) -> None:
    set_email_connector(console, config)
    assert found() == expected


def test_missing_connector_matters_only_if_logto_sends(console: Emulator, found: Found, settings: Any) -> None:
    console.tenant.sign_in_experience.connector_instances = {}
    assert only(found()) == (
        "warning organization-console: Logto has no e-mail connector, so it cannot send invitations."
    )
    settings.LOGTO_INVITATION_SENDER = "site"
    assert found() == []


def checks(run: Run) -> dict[str, str]:
    return {each["check"]: each["message"] for each in json.loads(run("logto_doctor", "--json").out)["findings"]}


def test_site_without_console_has_no_finding(console: Emulator, run: Run, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.checks.urls_without_account_pages"
    assert "organization-console" not in checks(run)
    settings.ROOT_URLCONF = "tests.checks.urls_with_console"
    settings.LOGTO_TENANT = f"{__name__}.WITHOUT_CONSOLE"
    found = checks(run)
    assert "organization-console" not in found
    assert "(logto_auth.E044)" in found["settings"]


def test_console_is_among_what_is_not_checked_without_access(console: Emulator, run: Run, settings: Any) -> None:
    settings.LOGTO_M2M_APP_ID = settings.LOGTO_M2M_APP_SECRET = ""
    assert "the webhook, the console of organizations." in checks(run)["management-api"]


def test_connector_without_single_sign_on_is_a_warning(
    console: Emulator, run: Run, found: Found, settings: Any
) -> None:
    settings.LOGTO_TENANT = f"{__name__}.WITH_CONNECTOR"
    console.tenant.add_sso_connector("okta", domains=["bookstore.example"])
    assert run("logto_setup", "--yes").code == 0
    assert only(found()) == (
        "warning declaration: Enterprise SSO is off at Logto, so no user joins Head office by a connector."
    )
    console.tenant.sign_in_experience.settings["singleSignOnEnabled"] = True
    assert found() == []
