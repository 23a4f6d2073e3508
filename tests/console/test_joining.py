"""Just-in-time members: domains, default roles and enterprise SSO connectors."""

from __future__ import annotations

from typing import Any

import pytest

from logto_auth.emulator import Emulator
from logto_auth.exceptions import ManagementAPIError
from logto_auth.organizations.console.domains import PUBLIC_MAIL_DOMAINS, valid_domain
from logto_auth.organizations.console.errors import (
    DomainNotAllowed,
    InvalidName,
    NotAMember,
    NotPermitted,
    RoleNotGrantable,
)

from .service import HARBOUR, HILL, Caller, Signals, broken, sub_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("service_site")]


def harbour(logto: Emulator) -> Any:
    return logto.tenant.organizations[HARBOUR]


def of_harbour(request: Any, organization_id: str, domain: str) -> bool:
    return organization_id == HARBOUR and domain in {"harbour.example", "xn--hfen-loa.example"}


def test_joining_needs_the_right(logto: Emulator) -> None:
    organization = Caller(logto, "staff").at()
    for call in (
        organization.joining,
        lambda: organization.add_domain("example.com"),
        lambda: organization.remove_domain("example.com"),
        lambda: organization.set_default_roles([]),
        lambda: organization.link_connector("x"),
        lambda: organization.unlink_connector("x"),
    ):
        with pytest.raises(NotPermitted):
            call()


# Domains


def test_own_domain_is_added_and_removed(logto: Emulator, signals: Signals) -> None:
    organization = Caller(logto, "manager").at()
    for _ in range(2):
        organization.add_domain(" @Example.COM ")
    assert organization.joining().domains == ("example.com",)
    for _ in range(2):
        organization.remove_domain("example.com")
    assert organization.joining().domains == ()
    actions = [action for action, _, _ in signals.actions]
    assert actions == ["jit_domain_added", "jit_domain_removed"]


@pytest.mark.parametrize("domain", ["gmail.com", "other.example", "sub.example.com", "com"])
def test_other_domain_is_refused(logto: Emulator, domain: str) -> None:
    with pytest.raises((DomainNotAllowed, InvalidName)):
        Caller(logto, "owner").at().add_domain(domain)
    assert harbour(logto).jit_email_domains == []


def test_public_mail_service_is_nobodys_own_domain(logto: Emulator) -> None:
    logto.tenant.users[sub_of("owner")].primary_email = "owner@gmail.com"
    with pytest.raises(DomainNotAllowed) as caught:
        Caller(logto, "owner").at().add_domain("gmail.com")
    assert "only the domain of your own verified e-mail address" in str(caught.value.visitor_message)


def test_unverified_address_claims_nothing(logto: Emulator) -> None:
    logto.faults.id_token_claims = lambda claims: {**claims, "email_verified": False}
    with pytest.raises(DomainNotAllowed):
        Caller(logto, "owner").at().add_domain("example.com")


def test_site_decides_with_its_own_check(logto: Emulator, settings: Any) -> None:
    settings.LOGTO_ORGANIZATION_DOMAIN_CHECK = f"{__name__}.of_harbour"
    organization = Caller(logto, "owner").at()
    organization.add_domain("Häfen.example")
    assert organization.joining().domains == ("xn--hfen-loa.example",)
    with pytest.raises(DomainNotAllowed) as caught:
        organization.add_domain("example.com")
    # The rule is that of the site, so the package does not know it.
    assert caught.value.visitor_message == DomainNotAllowed.visitor_message


@pytest.mark.parametrize(
    "domain", ["", "localhost", "a b.com", "-a.com", "a..com", "a.com/x", "1.2.3.4", "*.com", "a@b.com", "x" * 300]
)
def test_text_that_is_no_domain_is_refused(domain: str) -> None:
    with pytest.raises(InvalidName) as caught:
        valid_domain(domain)
    assert caught.value.field == "domain"


def test_public_mail_domains_are_written_as_they_are_compared() -> None:
    assert [each for each in sorted(PUBLIC_MAIL_DOMAINS) if valid_domain(each) != each] == []


def test_domain_of_other_tool_can_be_removed(logto: Emulator) -> None:
    logto.tenant.add_jit(HARBOUR, email_domains=["No Domain"])
    organization = Caller(logto, "owner").at()
    organization.remove_domain("No Domain")
    assert harbour(logto).jit_email_domains == []


def test_failure_is_told(logto: Emulator, signals: Signals) -> None:
    organization = Caller(logto, "owner").at()
    broken(logto, "POST .*")
    with pytest.raises(ManagementAPIError):
        organization.add_domain("example.com")
    assert signals.actions == []


def test_deleted_organization_is_unknown(logto: Emulator) -> None:
    organization = Caller(logto, "owner").at()
    logto.tenant.delete_organization(HARBOUR)
    with pytest.raises(NotAMember):
        organization.add_domain("example.com")


# Default roles


def test_default_roles_are_those_that_the_user_may_grant(logto: Emulator, signals: Signals) -> None:
    logto.tenant.add_jit(HARBOUR, roles=["manager"])
    organization = Caller(logto, "manager").at()
    with pytest.raises(RoleNotGrantable):
        organization.set_default_roles(["staff"])
    organization.set_default_roles(["staff", "manager"])
    assert organization.joining().roles == ("manager", "staff")
    for roles in (["manager", "owner"], ["manager", "robot"], []):
        with pytest.raises(RoleNotGrantable):
            organization.set_default_roles(roles)
    organization.set_default_roles(["manager", "staff"])
    assert signals.actions == [("jit_roles_changed", HARBOUR, "")]


def test_others_do_not_join_with_more_than_the_user_may_give(logto: Emulator) -> None:
    connector = logto.tenant.add_sso_connector("Example", domains=["example.com"])
    Caller(logto, "owner").at().set_default_roles(["manager"])
    organization = Caller(logto, "manager").at()
    for call in (lambda: organization.add_domain("example.com"), lambda: organization.link_connector(connector.id)):
        with pytest.raises(RoleNotGrantable):
            call()
    joining = organization.joining()
    assert (joining.domains, [each.is_linked for each in joining.connectors]) == ((), [False])


# Enterprise SSO connectors


def test_connector_of_own_domain_is_linked(logto: Emulator, signals: Signals) -> None:
    tenant = logto.tenant
    own = tenant.add_sso_connector("Example", domains=["example.com"], config={"clientSecret": "hidden"})
    foreign = tenant.add_sso_connector("Other customer", domains=["other.example"])
    half = tenant.add_sso_connector("Half", domains=["example.com", "other.example"])
    empty = tenant.add_sso_connector("Empty")
    organization = Caller(logto, "owner").at()
    assert [(each.name, each.is_linked) for each in organization.joining().connectors] == [("Example", False)]
    for id in (foreign.id, half.id, empty.id, "unknown", "..", ""):
        with pytest.raises(DomainNotAllowed):
            organization.link_connector(id)
        organization.unlink_connector(id)
    organization.link_connector(own.id)
    organization.link_connector(own.id)
    assert [(each.name, each.is_linked) for each in organization.joining().connectors] == [("Example", True)]
    assert "hidden" not in repr(organization.joining())
    organization.unlink_connector(own.id)
    organization.unlink_connector(own.id)
    assert [action for action, _, _ in signals.actions] == ["sso_connector_linked", "sso_connector_unlinked"]


def test_linked_connector_of_other_domain_is_shown(logto: Emulator) -> None:
    connector = logto.tenant.add_sso_connector("Parent company", domains=["other.example"])
    logto.tenant.add_jit(HARBOUR, sso_connectors=[connector.id])
    organization = Caller(logto, "owner").at()
    assert [each.name for each in organization.joining().connectors] == ["Parent company"]
    assert Caller(logto, "other").at(HILL).joining().connectors == ()
    organization.unlink_connector(connector.id)
    assert organization.joining().connectors == ()
