"""The preparation for `manage.py demo`. Each problem is one sentence, raised as a CommandError."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, OperationalError, connection
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.db.migrations.loader import MigrationLoader

from bookstore.catalog.loading import load_catalogue
from bookstore.tenant import AGENTS
from logto_auth.clients import management_api
from logto_auth.organizations.console import invitation_path
from logto_auth.tenant import TenantDeclaration, apply_plan, make_plan

if TYPE_CHECKING:
    from logto_auth.emulator import Tenant

OWN_APPS = ("bookstore.", "logto_auth")

ACCOUNTS = (
    ("customer", "customer-password", "an ordinary user: fills a basket and orders"),
    ("editor", "editor-password", "also adds and edits books"),
    ("admin", "admin-password", "also works in the admin, and may act as a customer"),
    ("owner", "owner-password", "owns the harbour branch, and may open others"),
    ("manager", "manager-password", "runs the harbour branch"),
    ("suspended", "suspended-password", "rejected by Logto"),
)

# A machine-to-machine application of the emulator that may manage the stock of one branch.
ROBOT = "stockrobotdemo0000001:emulatoronlysecret00000000000002"
HARBOUR_BRANCH = "harbourbr001"
MANAGER_ID = "manager00001"
INVITED = "newcomer@bookstore.example"
# The application of agents: a third party, so that Logto asks users whether they agree.
AGENT_ID = "bookstoreagent0000001"
# A native application may use any port of them.
AGENT_CALLBACKS = ["http://127.0.0.1/callback", "http://localhost/callback"]
READER_IDS = ("customer0001", "owner0000001", "manager00001")


# The environment


def missing_variables() -> list[str]:
    """Return the missing variables if only some of the variables for a real Logto are set."""
    if settings.USES_EMULATOR:
        return []
    return [name for name in settings.OWN_LOGTO_VARIABLES if not os.environ.get(name)]


def checked_ports() -> tuple[int, int]:
    """Return the ports of the site and of the emulator, both valid and free. The second is 0 without the emulator."""
    port = _free_port("PORT", settings.PORT)
    if not settings.USES_EMULATOR:
        return port, 0
    if settings.EMULATOR_PORT == settings.PORT:
        raise CommandError(f"PORT and EMULATOR_PORT are both {port}: choose different numbers.")
    return port, _free_port("EMULATOR_PORT", settings.EMULATOR_PORT)


def _free_port(variable: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and 0 < int(value) < 65536):
        raise CommandError(f"{variable} is {value!r}, but must be a number from 1 to 65535.")
    port = int(value)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except PermissionError:
            raise CommandError(f"This user may not open port {port}: set {variable} to a port above 1023.") from None
        except OSError:
            raise CommandError(
                f"Port {port} is in use by another program: stop it, or set {variable} to a free port."
            ) from None
    return port


# The database


def prepare_database() -> None:
    """Migrate the database and load the books."""
    try:
        if _has_unknown_migrations():
            raise CommandError(_stale_database())
        call_command("migrate", verbosity=0, interactive=False)
        _read_every_table()
        load_catalogue()
    except OperationalError as error:
        raise CommandError(_operational_fault(error)) from error
    except (DatabaseError, InconsistentMigrationHistory) as error:
        raise CommandError(_stale_database()) from error


def _has_unknown_migrations() -> bool:
    """Return whether a newer version of these apps has migrated the database."""
    loader = MigrationLoader(connection)
    own_labels = {config.label for config in apps.get_app_configs() if config.name.startswith(OWN_APPS)}
    return any(
        label in own_labels and (label, name) not in loader.disk_migrations for label, name in loader.applied_migrations
    )


def _read_every_table() -> None:
    """Fail if a table lacks a column although its migrations are recorded as applied."""
    for model in apps.get_models():
        model._default_manager.first()


def _stale_database() -> str:
    return f"The database {_database_name()} belongs to another version of the bookstore: delete it and start again."


def _operational_fault(error: OperationalError) -> str:
    message = str(error)
    if "locked" in message:
        return f"The database {_database_name()} is in use by another program: stop it and start again."
    if "unable to open" in message or "readonly" in message:
        return f"The database {_database_name()} cannot be written: check the permissions of the file and its folder."
    if "no such" in message or "already exists" in message or "has no column" in message:
        return _stale_database()
    return f"The database {_database_name()} cannot be used: {message.strip().splitlines()[0]}"


def _database_name() -> str:
    name = Path(settings.DATABASES["default"]["NAME"])
    return str(name.relative_to(settings.BASE_DIR)) if name.is_relative_to(settings.BASE_DIR) else str(name)


# The emulator


def seed(tenant: Tenant, base_urls: Sequence[str]) -> None:
    """Fill the tenant of the emulator with what the shop needs at Logto."""
    # Imported here: a site with a real Logto does not need Flask.
    from logto_auth.emulator import seed_demo

    seed_demo(tenant, base_urls=base_urls)
    seed_agents(tenant)


def seed_agents(tenant: Tenant) -> None:
    """Add what `bookstore.tenant` declares for agents, to a tenant that `seed_demo` has filled."""
    resource = tenant.add_resource(settings.MCP_URL, name="Bookstore for agents", id="bookstoremcp000000001")
    for name, description in AGENTS.items():
        tenant.add_scope(resource, name, description=description)
    tenant.add_role(
        "reader",
        scopes={settings.MCP_URL: ["mcp:tools", "read:orders"]},
        description="Lets agents find books and read the user's orders",
        id="rolereader00000000001",
    )
    for role in (tenant.find_role("editor"), tenant.find_role("admin")):
        role.scopes = {**role.scopes, settings.MCP_URL: list(AGENTS)}
    for sub in READER_IDS:
        tenant.update_user(sub, roles=[*tenant.users[sub].roles, "reader"])
    tenant.add_application(
        name="Bookstore agent",
        type="Native",
        id=AGENT_ID,
        redirect_uris=AGENT_CALLBACKS,
        is_third_party=True,
        resource_scopes={settings.MCP_URL: list(AGENTS)},
    )
    # API keys are exchanged for access tokens, and so is what lets staff act as a customer.
    tenant.applications[settings.LOGTO_APP_ID].allow_token_exchange = True


def install_claims_script() -> None:
    """Install the script for the claim of the second factor in the emulator, as `logto_setup` does in a real Logto."""
    declaration = TenantDeclaration(authentication_methods_claim=True, webhook_events=())
    apply_plan(make_plan(management_api(), declaration))


def send_invitation(site: str) -> None:
    """Let the manager have invited a user, so that there is an e-mail to read."""
    api = management_api()
    [staff] = [role["id"] for role in api.organization_roles.all() if role["name"] == "staff"]
    invitation = api.invitations.create(
        {
            "invitee": INVITED,
            "inviterId": MANAGER_ID,
            "organizationId": HARBOUR_BRANCH,
            "organizationRoleIds": [staff],
            "expiresAt": int((time.time() + 7 * 24 * 3600) * 1000),
            "messagePayload": False,
        }
    )
    api.invitations.send_message(invitation["id"], {"link": site + invitation_path(invitation["id"], INVITED)})


# What is printed


def banner(site: str) -> str:
    """Return the URLs, the accounts, and how to stop."""
    lines = ["", f"  Bookstore  {site}/", f"  Admin      {site}/admin/", f"  API        {site}/api/docs/"]
    lines += _emulator_lines(site) if settings.USES_EMULATOR else _own_logto_lines(site)
    return "\n".join([*lines, ""])


def banner_data(site: str) -> dict[str, Any]:
    """Return the URLs, and the accounts of the emulator, for JSON."""
    accounts = [{"username": username, "password": password} for username, password, _ in ACCOUNTS]
    return {
        "site": f"{site}/",
        "admin": f"{site}/admin/",
        "api": f"{site}/api/docs/",
        "logto": settings.LOGTO_ENDPOINT,
        "accounts": accounts if settings.USES_EMULATOR else [],
    }


def _emulator_lines(site: str) -> list[str]:
    return [
        f"  Logto      {settings.LOGTO_ENDPOINT}/  (an emulator; its data is lost when it stops)",
        "             Its outbound guard is off: a Logto of your own sends no back-channel logout to this machine",
        "             unless it runs with OIDC_PROVIDER_SSRF_PROTECTION_DISABLED=true.",
        "",
        "  Username    Password              Description",
        *(f"  {username:<11} {password:<21} {who}" for username, password, who in ACCOUNTS),
        "  Alipay needs no password: it offers one user with a name and one without.",
        f"  No e-mail or text message leaves the demo. Their codes are at {settings.LOGTO_ENDPOINT}/emulator/messages",
        "  and so are those of the authenticator apps that you add. The export of all orders requires one:",
        f"  sign in as admin, and open {site}/orders/export/",
        f"  The page also has the e-mail with which the manager has invited {INVITED} to the harbour branch.",
        "",
        "  A machine-to-machine application can set the stock of the harbour branch:",
        f"    TOKEN=$(curl -s {settings.LOGTO_ENDPOINT}/oidc/token -u {ROBOT} \\",
        f"      -d grant_type=client_credentials -d organization_id={HARBOUR_BRANCH} -d scope=manage:stock \\",
        """      | sed 's/.*"access_token": *"\\([^"]*\\).*/\\1/')""",
        f"    curl -s -X PUT {site}/api/branches/{HARBOUR_BRANCH}/stock/emma-jane-austen/ \\",
        """      -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -d '{"copies": 7}'""",
        "",
        *_agent_lines(),
        "  Ctrl-C ends both servers.",
    ]


def _agent_lines() -> list[str]:
    """Return how an agent calls the shop; nothing without the endpoint."""
    if not settings.HAS_MCP:
        return []
    return [
        f"  Agents call {settings.MCP_URL} as the application {AGENT_ID}. This one reads your newest order:",
        f"    {_python()} -m bookstore.agents.client --url {settings.MCP_URL} read_order",
        "",
    ]


def _python() -> str:
    python = Path(sys.executable)
    return str(python.relative_to(settings.BASE_DIR)) if python.is_relative_to(settings.BASE_DIR) else str(python)


def _own_logto_lines(site: str) -> list[str]:
    return [
        f"  Logto      {settings.LOGTO_ENDPOINT}  (application {settings.LOGTO_APP_ID})",
        "",
        "  The application needs these URIs, by `manage.py logto_setup` or in the Logto Console:",
        f"    redirect URI                {site}/callback",
        f"    post sign-out redirect URI  {site}/",
        f"    back-channel logout URI     {site}/back-channel-logout",
        "  A Logto on another machine cannot call the last one. Logto 1.42 and newer calls this machine only with",
        "  OIDC_PROVIDER_SSRF_PROTECTION_DISABLED=true in Logto's environment.",
        '  Users with the role "editor" may add and edit books; users with "admin" may use the admin.',
        *_own_api_lines(),
        *_own_agent_lines(),
        "  The account pages need Logto's account center: switch it on by `manage.py logto_setup` or in the Console.",
        "",
        "  Ctrl-C ends the server.",
    ]


def _own_agent_lines() -> list[str]:
    if not settings.HAS_MCP:
        return []
    return [
        f"  For agents, which call {settings.MCP_URL}, `manage.py logto_setup` creates an API resource, roles, and the",
        '  third-party application "Bookstore agent". `python -m bookstore.agents.client --client-id ...` uses it.',
    ]


def _own_api_lines() -> list[str]:
    scopes = " and ".join(settings.LOGTO_API_SCOPES)
    if settings.OWN_API_RESOURCE:
        return [f"  The API resource {settings.OWN_API_RESOURCE} needs the permissions {scopes}."]
    return [
        f"  For the API, create the API resource {settings.LOGTO_API_RESOURCE} with the permissions",
        f"  {scopes}, and set LOGTO_API_RESOURCE to its identifier.",
    ]
