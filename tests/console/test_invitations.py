"""Invitations: who may send them, their e-mails, and who accepts."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import unquote

import pytest
from django.core import mail

from logto_auth.emulator import Emulator
from logto_auth.encryption import encrypt
from logto_auth.exceptions import ConfigurationError, ManagementAPIError, ProviderUnreachable, SignInRequired
from logto_auth.models import OrganizationMembership
from logto_auth.organizations.console.errors import (
    AlreadyInvited,
    AlreadyMember,
    InvalidName,
    InvitationForOther,
    InvitationInvalid,
    InvitationNotSent,
    InvitationOver,
    NotPermitted,
    RoleNotGrantable,
)
from logto_auth.organizations.console.links import seal
from logto_auth.sessions.principal import session_principal

from . import service
from .service import HARBOUR, HILL, Caller, Signals, broken

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.console.service_urls")]

PREFIX = "http://testserver/organizations/invitation/"
NEW = "new@example.com"
OTHER = "other@example.com"


@pytest.fixture(autouse=True)
def site(logto: Emulator, settings: Any) -> None:
    service.set_up(logto, settings)
    logto.tenant.add_message_connectors()


@pytest.fixture
def site_sends(settings: Any) -> None:
    """Let the site send the e-mails, from templates of its own."""
    settings.LOGTO_INVITATION_SENDER = "site"
    folder = "logto_auth/organizations/invitation"
    templates = {
        f"{folder}_subject.txt": "{{ organization }}\n from\n {{ inviter }}",
        f"{folder}_message.txt": "{{ link }} until {{ expires_at|date:'Y' }}",
    }
    loaders = [("django.template.loaders.locmem.Loader", templates)]
    settings.TEMPLATES = [
        {"BACKEND": "django.template.backends.django.DjangoTemplates", "OPTIONS": {"loaders": loaders}}
    ]


def only(logto: Emulator) -> Any:
    (invitation,) = logto.tenant.invitations.values()
    return invitation


def only_to(logto: Emulator, address: str) -> Any:
    (invitation,) = [each for each in logto.tenant.invitations.values() if each.invitee == address]
    return invitation


def last_link(logto: Emulator) -> str:
    """Return the last part of the link that Logto has sent."""
    link = str(logto.tenant.sent_messages[-1].payload["link"])
    assert link.startswith(PREFIX)
    return unquote(link.removeprefix(PREFIX))


def invited(logto: Emulator, email: str = OTHER, roles: Any = ("staff",)) -> str:
    Caller(logto, "owner").at().invite(email, roles)
    return last_link(logto)


# Inviting


def test_logto_sends_the_link_to_the_invited_address(logto: Emulator, signals: Signals) -> None:
    manager = Caller(logto, "manager")
    invitation = manager.at().invite(f" {NEW} ", ["staff"])
    assert (invitation.email, invitation.roles, invitation.status) == (NEW, ("staff",), "Pending")
    assert invitation.may_change
    assert invitation.expires_at - datetime.now(timezone.utc) > timedelta(days=6.9)
    assert (only(logto).id, only(logto).inviter_id, only(logto).roles) == (invitation.id, manager.sub, ["staff"])
    message = logto.tenant.sent_messages[-1]
    assert (message.to, message.payload["locale"]) == (NEW, "en")
    assert signals.actions == [("invitation_sent", HARBOUR, "")]
    assert manager.at().invitations() == [invitation]


@pytest.mark.usefixtures("site_sends")
def test_site_sends_the_link(logto: Emulator) -> None:
    Caller(logto, "owner").at().invite(NEW, [])
    assert logto.tenant.sent_messages == []
    (message,) = mail.outbox
    assert message.to == [NEW]
    assert message.subject == "Harbour from Owner"
    assert message.body.startswith(PREFIX)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"LOGTO_INVITATION_SENDER": "smtp"}, "LOGTO_INVITATION_SENDER"),
        ({"ROOT_URLCONF": "logto_auth.urls"}, "page"),
        # The inviter would choose the host of the link.
        ({"ALLOWED_HOSTS": ["*"], "LOGTO_BASE_URL": ""}, "Set LOGTO_BASE_URL"),
    ],
)
def test_site_that_cannot_send_links_invites_nobody(
    logto: Emulator, settings: Any, change: dict[str, Any], match: str
) -> None:
    organization = Caller(logto, "owner").at()
    for name, value in change.items():
        setattr(settings, name, value)
    with pytest.raises(ConfigurationError, match=match):
        organization.invite(NEW, [])
    assert logto.tenant.invitations == {}


@pytest.mark.parametrize("roles", [["owner"], ["staff", "manager"], ["robot"], ["unknown"]])
def test_manager_cannot_invite_to_other_roles(logto: Emulator, roles: list[str]) -> None:
    with pytest.raises(RoleNotGrantable):
        Caller(logto, "manager").at().invite(NEW, roles)
    assert logto.tenant.invitations == {}


def test_invitations_need_the_right(logto: Emulator) -> None:
    organization = Caller(logto, "staff").at()
    for call in (
        organization.invitations,
        lambda: organization.invite(NEW, []),
        lambda: organization.resend("x"),
        lambda: organization.revoke("x"),
    ):
        with pytest.raises(NotPermitted):
            call()


@pytest.mark.parametrize(
    "email", ["", "new", "new@example.com, b@example.com", "a@b\n.com", f"{'x' * 120}@example.com"]
)
def test_wrong_address_is_not_invited(logto: Emulator, email: str) -> None:
    with pytest.raises(InvalidName) as caught:
        Caller(logto, "owner").at().invite(email, [])
    assert caught.value.field == "email"


def test_member_and_invited_address_are_found_in_any_case(logto: Emulator) -> None:
    organization = Caller(logto, "owner").at()
    with pytest.raises(AlreadyMember):
        organization.invite("Staff@Example.COM", [])
    first = organization.invite(NEW, [])
    with pytest.raises(AlreadyInvited) as caught:
        organization.invite(NEW.upper(), [])
    assert caught.value.invitation_id == first.id
    # A user of another organization, and nobody, look alike.
    assert organization.invite(OTHER, []).status == "Pending"


@pytest.mark.usefixtures("site_sends")
def test_site_sends_few_invitations_to_one_address_and_for_one_user(logto: Emulator) -> None:
    harbour = Caller(logto, "owner").at(HARBOUR)

    def send_ten(address: str) -> str:
        invitation = harbour.invite(address, [])
        for _ in range(9):
            harbour.resend(invitation.id)
        return invitation.id

    first = send_ten(NEW)
    with pytest.raises(InvitationNotSent) as caught:
        harbour.resend(first)
    assert caught.value.status == 429
    # What was refused for one address does not count for the user.
    for number in range(9):
        send_ten(f"{number}@example.com")
    with pytest.raises(InvitationNotSent) as caught:
        harbour.invite(OTHER, [])
    assert (caught.value.status, len(mail.outbox)) == (429, 100)
    assert only_to(logto, OTHER).status == "Pending"


def test_address_can_be_invited_again_after_revocation(logto: Emulator) -> None:
    organization = Caller(logto, "owner").at()
    first = organization.invite(NEW, [])
    organization.revoke(first.id)
    second = organization.invite(NEW, [])
    assert {each.id: each.status for each in organization.invitations()} == {second.id: "Pending", first.id: "Revoked"}


# E-mails that are not sent


def test_unsent_email_keeps_the_invitation(logto: Emulator, signals: Signals) -> None:
    organization = Caller(logto, "owner").at()
    broken(logto, "POST .*/message")
    with pytest.raises(InvitationNotSent):
        organization.invite(NEW, [])
    logto.faults.clear()
    organization.resend(only(logto).id)
    assert logto.tenant.sent_messages[-1].to == NEW
    assert [action for action, _, _ in signals.actions] == ["invitation_sent", "invitation_resent"]


def test_email_limit_of_logto_is_told_without_waiting(logto: Emulator) -> None:
    organization = Caller(logto, "owner").at()
    broken(logto, "POST .*/message", status=429, body='{"code": "request.message_rate_limited"}')
    with pytest.raises(InvitationNotSent) as caught:
        organization.invite(NEW, [])
    assert (caught.value.status, "Too many" in str(caught.value.visitor_message)) == (429, True)
    assert [each.path for each in logto.requests.to("management_api")].count(
        f"/api/organization-invitations/{only(logto).id}/message"
    ) == 1


def test_tenant_without_email_connector_is_told(logto: Emulator) -> None:
    organization = Caller(logto, "owner").at()
    broken(logto, "POST .*/message", status=501, body='{"code": "connector.not_found"}')
    with pytest.raises(InvitationNotSent) as caught:
        organization.invite(NEW, [])
    assert "operator" in str(caught.value.visitor_message)


@pytest.mark.usefixtures("site_sends")
def test_failing_mail_server_is_told_without_the_address(logto: Emulator, settings: Any, caplog: Any) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.FailingBackend"
    with pytest.raises(InvitationNotSent) as caught:
        Caller(logto, "owner").at().invite(NEW, [])
    assert NEW not in str(caught.value)
    assert NEW not in caplog.text
    assert caught.value.__cause__ is None


class FailingBackend:
    def __init__(self, **kwargs: Any) -> None:
        pass

    def send_messages(self, messages: Any) -> int:
        raise OSError(f"550 {NEW} is unknown")


# Sending again, and revoking


def test_invitation_of_other_organization_is_unknown(logto: Emulator) -> None:
    foreign = Caller(logto, "other").at(HILL).invite(NEW, [])
    organization = Caller(logto, "owner").at()
    for id in (foreign.id, "unknown", "..", "", "\ud800", "x" * 3000):
        for change in (organization.resend, organization.revoke):
            with pytest.raises(InvitationOver):
                change(id)
    assert only(logto).status == "Pending"


def test_manager_cannot_touch_invitation_of_owner_to_other_role(logto: Emulator) -> None:
    invitation = Caller(logto, "owner").at().invite(NEW, ["manager"])
    organization = Caller(logto, "manager").at()
    assert [each.may_change for each in organization.invitations()] == [False]
    for change in (organization.resend, organization.revoke):
        with pytest.raises(RoleNotGrantable):
            change(invitation.id)


def test_revoked_invitation_is_revoked_again(logto: Emulator, signals: Signals) -> None:
    organization = Caller(logto, "owner").at()
    invitation = organization.invite(NEW, [])
    organization.revoke(invitation.id)
    organization.revoke(invitation.id)
    assert [action for action, _, _ in signals.actions] == ["invitation_sent", "invitation_revoked"]
    with pytest.raises(InvitationOver):
        organization.resend(invitation.id)


def test_revocation_that_logto_refuses_is_told(logto: Emulator) -> None:
    organization = Caller(logto, "owner").at()
    invitation = organization.invite(NEW, [])
    broken(logto, "PUT .*", status=503)
    with pytest.raises(ManagementAPIError):
        organization.revoke(invitation.id)


# Accepting


def test_invited_user_belongs_to_it_at_once(logto: Emulator, signals: Signals) -> None:
    sealed, other = invited(logto), Caller(logto, "other")
    shown = other.console.open_invitation(sealed)
    assert (shown.organization_name, shown.roles, shown.email, shown.is_for_user) == (
        "Harbour",
        ("staff",),
        OTHER,
        True,
    )
    signals.actions.clear()
    accepted = other.console.accept(sealed)
    assert (accepted.id, accepted.name, accepted.roles) == (HARBOUR, "Harbour", ("staff",))
    assert signals.actions == [("invitation_accepted", HARBOUR, other.sub)]
    assert signals.memberships == [(other.sub, {}, {HARBOUR: ["staff"]})]
    row = OrganizationMembership.objects.get(identity__sub=other.sub, organization__logto_id=HARBOUR)
    assert row.roles == ["staff"]
    assert HARBOUR in [each.id for each in session_principal(other.request).organizations]


def test_accepted_invitation_is_accepted_again_by_the_same_user(logto: Emulator, signals: Signals) -> None:
    sealed, other = invited(logto), Caller(logto, "other")
    other.console.accept(sealed)
    assert other.console.open_invitation(sealed).is_for_user
    assert other.console.accept(sealed).roles == ("staff",)
    assert [action for action, _, _ in signals.actions].count("invitation_accepted") == 1
    with pytest.raises(InvitationOver):
        Caller(logto, "staff").console.accept(sealed)
    logto.tenant.remove_member(HARBOUR, other.sub)
    with pytest.raises(InvitationOver):
        other.console.accept(sealed)
    assert other.sub not in logto.tenant.organizations[HARBOUR].members


def test_user_with_other_address_cannot_accept(logto: Emulator) -> None:
    sealed, manager = invited(logto, NEW, ["owner"]), Caller(logto, "manager")
    assert not manager.console.open_invitation(sealed).is_for_user
    with pytest.raises(InvitationForOther):
        manager.console.accept(sealed)
    assert logto.tenant.organizations[HARBOUR].members[manager.sub] == ["manager"]
    assert only(logto).status == "Pending"


def test_address_is_that_of_logto_not_of_the_claims(logto: Emulator) -> None:
    sealed, other = invited(logto), Caller(logto, "other")
    logto.tenant.users[other.sub].primary_email = "another@example.com"
    with pytest.raises(InvitationForOther):
        other.console.accept(sealed)


def test_member_keeps_roles_and_gets_those_of_the_invitation(logto: Emulator) -> None:
    sealed, other = invited(logto), Caller(logto, "other")
    logto.tenant.add_member(HARBOUR, other.sub, roles=["guest"])
    assert other.console.accept(sealed).roles == ("guest", "staff")


@pytest.mark.parametrize("end", ["revoke", "expire", "delete"])
def test_ended_invitation_is_refused(logto: Emulator, end: str) -> None:
    sealed, other = invited(logto), Caller(logto, "other")
    if end == "revoke":
        only(logto).status = "Revoked"
    elif end == "expire":
        only(logto).expires_at = 1
    else:
        logto.tenant.delete_organization(HARBOUR)
    expected = InvitationInvalid if end == "delete" else InvitationOver
    for call in (other.console.open_invitation, other.console.accept, other.console.one_time_token):
        with pytest.raises(expected):
            call(sealed)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "junk",
        "x" * 100_000,
        "\ud800\x00",
        pytest.param(encrypt({"invitation": "x", "email": NEW}, purpose="tokens"), id="other-purpose"),
    ],
)
def test_text_that_is_not_sealed_costs_no_call(logto: Emulator, text: str) -> None:
    other = Caller(logto, "other")
    logto.requests.clear()
    for call in (other.console.open_invitation, other.console.accept, other.console.one_time_token):
        with pytest.raises(InvitationInvalid):
            call(text)
    assert len(logto.requests.to("management_api")) == 0


def test_visitor_sees_the_invitation_and_cannot_accept(logto: Emulator, client: Any) -> None:
    sealed = invited(logto)
    request = client.get("/").wsgi_request
    console = type(Caller(logto, "other").console)(request)
    assert not console.open_invitation(sealed).is_for_user
    with pytest.raises(SignInRequired):
        console.accept(sealed)


def test_one_time_token_is_for_new_users_only(logto: Emulator) -> None:
    for email in (NEW, "Other@example.com"):
        sealed = invited(logto, email)
        token = Caller(logto, "staff").console.one_time_token(sealed)
        assert bool(token) is (email == NEW)
    (stored,) = logto.tenant.one_time_tokens.values()
    assert (stored.email, stored.expires_at - stored.created_at) == (NEW, 600_000)


def test_lost_answer_to_acceptance_is_finished(logto: Emulator) -> None:
    sealed, other = invited(logto), Caller(logto, "other")
    broken(logto, "PUT .*", status=None, body=None, truncate_after=5)
    with pytest.raises((ProviderUnreachable, InvitationOver)):
        # Each try is answered with half a body.
        raise_unless_accepted(other.console.accept(sealed))
    logto.faults.clear()
    assert other.console.accept(sealed).roles == ("staff",)


def raise_unless_accepted(accepted: Any) -> None:
    assert accepted.roles == ("staff",)
    raise InvitationOver("The second try has found it accepted.")


def test_link_for_invitation_of_other_address_is_invalid(logto: Emulator) -> None:
    invited(logto, NEW)
    with pytest.raises(InvitationInvalid):
        Caller(logto, "other").console.accept(seal(only(logto).id, OTHER))
