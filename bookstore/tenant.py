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
)

API = settings.LOGTO_API_RESOURCE or "https://bookstore.example/api"
BOOKS = {"read:books": "Read all books, sold out or not", "write:books": "Add and change books"}
BRANCH = {
    "manage:stock": "Change the stock of a branch",
    "invite:members": "Invite users to a branch",
    "manage:members": "Change the roles of members, and remove members",
    "manage:joining": "Set who joins a branch without an invitation",
}
MANAGER = ["manage:stock", "invite:members", "manage:members"]

TENANT = TenantDeclaration(
    application="Bookstore",
    resources=[APIResource(API, "Bookstore API", scopes=BOOKS)],
    roles=[
        Role("editor", "Adds and changes books", scopes={API: list(BOOKS)}),
        Role("admin", "Works in the admin", scopes={API: list(BOOKS)}),
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
