"""What the bookstore needs in its Logto tenant. `manage.py logto_setup` applies it."""

from django.conf import settings

from logto_auth.tenant import MFA, AccountCenter, APIResource, OrganizationRole, Role, TenantDeclaration

API = settings.LOGTO_API_RESOURCE or "https://bookstore.example/api"
BOOKS = {"read:books": "Read all books, sold out or not", "write:books": "Add and change books"}

TENANT = TenantDeclaration(
    application="Bookstore",
    resources=[APIResource(API, "Bookstore API", scopes=BOOKS)],
    roles=[
        Role("editor", "Adds and changes books", scopes={API: list(BOOKS)}),
        Role("admin", "Works in the admin", scopes={API: list(BOOKS)}),
    ],
    organization_scopes={"manage:stock": "Change the stock of a branch"},
    organization_roles=[
        OrganizationRole("manager", "Runs a branch", scopes=["manage:stock"]),
        OrganizationRole("staff", "Works in a branch"),
    ],
    unknown_session_redirect_url="/sign-in",
    account_center=AccountCenter.all_editable(
        delete_account_url="/account/delete" if settings.LOGTO_DELETE_ACCOUNT else ""
    ),
    # Only the export of orders requires a second factor. The policy of the tenant stays: with "Mandatory", which is
    # safer, each reader would have to set up a factor to buy a book. `logto_doctor` says what the difference is.
    mfa=MFA(policy=""),
    authentication_methods_claim=True,
)
