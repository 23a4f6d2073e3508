"""The demo tenant: a bookstore with its applications, API, accounts and two branches. All ids are fixed."""

from __future__ import annotations

from collections.abc import Sequence

from .application_record import Application
from .records import MANAGEMENT_API_ROLE
from .tenant import Tenant

BOOKSTORE_ID = "bookstoredemo00000001"
BOOKSTORE_SECRET = "emulatoronlysecret00000000000001"  # noqa: S105 - opens nothing but an emulator
BOOKSTORE_APP_ID = "bookstoreapp000000001"
BOOKSTORE_APP_CALLBACK = "io.bookstore.app://callback"
STOCK_ROBOT_ID = "stockrobotdemo0000001"
STOCK_ROBOT_SECRET = "emulatoronlysecret00000000000002"  # noqa: S105 - opens nothing but an emulator
BOOKSTORE_SETUP_ID = "bookstoresetup0000001"
BOOKSTORE_SETUP_SECRET = "emulatoronlysecret00000000000003"  # noqa: S105 - opens nothing but an emulator
BOOKSTORE_API = "https://bookstore.example/api"
HARBOUR_BRANCH_ID = "harbourbr001"
HILL_BRANCH_ID = "hillbranch01"

# A domain of nobody: see RFC 2606. New users with an address in it become staff of the harbour branch.
HARBOUR_DOMAIN = "harbour.example"

_GLOBAL_ROLES = {"editor": ["editor"], "admin": ["admin"], "owner": ["partner"]}
_USER_IDS = {
    "customer": "customer0001",
    "editor": "editor000001",
    "admin": "admin0000001",
    "owner": "owner0000001",
    "manager": "manager00001",
    "suspended": "suspended001",
}


def seed_demo(
    tenant: Tenant, base_urls: Sequence[str] = ("http://localhost:8000", "http://127.0.0.1:8000")
) -> Application:
    """Fill the tenant and return the application "Bookstore".

    `base_urls` are the URLs of the relying party. The password of each account is "<username>-password".
    """
    _seed_rights(tenant)
    _seed_users(tenant)
    _seed_branches(tenant)
    _seed_alipay(tenant)
    _seed_account_center(tenant, base_urls)
    bookstore = _add_bookstore(tenant, base_urls)
    _seed_app(tenant)
    _seed_machines(tenant)
    return bookstore


def _add_bookstore(tenant: Tenant, base_urls: Sequence[str]) -> Application:
    return tenant.add_application(
        name="Bookstore",
        type="Traditional",
        id=BOOKSTORE_ID,
        secret=BOOKSTORE_SECRET,
        redirect_uris=[f"{url.rstrip('/')}/callback" for url in base_urls],
        post_logout_redirect_uris=[f"{url.rstrip('/')}/" for url in base_urls],
        backchannel_logout_uri=f"{base_urls[0].rstrip('/')}/back-channel-logout",
        backchannel_logout_session_required=True,
    )


def _seed_app(tenant: Tenant) -> None:
    """Add the app for phones: a public client whose callback has a scheme of its own."""
    tenant.add_application(
        name="Bookstore App",
        type="Native",
        id=BOOKSTORE_APP_ID,
        redirect_uris=[BOOKSTORE_APP_CALLBACK],
        post_logout_redirect_uris=[BOOKSTORE_APP_CALLBACK],
    )


def _seed_machines(tenant: Tenant) -> None:
    """Add a robot for the catalogue and the stock of one branch, and an application for the Management API."""
    tenant.add_application(
        name="Stock robot",
        type="MachineToMachine",
        id=STOCK_ROBOT_ID,
        secret=STOCK_ROBOT_SECRET,
        roles=["robot"],
    )
    tenant.add_organization_application(HARBOUR_BRANCH_ID, STOCK_ROBOT_ID, roles=["stock keeper"])
    tenant.add_application(
        name="Bookstore setup",
        type="MachineToMachine",
        id=BOOKSTORE_SETUP_ID,
        secret=BOOKSTORE_SETUP_SECRET,
        roles=[MANAGEMENT_API_ROLE],
    )


def _seed_rights(tenant: Tenant) -> None:
    api = tenant.add_resource(BOOKSTORE_API, name="Bookstore API", id="bookstoreapi000000001")
    tenant.add_scope(api, "read:books", description="Read all books, sold out or not")
    tenant.add_scope(api, "write:books", description="Add and change books")
    books = {BOOKSTORE_API: ["read:books", "write:books"]}
    tenant.add_role("editor", scopes=books, description="Adds and changes books", id="roleeditor00000000001")
    tenant.add_role("admin", scopes=books, description="Works in the admin", id="roleadmin000000000001")
    tenant.add_role("partner", description="Opens branches", id="rolepartner0000000001")
    tenant.add_role(
        "robot", type="MachineToMachine", scopes=books, description="Keeps the catalogue", id="rolerobot000000000001"
    )
    _seed_organization_template(tenant)


def _seed_organization_template(tenant: Tenant) -> None:
    stock = tenant.add_organization_scope("manage:stock", description="Change the stock of a branch").name
    invite = tenant.add_organization_scope("invite:members", description="Invite users to a branch").name
    members = tenant.add_organization_scope(
        "manage:members", description="Change the roles of members, and remove members"
    ).name
    joining = tenant.add_organization_scope(
        "manage:joining", description="Set who joins a branch without an invitation"
    ).name
    runs, owns = [stock, invite, members], [stock, invite, members, joining]
    tenant.add_organization_role("owner", scopes=owns, description="Owns a branch", id="orgroleowner000000001")
    tenant.add_organization_role("manager", scopes=runs, description="Runs a branch", id="orgrolemanager0000001")
    tenant.add_organization_role("staff", description="Works in a branch", id="orgrolestaff000000001")
    tenant.add_organization_role(
        "stock keeper",
        scopes=[stock],
        type="MachineToMachine",
        description="Counts the copies in a branch",
        id="orgrolekeeper00000001",
    )


def _seed_users(tenant: Tenant) -> None:
    for username, sub in _USER_IDS.items():
        tenant.add_user(
            id=sub,
            username=username,
            password=f"{username}-password",
            primary_email=f"{username}@bookstore.example",
            name=username.capitalize(),
            roles=_GLOBAL_ROLES.get(username, []),
            is_suspended=username == "suspended",
        )


def _seed_branches(tenant: Tenant) -> None:
    tenant.add_organization("Harbour Branch", id=HARBOUR_BRANCH_ID)
    tenant.add_organization("Hill Branch", id=HILL_BRANCH_ID)
    tenant.add_member(HARBOUR_BRANCH_ID, _USER_IDS["admin"], roles=["manager"])
    tenant.add_member(HILL_BRANCH_ID, _USER_IDS["admin"], roles=["manager"])
    tenant.add_member(HARBOUR_BRANCH_ID, _USER_IDS["editor"], roles=["staff"])
    tenant.add_member(HARBOUR_BRANCH_ID, _USER_IDS["owner"], roles=["owner"])
    tenant.add_member(HARBOUR_BRANCH_ID, _USER_IDS["manager"], roles=["manager"])
    tenant.add_jit(HARBOUR_BRANCH_ID, email_domains=[HARBOUR_DOMAIN], roles=["staff"])
    # No branch has linked it. The owner may, whose address is in its domain.
    tenant.add_sso_connector("Bookstore Directory", domains=["bookstore.example"], id="ssobookstore")


def _seed_alipay(tenant: Tenant) -> None:
    """Enable Alipay for browsers and for the app, with one account that has a name and one that has none."""
    tenant.sign_in_experience.connectors = ["alipay-web", "alipay-native"]
    # With the default of a new tenant, Logto would ask new users for a username.
    tenant.sign_in_experience.sign_up_identifiers = []
    tenant.add_alipay_account("2088000000000001", nick_name="Alipay Reader")
    tenant.add_alipay_account("2088000000000002")


def _seed_account_center(tenant: Tenant, base_urls: Sequence[str]) -> None:
    """Let users change all of their accounts, with codes by e-mail and SMS, with uploads and with all factors."""
    tenant.enable_account_center()
    tenant.account_center["webauthnRelatedOrigins"] = [url.rstrip("/") for url in base_urls]
    tenant.account_center["deleteAccountUrl"] = f"{base_urls[0].rstrip('/')}/account/delete"
    tenant.sign_in_experience.mfa_factors = ["Totp", "WebAuthn", "BackupCode"]
    # With the default of a new tenant, Logto would ask each user at sign-in to set up a second factor.
    tenant.sign_in_experience.mfa_policy = "NoPrompt"
    tenant.add_message_connectors()
    tenant.has_storage = True
