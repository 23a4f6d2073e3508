"""What `manage.py demo` does before it serves. Every fault is one sentence, raised as a CommandError."""

import os
import socket
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, OperationalError, connection
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.db.migrations.loader import MigrationLoader

from bookstore.catalog.loading import load_catalogue

OWN_APPS = ("bookstore.", "logto_auth")

ACCOUNTS = (
    ("customer", "customer-password", "a reader: fills a basket and orders"),
    ("editor", "editor-password", "also adds and edits books"),
    ("admin", "admin-password", "also works in the admin"),
    ("suspended", "suspended-password", "is turned away"),
)

# The emulator's machine: it may keep the stock of one branch.
ROBOT = "stockrobotdemo0000001:emulatoronlysecret00000000000002"
ROBOT_BRANCH = "harbourbr001"


# The environment


def missing_variables() -> list[str]:
    """Return the variables that are missing when only some of those for a real Logto are set."""
    if settings.USES_EMULATOR:
        return []
    return [name for name in settings.OWN_LOGTO_VARIABLES if not os.environ.get(name)]


def checked_ports() -> tuple[int, int]:
    """Return the site's port and the emulator's. Both are valid and free; the latter is 0 when not needed."""
    port = _free_port("PORT", settings.PORT)
    if not settings.USES_EMULATOR:
        return port, 0
    if settings.EMULATOR_PORT == settings.PORT:
        raise CommandError(f"PORT and EMULATOR_PORT are both {port}: give them different numbers.")
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
            raise CommandError(f"This user may not open port {port}: set {variable} to one above 1023.") from None
        except OSError:
            raise CommandError(
                f"Port {port} is in use by another program: stop that one, or set {variable} to a free port."
            ) from None
    return port


# The database


def prepare_database() -> None:
    """Bring the database up to date and put the books in it."""
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
    """Whether a newer version of our own apps has been at this database."""
    loader = MigrationLoader(connection)
    own_labels = {config.label for config in apps.get_app_configs() if config.name.startswith(OWN_APPS)}
    return any(
        label in own_labels and (label, name) not in loader.disk_migrations for label, name in loader.applied_migrations
    )


def _read_every_table() -> None:
    """Fail where a table lacks a column, although its migrations are marked as done."""
    for model in apps.get_models():
        model._default_manager.first()


def _stale_database() -> str:
    return f"The database {_database_name()} belongs to another version of the bookstore: delete it and start again."


def _operational_fault(error: OperationalError) -> str:
    words = str(error)
    if "locked" in words:
        return f"The database {_database_name()} is in use by another program: stop that one and start again."
    if "unable to open" in words or "readonly" in words:
        return f"The database {_database_name()} cannot be written: check the rights of the file and its folder."
    if "no such" in words or "already exists" in words or "has no column" in words:
        return _stale_database()
    return f"The database {_database_name()} cannot be used: {words.strip().splitlines()[0]}"


def _database_name() -> str:
    name = Path(settings.DATABASES["default"]["NAME"])
    return str(name.relative_to(settings.BASE_DIR)) if name.is_relative_to(settings.BASE_DIR) else str(name)


# What is printed


def banner(site_urls: list[str]) -> str:
    """Return the addresses, the accounts, and how to stop."""
    site = site_urls[0]
    lines = ["", f"  Bookstore  {site}/", f"  Admin      {site}/admin/", f"  API        {site}/api/docs/"]
    lines += _emulator_lines(site) if settings.USES_EMULATOR else _own_logto_lines(site_urls)
    return "\n".join([*lines, ""])


def _emulator_lines(site: str) -> list[str]:
    return [
        f"  Logto      {settings.LOGTO_ENDPOINT}/  (an emulator; it forgets everything when it stops)",
        "",
        "  Username    Password              Who that is",
        *(f"  {username:<11} {password:<21} {who}" for username, password, who in ACCOUNTS),
        "  Alipay needs no password: it offers a reader with a name and one without.",
        "",
        "  And a robot that counts the copies in Harbour Branch:",
        f"    TOKEN=$(curl -s {settings.LOGTO_ENDPOINT}/oidc/token -u {ROBOT} \\",
        f"      -d grant_type=client_credentials -d organization_id={ROBOT_BRANCH} -d scope=manage:stock \\",
        """      | sed 's/.*"access_token": *"\\([^"]*\\).*/\\1/')""",
        f"    curl -s -X PUT {site}/api/branches/{ROBOT_BRANCH}/stock/emma-jane-austen/ \\",
        """      -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -d '{"copies": 7}'""",
        "",
        "  Ctrl-C ends both servers.",
    ]


def _own_logto_lines(site_urls: list[str]) -> list[str]:
    return [
        f"  Logto      {settings.LOGTO_ENDPOINT}  (application {settings.LOGTO_APP_ID})",
        "",
        "  Register with that application, by `manage.py logto_setup` or in the Logto Console:",
        *(f"    redirect URI                {url}/callback" for url in site_urls),
        *(f"    post sign-out redirect URI  {url}/" for url in site_urls),
        f"    back-channel logout URI     {site_urls[0]}/back-channel-logout  (if Logto can reach this machine)",
        '  People with the role "editor" may add and edit books; those with "admin" may use the admin.',
        *_own_api_lines(),
        "",
        "  Ctrl-C ends the server.",
    ]


def _own_api_lines() -> list[str]:
    scopes = " and ".join(settings.LOGTO_API_SCOPES)
    if settings.OWN_API_RESOURCE:
        return [f"  The API resource {settings.OWN_API_RESOURCE} needs the permissions {scopes}."]
    return [
        f"  For the API, create the API resource {settings.LOGTO_API_RESOURCE} with the permissions",
        f"  {scopes}, and set LOGTO_API_RESOURCE to its identifier.",
    ]
