"""A site with the console, whose organization has an owner, a manager and a member of the staff."""

from __future__ import annotations

import re
from typing import Any

from django.core.cache import cache

from logto_auth.emulator import Emulator
from logto_auth.tenant.declaration import OrganizationRole, Role, TenantDeclaration
from logto_auth.tenant.organization_console import EVERY_MEMBER, EVERY_USER, OrganizationConsole
from logto_auth.testing import Browser

SCOPES = (
    "openid",
    "offline_access",
    "profile",
    "email",
    "urn:logto:scope:organizations",
    "urn:logto:scope:organization_roles",
)
MANAGEMENT_ROLE = "Logto Management API access"
PERMISSIONS = ("invite:members", "manage:members", "manage:joining")
HARBOUR = "harbourbr001"
HILL = "hillbranch01"

CONSOLE = OrganizationConsole(
    owner_roles=["owner"],
    view_members=EVERY_MEMBER,
    invite="invite:members",
    manage_members="manage:members",
    manage_joining="manage:joining",
    grants={"manager": ["staff"]},
    creators=EVERY_USER,
)
TENANT = TenantDeclaration(
    application="Site under test",
    roles=[Role("founder", "Opens branches")],
    organization_scopes={name: name for name in PERMISSIONS},
    organization_roles=[
        OrganizationRole("owner", scopes=PERMISSIONS),
        OrganizationRole("manager", scopes=PERMISSIONS),
        OrganizationRole("staff"),
    ],
    organization_console=CONSOLE,
)


def set_up(logto: Emulator, settings: Any) -> None:
    """Give the site the console. The harbour has the members owner, manager and staff; the hill another owner."""
    cache.clear()
    settings.ROOT_URLCONF = "tests.console.urls"
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": []}]
    settings.LOGTO_SCOPES = SCOPES
    settings.LOGTO_TENANT = f"{__name__}.TENANT"
    tenant = logto.tenant
    machine = tenant.add_application(name="Console", type="MachineToMachine", roles=[MANAGEMENT_ROLE])
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    tenant.add_message_connectors()
    for name in ("owner", "manager"):
        tenant.add_organization_role(name, scopes=PERMISSIONS)
    tenant.add_organization_role("staff")
    for name, id in (("Harbour Branch", HARBOUR), ("Hill Branch", HILL)):
        tenant.add_organization(name, id=id)
    for username in ("owner", "manager", "staff", "other", "stranger"):
        tenant.add_user(
            username=username,
            id=sub_of(username),
            name=username.capitalize(),
            primary_email=f"{username}@bookstore.example",
        )
    for username in ("owner", "manager", "staff"):
        tenant.add_member(HARBOUR, sub_of(username), roles=[username])
    tenant.add_member(HILL, sub_of("other"), roles=["owner"])


def sub_of(username: str) -> str:
    """Return the id of a user at Logto."""
    return username.ljust(11, "0") + "1"


def signed_in(logto: Emulator, username: str) -> Browser:
    """Return a new browser in which the user is signed in."""
    browser = Browser(logto)
    assert browser.sign_in(username).status_code == 302
    return browser


def text_of(response: Any) -> str:
    """Return the text of a page, without markup and with single spaces."""
    page = re.sub(r"<(style|select|title).*?</\1>", "", response.content.decode(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def notices_of(browser: Browser, response: Any) -> str:
    """Follow the redirect after a form, and return the text of the page."""
    assert response.status_code == 302, text_of(response)
    return text_of(browser.open(response["Location"]))
