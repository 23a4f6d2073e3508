"""What users may do in an organization, by the roles that Logto reports now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.test import RequestFactory

from logto_auth.api import authenticate
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.exceptions import ConfigurationError, ManagementAPIError, ProviderError, SignInRequired
from logto_auth.models import OrganizationMembership
from logto_auth.organizations.console import Console
from logto_auth.organizations.console.errors import NotAMember, NotPermitted, RoleNotGrantable
from logto_auth.tenant import AnyRole, Role
from tests.emulator.relying_party import CALLBACK, RelyingParty

from . import service
from .service import API, CONSOLE, HARBOUR, HILL, TENANT, Caller, sub_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("service_site")]

RIGHTS = ("view_members", "invite", "manage_members", "rename", "manage_joining", "delete")


@pytest.mark.parametrize(
    ("username", "rights"),
    [
        ("owner", set(RIGHTS)),
        ("manager", {"view_members", "invite", "manage_members", "rename", "manage_joining"}),
        ("staff", {"view_members"}),
    ],
)
def test_roles_give_the_declared_rights(logto: Emulator, username: str, rights: set[str]) -> None:
    organization = Caller(logto, username).at()
    assert {each for each in RIGHTS if organization.may(each)} == rights
    assert (organization.name, organization.roles) == ("Harbour", (username,))
    for right in set(RIGHTS) - rights:
        with pytest.raises(NotPermitted):
            organization.require(right)


def test_role_taken_away_at_logto_counts_at_once(logto: Emulator) -> None:
    manager = Caller(logto, "manager")
    logto.tenant.add_member(HARBOUR, manager.sub, roles=["staff"])
    assert not manager.at().may("invite")


@pytest.mark.parametrize("organization_id", [HILL, "unknown", "..", "", "x" * 5000, "\x00", "\ud800"])
def test_other_organization_is_like_an_unknown_one(logto: Emulator, organization_id: str) -> None:
    owner = Caller(logto, "owner")
    with pytest.raises(NotAMember):
        owner.at(organization_id)


def test_organization_of_former_member_is_unknown(logto: Emulator) -> None:
    staff = Caller(logto, "staff")
    logto.tenant.remove_member(HARBOUR, staff.sub)
    with pytest.raises(NotAMember):
        staff.at()
    assert staff.console.organizations() == []
    # So it is after "Leave", if the answer of Logto was lost.
    assert not OrganizationMembership.objects.filter(identity__sub=staff.sub).exists()
    assert staff.browser.client.get("/").wsgi_request.logto.organizations == ()


WRONG_TYPES = (
    '[{"id": "x", "name": 7, "invitee": "a@b.example", "organizationId": "x", "organizationRoles": [], '
    '"status": "Pending", "createdAt": 1e400, "expiresAt": 1}]'
)


@pytest.mark.parametrize(
    "body", ["null", "{}", "7", '["x"]', '[{"id": "x"}]', '{"id": {}}', "[[]]", "html", WRONG_TYPES]
)
def test_answer_of_other_shape_is_an_error_of_logto(logto: Emulator, body: str) -> None:
    owner, organization = Caller(logto, "owner"), Caller(logto, "owner").at()
    calls: list[Callable[[], Any]] = [
        owner.console.organizations,
        organization.members,
        lambda: organization.member(sub_of("staff")),
        lambda: organization.set_roles(sub_of("staff"), ["guest"]),
        organization.invitations,
        organization.joining,
    ]
    logto.faults.http["management_api"] = HttpFault(body=body, headers={"Content-Type": "application/json"})
    for call in calls:
        cache.clear()
        with pytest.raises((ManagementAPIError, ProviderError)):
            call()


def test_user_deleted_at_logto_belongs_to_nothing(logto: Emulator) -> None:
    staff = Caller(logto, "staff")
    logto.tenant.delete_user(staff.sub)
    with pytest.raises(NotAMember):
        staff.at()


def test_organization_that_request_selects_is_the_only_one(logto: Emulator, settings: Any) -> None:
    settings.LOGTO_ORGANIZATION_FROM = f"{__name__}.from_header"
    logto.tenant.add_member(HILL, sub_of("owner"), roles=["owner"])
    owner, request = Caller(logto, "owner"), Caller(logto, "owner").request
    request.META["HTTP_X_ORGANIZATION"] = HILL
    assert owner.at().id == HARBOUR
    assert Console(request).organization(HILL).id == HILL
    with pytest.raises(NotAMember):
        Console(request).organization(HARBOUR)


def from_header(request: Any) -> str | None:
    return request.headers.get("X-Organization")


def test_organizations_are_those_of_logto(logto: Emulator) -> None:
    logto.tenant.add_member(HILL, sub_of("staff"), roles=["guest", "manager"])
    found = Caller(logto, "staff").console.organizations()
    assert [(each.name, each.roles) for each in found] == [("Harbour", ("staff",)), ("Hill", ("guest", "manager"))]


def test_permissions_of_template_are_fetched_once_a_minute(logto: Emulator) -> None:
    manager = Caller(logto, "manager")
    logto.requests.clear()
    for _ in range(3):
        assert manager.at().may("invite")
    assert [each.path for each in logto.requests.to("management_api")].count("/api/organization-roles") == 1


def test_visitor_has_to_sign_in(client: Any) -> None:
    request = client.get("/").wsgi_request
    with pytest.raises(SignInRequired):
        Console(request).organizations()


def test_site_without_declaration_has_no_console(rf: Any, settings: Any) -> None:
    settings.LOGTO_TENANT = ""
    with pytest.raises(ConfigurationError, match="organization_console"):
        Console(rf.get("/"))


def test_console_with_a_mistake_is_refused(rf: Any, monkeypatch: Any) -> None:
    console = replace(CONSOLE, grants={"manager": ["owner"]})
    monkeypatch.setattr(service, "TENANT", replace(TENANT, organization_console=console))
    with pytest.raises(ConfigurationError, match="LOGTO_TENANT has a mistake: grants of organization_console lets"):
        Console(rf.get("/"))


def test_site_without_management_api_has_no_console(rf: Any, settings: Any) -> None:
    settings.LOGTO_M2M_APP_ID = ""
    with pytest.raises(ConfigurationError, match="LOGTO_M2M_APP_ID"):
        Console(rf.get("/"))


def test_round_trip_is_for_requested_permissions_only(logto: Emulator, settings: Any) -> None:
    console = Caller(logto, "staff").console
    assert [console.needs_round_trip([name]) for name in ("manager", "staff", "unknown")] == [True, False, False]
    # The sign-in does not ask for them, so that another one would not give them either.
    settings.LOGTO_RESOURCES = ()
    assert not console.needs_round_trip(["manager"])


# Grants


def test_owner_grants_all_roles_for_users(logto: Emulator) -> None:
    organization = Caller(logto, "owner").at()
    assert [each.name for each in organization.grantable_roles()] == ["guest", "manager", "owner", "staff"]
    with pytest.raises(RoleNotGrantable):
        organization.set_roles(sub_of("staff"), ["robot"])


def test_manager_grants_the_declared_roles(logto: Emulator) -> None:
    organization = Caller(logto, "manager").at()
    assert [each.name for each in organization.grantable_roles()] == ["guest", "staff"]
    assert organization.set_roles(sub_of("staff"), ["guest"]).roles == ("guest",)


@pytest.mark.parametrize(
    ("target", "roles"),
    [
        pytest.param("staff", ["staff", "manager"], id="gives"),
        pytest.param("owner", [], id="takes"),
        pytest.param("manager", ["manager", "owner"], id="gives-to-self"),
        pytest.param("staff", ["robot"], id="of-machines"),
        pytest.param("staff", ["unknown"], id="unknown"),
    ],
)
def test_manager_cannot_change_other_roles(logto: Emulator, target: str, roles: list[str]) -> None:
    before = dict(logto.tenant.organizations[HARBOUR].members)
    with pytest.raises(RoleNotGrantable):
        Caller(logto, "manager").at().set_roles(sub_of(target), roles)
    assert logto.tenant.organizations[HARBOUR].members == before


def test_only_roles_that_change_must_be_grantable(logto: Emulator) -> None:
    member = Caller(logto, "manager").at().set_roles(sub_of("owner"), ["owner", "guest"])
    assert member.roles == ("guest", "owner")
    assert (member.is_owner, member.may_change, member.may_remove) == (True, True, False)


def test_members_show_what_the_user_may_do(logto: Emulator) -> None:
    page = Caller(logto, "manager").at().members()
    seen = {each.name: (each.roles, each.is_self, each.may_change, each.may_remove) for each in page.members}
    assert seen == {
        "Owner": (("owner",), False, True, False),
        "Manager": (("manager",), True, True, False),
        "Staff": (("staff",), False, True, True),
    }
    assert not any(each.may_change or each.may_remove for each in Caller(logto, "staff").at().members().members)


# Access tokens


class App:
    """A native app that calls the site with an access token of a user."""

    def __init__(self, logto: Emulator) -> None:
        application = logto.tenant.add_application(name="App", type="Native", redirect_uris=[CALLBACK])
        self._party = RelyingParty(logto, application)

    def console(self, username: str, scope: str = "read:books manage:members", **target: str) -> Console:
        scopes = f"openid offline_access urn:logto:scope:organizations {scope}"
        tokens = self._party.sign_in(username, scope=scopes, resource=[API, "urn:logto:resource:organizations"])
        answer = self._party.refresh(tokens["refresh_token"], **target)
        assert answer.status_code == 200, answer.text
        request = RequestFactory().get("/", headers={"Authorization": f"Bearer {answer.json()['access_token']}"})
        authenticate(request, of_organization="resource" not in target)
        return Console(request)


@pytest.fixture
def app(logto: Emulator) -> Any:
    for username in ("owner", "manager"):
        Caller(logto, username)
    app = App(logto)
    yield app
    app._party.http.close()


@pytest.mark.parametrize("target", [{}, {"resource": API}], ids=["organization-token", "api-token"])
def test_token_acts_by_its_permissions(app: App, target: dict[str, str]) -> None:
    organization = app.console("manager", organization_id=HARBOUR, **target).organization(HARBOUR)
    # `rename` is for a role, and `view_members` for everybody: a token may be limited on purpose.
    assert {each for each in RIGHTS if organization.may(each)} == {"manage_members"}
    with pytest.raises(NotPermitted):
        organization.leave()


def test_token_cannot_join_an_organization(app: App) -> None:
    with pytest.raises(NotPermitted):
        app.console("manager", organization_id=HARBOUR).accept("x")


def test_token_of_owner_is_not_an_owner(app: App) -> None:
    organization = app.console("owner", organization_id=HARBOUR).organization(HARBOUR)
    assert not any(map(organization.may, RIGHTS))
    assert organization.grantable_roles() == []


def test_permission_of_token_must_still_be_granted(app: App, logto: Emulator) -> None:
    console = app.console("manager", organization_id=HARBOUR)
    logto.tenant.add_member(HARBOUR, sub_of("manager"), roles=["staff"])
    assert not console.organization(HARBOUR).may("manage_members")


@pytest.mark.parametrize("target", [{"resource": API}, {"organization_id": HILL}], ids=["none", "other"])
def test_token_of_other_organization_finds_nothing(app: App, logto: Emulator, target: dict[str, str]) -> None:
    logto.tenant.add_member(HILL, sub_of("manager"), roles=["manager"])
    console = app.console("manager", **target)
    with pytest.raises(NotAMember):
        console.organization(HARBOUR)
    assert HARBOUR not in [each.id for each in console.organizations()]
    assert not console.may_create


def test_application_is_refused(rf: Any) -> None:
    request = rf.get("/")
    request.logto = SimpleNamespace(is_authenticated=True, is_machine=True, sub="robot")
    with pytest.raises(NotPermitted):
        Console(request).organizations()


# Who creates organizations


@pytest.mark.parametrize(
    ("creators", "expected"),
    [(None, False), (AnyRole("founder"), False), (AnyRole("editor"), True)],
)
def test_creators_have_the_declared_global_role(
    logto: Emulator, monkeypatch: Any, creators: Any, expected: bool
) -> None:
    roles = [Role("founder", "Opens branches"), Role("editor", "Opens branches too")]
    console = replace(CONSOLE, creators=creators)
    monkeypatch.setattr(service, "TENANT", replace(TENANT, roles=roles, organization_console=console))
    logto.tenant.add_role("editor")
    staff = Caller(logto, "staff")
    logto.tenant.users[staff.sub].roles.append("editor")
    assert staff.console.may_create is expected
