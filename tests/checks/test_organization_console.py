"""Checks of a site with the console of organizations, beside the examples in `test_messages`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings as test_settings

from logto_auth.tenant import EVERY_MEMBER, AnyRole, OrganizationConsole, OrganizationRole, TenantDeclaration

from .found import ids, messages

CONSOLE = OrganizationConsole(
    owner_roles=["owner"], view_members=EVERY_MEMBER, invite="invite:members", rename=AnyRole("staff")
)
ROLES = [OrganizationRole("owner"), OrganizationRole("staff", scopes=["invite:members"])]
DECLARED = TenantDeclaration(
    organization_scopes={"invite:members": ""}, organization_roles=ROLES, organization_console=CONSOLE
)
NOT_DECLARED = TenantDeclaration(organization_roles=ROLES)
PERMISSION_OF_MACHINES = TenantDeclaration(
    organization_scopes={"invite:members": ""},
    organization_roles=[
        OrganizationRole("owner"),
        OrganizationRole("staff"),
        OrganizationRole("robot", scopes=["invite:members"], type="MachineToMachine"),
    ],
    organization_console=CONSOLE,
)
MANAGERS_GRANT_NOTHING = replace(
    DECLARED, organization_console=replace(CONSOLE, manage_members=AnyRole("staff", "owner"))
)
MANAGERS_ARE_BLIND = replace(
    DECLARED,
    organization_console=replace(
        CONSOLE, manage_members="invite:members", view_members=AnyRole("owner"), grants={"staff": ["staff"]}
    ),
)
MANAGERS_ARE_COMPLETE = replace(
    DECLARED, organization_console=replace(CONSOLE, manage_members="invite:members", grants={"staff": ["staff"]})
)
OF_ANOTHER_TYPE = TenantDeclaration(organization_console={"owner_roles": ["owner"]})  # type: ignore[arg-type]
SCOPES = ("openid", "offline_access", "roles", "urn:logto:scope:organizations", "urn:logto:scope:organization_roles")


def site(declared: str = "DECLARED", *, urls: str = "urls_with_console", **settings: Any) -> dict[str, Any]:
    """Return the settings of a site whose console lacks nothing."""
    return {
        "ROOT_URLCONF": f"tests.checks.{urls}",
        "LOGTO_TENANT": f"{__name__}.{declared}",
        "LOGTO_M2M_APP_ID": "stockrobotdemo0000001",
        "LOGTO_M2M_APP_SECRET": "stockrobotsecret00000000000000001",
        "LOGTO_SCOPES": SCOPES,
        **settings,
    }


def without(*names: str) -> list[str]:
    """Return MIDDLEWARE without the classes of these names."""
    return [path for path in test_settings.MIDDLEWARE if path.rpartition(".")[2] not in names]


@pytest.mark.parametrize("urls", ["urls_with_console", "urls_with_console_api"])
@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (site(), ""),
        (site("NOT_DECLARED"), "E044"),
        (site(LOGTO_TENANT=""), "E044"),
        # E020 reports it.
        (site("NOWHERE"), "E020"),
        (site("OF_ANOTHER_TYPE"), "E021"),
        (site("PERMISSION_OF_MACHINES"), "W034"),
        (site("MANAGERS_GRANT_NOTHING"), "W037"),
        (site("MANAGERS_ARE_BLIND"), "W037"),
        (site("MANAGERS_ARE_COMPLETE"), ""),
        (site(LOGTO_M2M_APP_ID="", LOGTO_M2M_APP_SECRET=""), "W032"),
        # E018 reports it.
        (site(LOGTO_M2M_APP_ID=""), "E018"),
        (site(ALLOWED_HOSTS=["*"], LOGTO_BASE_URL=""), "W038"),
        (site(ALLOWED_HOSTS=["*"], LOGTO_BASE_URL="https://shop.example"), ""),
        # Invitations are sent during development.
        (site(ALLOWED_HOSTS=["*"], LOGTO_BASE_URL="", DEBUG=True), ""),
        (site(LOGTO_SCOPES=SCOPES[:-1]), "W033"),
        (site(LOGTO_SCOPES=[each for each in SCOPES if each != "offline_access"]), "W033"),
    ],
)
def test_console_is_checked(settings: dict[str, Any], expected: str, urls: str) -> None:
    found = messages({**settings, "ROOT_URLCONF": f"tests.checks.{urls}"})
    # These URLs lack the page for invitations.
    assert ids([each for each in found if each.id != "logto_auth.W036"]) == expected


def test_endpoints_need_no_sessions() -> None:
    for urls, expected in {"urls_with_console": "E045", "urls_with_console_api": "W036"}.items():
        assert ids(messages(site(urls=urls, MIDDLEWARE=without("SessionMiddleware")))) == expected


def test_pages_without_sign_in_lack_each_part() -> None:
    api = {
        "LOGTO_API_RESOURCE": "https://bookstore.example/api",
        "LOGTO_APP_ID": "",
        "LOGTO_APP_SECRET": "",
        "LOGIN_URL": "/accounts/login/",
        # An API requests no scopes.
        "LOGTO_SCOPES": ("openid",),
    }
    found = messages(site(urls="urls_with_console_alone", **api, MIDDLEWARE=without("LogtoMiddleware")))
    assert [message.msg.partition(", which need ")[2] for message in found if message.id == "logto_auth.E045"] == [
        "LogtoMiddleware in MIDDLEWARE.",
        "the views of logto_auth.urls.",
    ]
    assert ids(found) == "E045"


def test_site_without_console_needs_nothing_of_it() -> None:
    settings = site("NOT_DECLARED", urls="urls_without_account_pages", LOGTO_SCOPES=("openid",))
    assert ids(messages(settings)) == ""
