"""What the bookstore needs in its Logto tenant. `manage.py logto_setup` applies it."""

from django.conf import settings

from logto_auth.tenant import (
    EVERY_MEMBER,
    MFA,
    AccountCenter,
    AnyRole,
    APIResource,
    DeclaredOrganization,
    OrganizationConsole,
    OrganizationRole,
    Role,
    TenantDeclaration,
    ThirdPartyApplication,
)

API = settings.LOGTO_API_RESOURCE or "https://bookstore.example/api"
MCP = settings.MCP_URL or "https://bookstore.example/mcp"
BOOKS = {"read:books": "Read all books, sold out or not", "write:books": "Add and change books"}
AGENTS = {
    "mcp:tools": "Search the books of the shop",
    "read:orders": "Read your orders",
    "write:stock": "Add copies to the stock",
}
BRANCH = {
    "manage:stock": "Change the stock of a branch",
    "invite:members": "Invite users to a branch",
    "manage:members": "Change the roles of members, and remove members",
    "manage:joining": "Set who joins a branch without an invitation",
}
MANAGER = ["manage:stock", "invite:members", "manage:members"]

TENANT = TenantDeclaration(
    application="Bookstore",
    resources=[
        APIResource(API, "Bookstore API", scopes=BOOKS),
        APIResource(MCP, "Bookstore for agents", scopes=AGENTS),
    ],
    roles=[
        Role("reader", "Lets agents find books and read the user's orders", scopes={MCP: ["mcp:tools", "read:orders"]}),
        Role("editor", "Adds and changes books", scopes={API: list(BOOKS), MCP: list(AGENTS)}),
        Role("admin", "Works in the admin", scopes={API: list(BOOKS), MCP: list(AGENTS)}),
        Role("partner", "Opens branches"),
    ],
    organization_scopes=BRANCH,
    organization_roles=[
        OrganizationRole("owner", "Owns a branch", scopes=list(BRANCH)),
        OrganizationRole("manager", "Runs a branch", scopes=MANAGER),
        OrganizationRole("staff", "Works in a branch"),
        OrganizationRole(
            "stock keeper", "Counts the copies in a branch", scopes=["manage:stock"], type="MachineToMachine"
        ),
    ],
    organizations=[
        DeclaredOrganization(
            "Harbour Branch",
            applications={"Stock robot": ["stock keeper"]},
            email_domains=["harbour.example"],
            default_roles=["staff"],
        ),
        DeclaredOrganization("Hill Branch"),
    ],
    # An MCP client cannot register itself at Logto, so it is registered here. It is a third party: Logto asks users
    # whether they agree. It may ask for all permissions of agents, and gets those that the user has.
    third_party_applications=[
        ThirdPartyApplication(
            "Bookstore agent",
            redirect_uris=["http://127.0.0.1/callback", "http://localhost/callback"],
            scopes={MCP: list(AGENTS)},
        )
    ],
    # API keys are exchanged for access tokens, and so is what lets staff act as a customer.
    token_exchange=True,
    # Only owners rename or delete a branch. A manager may add and remove staff, and no other manager.
    organization_console=OrganizationConsole(
        owner_roles=["owner"],
        view_members=EVERY_MEMBER,
        invite="invite:members",
        manage_members="manage:members",
        manage_joining="manage:joining",
        grants={"manager": ["staff"]},
        creators=AnyRole("partner"),
    ),
    unknown_session_redirect_url="/sign-in",
    account_center=AccountCenter.all_editable(
        delete_account_url="/account/delete" if settings.LOGTO_DELETE_ACCOUNT else ""
    ),
    # Only the export of orders requires a second factor. The policy of the tenant stays: with "Mandatory", which is
    # safer, each reader would have to set up a factor to buy a book. `logto_doctor` says what the difference is.
    mfa=MFA(policy=""),
    authentication_methods_claim=True,
)
