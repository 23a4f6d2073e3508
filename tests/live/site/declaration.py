"""What the site needs at Logto. All names begin with the id of the run."""

from __future__ import annotations

import os

from logto_auth.tenant import (
    EVERY_MEMBER,
    EVERY_USER,
    MFA,
    WEBHOOK_EVENTS,
    AccountCenter,
    APIResource,
    DeclaredOrganization,
    OrganizationConsole,
    OrganizationRole,
    Role,
    TenantDeclaration,
    ThirdPartyApplication,
)

RUN = os.environ["LIVE_RUN"]
API = f"https://{RUN.replace('_', '-')}.example/api"
MANAGE_STOCK = f"{RUN}:manage:stock"
EDITOR = f"{RUN} editor"
READER = f"{RUN} reader"
MANAGER = f"{RUN} manager"
CLERK = f"{RUN} clerk"
HAS_ACCOUNT_PAGES = os.environ["LIVE_ACCOUNT_PAGES"] == "1"
HAS_SECOND_FACTOR = os.environ["LIVE_SECOND_FACTOR"] == "1"
HAS_CONSOLE = os.environ["LIVE_CONSOLE"] == "1"
HAS_AGENTS = os.environ["LIVE_AGENTS"] == "1"
# "1" installs the script for passwords, "0" removes it, and "" leaves it alone.
MOVES_PASSWORDS = os.environ["LIVE_MOVES_PASSWORDS"]
HAS_SUPPORT_ACCESS = os.environ["LIVE_SUPPORT_ACCESS"] == "1"
OWNER = f"{RUN} owner"
INVITE = f"{RUN}:invite:members"
STOCK_ROBOT = f"{RUN} stock robot"
BOOKS = {"read:books": "Read books", "write:books": "Change books"}
# The indicator of an MCP server is its URL.
MCP = f"{os.environ['LIVE_URL']}/mcp"
MCP_SCOPES = {"mcp:tools": "Use the tools", "write:stock": "Count the stock"}
# The redirect URI of the client in `tests/mcp_client.py`.
AGENT_REDIRECT_URI = "http://127.0.0.1:8900/callback"

TENANT = TenantDeclaration(
    application=f"{RUN} {os.environ['LIVE_SITE']}",
    resources=[
        APIResource(API, f"{RUN} API", scopes=BOOKS, access_token_ttl_seconds=600),
        *([APIResource(MCP, f"{RUN} MCP", scopes=MCP_SCOPES)] if HAS_AGENTS else []),
    ],
    roles=[
        Role(EDITOR, "Changes books", scopes={API: list(BOOKS), **({MCP: list(MCP_SCOPES)} if HAS_AGENTS else {})}),
        *([Role(READER, "Uses the tools", scopes={API: ["read:books"], MCP: ["mcp:tools"]})] if HAS_AGENTS else []),
        Role(f"{RUN} robot", "Reads books", scopes={API: ["read:books"]}, type="MachineToMachine"),
    ],
    organization_scopes={MANAGE_STOCK: "Change the stock of a branch", INVITE: "Invite members to a branch"},
    organization_roles=[
        OrganizationRole(OWNER, "Owns a branch", scopes=[MANAGE_STOCK, INVITE]),
        OrganizationRole(MANAGER, "Runs a branch", scopes=[MANAGE_STOCK, INVITE]),
        OrganizationRole(CLERK, "Reads books in a branch", resource_scopes={API: ["read:books"]}),
        OrganizationRole(STOCK_ROBOT, "Counts the stock", scopes=[MANAGE_STOCK], type="MachineToMachine"),
    ],
    organizations=[
        DeclaredOrganization(
            f"{RUN} head office",
            applications={STOCK_ROBOT: [STOCK_ROBOT]},
            email_domains=[f"office.{RUN.replace('_', '-')}.example"],
            default_roles=[CLERK],
        )
    ]
    if HAS_CONSOLE
    else [],
    third_party_applications=[
        ThirdPartyApplication(
            f"{RUN} agent", [AGENT_REDIRECT_URI], scopes={MCP: list(MCP_SCOPES)}, user_scopes=["profile"]
        )
    ]
    if HAS_AGENTS
    else [],
    token_exchange=HAS_AGENTS or HAS_SUPPORT_ACCESS,
    webhook_events=WEBHOOK_EVENTS if os.environ["LIVE_WEBHOOKS"] == "1" else (),
    account_center=AccountCenter.all_editable(delete_account_url="/account/delete") if HAS_ACCOUNT_PAGES else None,
    # Users of the other sites have no second factor, and must not be asked to set one up.
    mfa=MFA(factors=("Totp", "BackupCode"), policy="NoPrompt") if HAS_SECOND_FACTOR else None,
    authentication_methods_claim=HAS_SECOND_FACTOR,
    password_migration=MOVES_PASSWORDS == "1" if MOVES_PASSWORDS else None,
    organization_console=OrganizationConsole(
        owner_roles=[OWNER],
        view_members=EVERY_MEMBER,
        invite=INVITE,
        grants={MANAGER: [CLERK]},
        creators=EVERY_USER,
    )
    if HAS_CONSOLE
    else None,
)
