"""A tenant with an API, two branches, and users with different rights."""

from __future__ import annotations

from typing import Any

from logto_auth.emulator import Emulator

API = "https://bookstore.example/api"
OTHER_API = "https://library.example/api"
ORGANIZATIONS = "urn:logto:resource:organizations"
HARBOUR = "harbourbr001"
HILL = "hillbranch01"
SCOPES = (
    "openid",
    "offline_access",
    "profile",
    "roles",
    "urn:logto:scope:organizations",
    "urn:logto:scope:organization_roles",
    "read:books",
    "write:books",
    "manage:stock",
)


def set_up(logto: Emulator) -> None:
    """An editor who manages the harbour and works on the hill, a reader who works at the harbour, and a customer.

    Machines can have the role `robot`, and `keeper` in a branch.
    """
    tenant = logto.tenant
    books = ["read:books", "write:books"]
    tenant.add_resource(API, scopes=books)
    tenant.add_resource(OTHER_API, scopes=books)
    tenant.add_role("editor", scopes={API: books, OTHER_API: books})
    tenant.add_role("reader", scopes={API: books[:1]})
    tenant.add_role("robot", type="MachineToMachine", scopes={API: books})
    tenant.add_organization_role("manager", scopes=["manage:stock"], resource_scopes={API: books[1:]})
    tenant.add_organization_role("staff")
    tenant.add_organization_role("keeper", scopes=["manage:stock"], type="MachineToMachine")
    for name, id in (("Harbour Branch", HARBOUR), ("Hill Branch", HILL)):
        tenant.add_organization(name, id=id)
    for username, roles in (("editor", ["editor"]), ("reader", ["reader"]), ("customer", [])):
        tenant.add_user(username=username, id=username.ljust(11, "0") + "1", name=username.capitalize(), roles=roles)
    tenant.add_member(HARBOUR, "editor000001", roles=["manager"])
    tenant.add_member(HILL, "editor000001", roles=["staff"])
    tenant.add_member(HARBOUR, "reader000001", roles=["staff"])


def ask_for_rights(settings: Any) -> None:
    """Let the site request all permissions that users can have there."""
    settings.LOGTO_API_RESOURCE = API
    settings.LOGTO_SCOPES = SCOPES
    settings.LOGTO_RESOURCES = (API, ORGANIZATIONS)
