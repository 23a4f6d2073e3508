"""A site without pages for the console, and a user who calls it: for the tests of `Console` itself."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache import cache
from django.test import RequestFactory

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.organizations.console import Console, ManagedOrganization
from logto_auth.signals import memberships_changed, organization_changed
from logto_auth.tenant.declaration import OrganizationRole, TenantDeclaration
from logto_auth.tenant.organization_console import EVERY_MEMBER, EVERY_USER, AnyRole, OrganizationConsole
from logto_auth.testing import Browser

from .console_site import HARBOUR, HILL, MANAGEMENT_ROLE, sub_of

__all__ = ["HARBOUR", "HILL", "Caller", "Signals", "broken", "set_up", "sub_of"]

API = "https://bookstore.example/api"
MANAGER = ("invite:members", "manage:members", "manage:joining")
CONSOLE = OrganizationConsole(
    owner_roles=["owner"],
    view_members=EVERY_MEMBER,
    invite="invite:members",
    manage_members="manage:members",
    rename=AnyRole("manager"),
    manage_joining="manage:joining",
    grants={"manager": ["staff", "guest"]},
    creators=EVERY_USER,
    max_owned=2,
)
TENANT = TenantDeclaration(
    application="Site under test",
    organization_scopes={name: name for name in MANAGER},
    organization_roles=[
        OrganizationRole("owner"),
        OrganizationRole("manager", scopes=MANAGER),
        OrganizationRole("staff"),
        OrganizationRole("guest"),
    ],
    organization_console=CONSOLE,
)


def set_up(logto: Emulator, settings: Any) -> None:
    """The harbour has an owner, a manager and a member of the staff. The hill has another owner."""
    cache.clear()
    settings.LOGTO_TENANT = f"{__name__}.TENANT"
    settings.LOGTO_BASE_URL = "http://testserver"
    settings.LOGTO_API_RESOURCE = API
    settings.LOGTO_RESOURCES = (API,)
    settings.LOGTO_SCOPES = (
        "openid",
        "offline_access",
        "profile",
        "email",
        "urn:logto:scope:organizations",
        "urn:logto:scope:organization_roles",
        "read:books",
        "manage:members",
    )
    tenant = logto.tenant
    machine = tenant.add_application(name="Console", type="MachineToMachine", roles=[MANAGEMENT_ROLE])
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    tenant.add_resource(API, scopes=["read:books", "manage:members"])
    tenant.add_organization_role("owner")
    tenant.add_organization_role("manager", scopes=MANAGER, resource_scopes={API: ["read:books", "manage:members"]})
    tenant.add_organization_role("staff")
    tenant.add_organization_role("guest")
    tenant.add_organization_role("robot", type="MachineToMachine")
    for name, id in (("Harbour", HARBOUR), ("Hill", HILL)):
        tenant.add_organization(name, id=id)
    for username in ("owner", "manager", "staff", "other"):
        tenant.add_user(
            username=username, id=sub_of(username), name=username.title(), primary_email=f"{username}@example.com"
        )
    for username in ("owner", "manager", "staff"):
        tenant.add_member(HARBOUR, sub_of(username), roles=[username])
    tenant.add_member(HILL, sub_of("other"), roles=["owner"])


class Caller:
    """A signed-in user, each of whose consoles is that of a new request."""

    def __init__(self, logto: Emulator, username: str) -> None:
        self.browser = Browser(logto)
        self.browser.sign_in(username)
        self.sub = sub_of(username)

    @property
    def request(self) -> Any:
        """A new request of the session."""
        request: Any = RequestFactory().get("/")
        request.session = SessionStore(self.browser.client.session.session_key)
        request.user = get_user(request)
        return request

    @property
    def console(self) -> Console:
        return Console(self.request)

    def at(self, organization_id: str = HARBOUR) -> ManagedOrganization:
        """Return the organization, as a new request finds it."""
        return self.console.organization(organization_id)


def broken(logto: Emulator, only: str, **fault: Any) -> None:
    """Let Logto fail at requests whose method and path match `only`, until `logto.faults.clear()`."""
    logto.faults.http["management_api"] = HttpFault(**({"status": 500, "body": "{}"} | fault), only=only)


class Signals:
    """What `organization_changed` and `memberships_changed` have reported."""

    def __init__(self) -> None:
        self.actions: list[Any] = []
        self.memberships: list[Any] = []
        organization_changed.connect(self._note_action)
        memberships_changed.connect(self._note_memberships)

    def _note_action(self, action: str, organization_id: str, target: str, **kwargs: Any) -> None:
        self.actions.append((action, organization_id, target))

    def _note_memberships(self, identity: Any, former: Any, current: Any, **kwargs: Any) -> None:
        self.memberships.append((identity.sub, dict(former), dict(current)))

    def disconnect(self) -> None:
        organization_changed.disconnect(self._note_action)
        memberships_changed.disconnect(self._note_memberships)
