"""The page of the invitations of an organization."""

from __future__ import annotations

from typing import Any

import pytest

from logto_auth.emulator import Emulator
from logto_auth.testing import Browser

from .console_site import HARBOUR, HILL, notices_of, signed_in, sub_of, text_of
from .invitation_links import PAGE, STRANGER, invite, link_in_last_message

pytestmark = pytest.mark.django_db

EMAIL = "new@bookstore.example"


@pytest.fixture
def logto(console_site: Emulator) -> Emulator:
    return console_site


@pytest.fixture
def manager(logto: Emulator) -> Browser:
    return signed_in(logto, "manager")


def send(browser: Browser, email: str = EMAIL, **data: Any) -> Any:
    return browser.client.post(PAGE, {"action": "invite", "email": email, **data})


def press(browser: Browser, action: str, invitation: str) -> Any:
    return browser.client.post(PAGE, {"action": action, "invitation": invitation})


def invitations(logto: Emulator) -> list[tuple[str, list[str], str]]:
    return [(each.invitee, each.roles, each.status) for each in logto.tenant.invitations.values()]


def only_id(logto: Emulator) -> str:
    (invitation,) = logto.tenant.invitations
    return invitation


def test_manager_invites_sends_again_and_revokes(logto: Emulator, manager: Browser) -> None:
    page = text_of(manager.open(PAGE))
    assert "There is no open invitation." in page
    assert "staff" in page
    assert "owner" not in page
    assert "The invitation has been sent." in notices_of(manager, send(manager, roles=["staff"]))
    assert invitations(logto) == [(EMAIL, ["staff"], "Pending")]
    assert EMAIL in text_of(manager.open(PAGE))
    resent = press(manager, "resend", only_id(logto))
    assert "has been sent again" in notices_of(manager, resent)
    assert len(logto.tenant.sent_messages.to(EMAIL)) == 2
    sealed = link_in_last_message(logto, EMAIL).rpartition("/")[2]
    assert len(sealed) > 100
    assert sealed not in manager.open(PAGE).content.decode()
    assert "has been revoked" in notices_of(manager, press(manager, "revoke", only_id(logto)))
    assert invitations(logto) == [(EMAIL, ["staff"], "Revoked")]
    assert "Earlier invitations" in text_of(manager.open(PAGE))


@pytest.mark.parametrize("use_tz", [True, False])
def test_times_are_in_the_time_zone_of_the_site(
    logto: Emulator, manager: Browser, settings: Any, mailoutbox: Any, *, use_tz: bool
) -> None:
    settings.TIME_ZONE, settings.USE_TZ, settings.LOGTO_INVITATION_SENDER = "Asia/Tokyo", use_tz, "site"
    send(manager, roles=["staff"])
    logto.tenant.invitations[only_id(logto)].expires_at = 4_131_205_200_000  # 2100-11-29 21:00 in UTC
    press(manager, "resend", only_id(logto))
    assert "Nov. 30, 2100, 6 a.m." in text_of(manager.open(PAGE))
    assert "Nov. 30, 2100, 6 a.m. (JST)" in mailoutbox[-1].body


@pytest.mark.parametrize(("username", "status"), [("staff", 403), ("other", 404)])
def test_page_is_for_members_who_may_invite(logto: Emulator, username: str, status: int) -> None:
    browser = signed_in(logto, username)
    assert browser.open(PAGE).status_code == status
    assert send(browser, roles=["staff"]).status_code == status
    assert invitations(logto) == []


def test_right_that_was_lost_while_page_was_open_counts(logto: Emulator, manager: Browser) -> None:
    manager.open(PAGE)
    logto.tenant.add_member(HARBOUR, sub_of("manager"), roles=["staff"])
    assert send(manager, roles=["staff"]).status_code == 403
    assert invitations(logto) == []


def test_role_beyond_the_grants_is_refused(logto: Emulator, manager: Browser) -> None:
    for role in ("owner", "manager", "unknown"):
        response = send(manager, roles=["staff", role])
        assert response.status_code != 302
        assert EMAIL in response.content.decode()
    assert invitations(logto) == []


def test_wrong_address_is_refused_beside_its_field(logto: Emulator, manager: Browser) -> None:
    long = "x" * 120 + "@bookstore.example"
    for email in ("", "new", "a b@example.com", "a@b.example\nBcc: c@d.example", long, "a@b.example\x00"):
        response = send(manager, email)
        assert response.status_code < 500
        assert 'aria-invalid="true"' in response.content.decode(), email
    assert invitations(logto) == []


def test_member_and_invited_user_are_not_invited_again(logto: Emulator, manager: Browser) -> None:
    invite(logto)
    for email, text in (
        ("staff@bookstore.example", "is a member already"),
        ("STAFF@Bookstore.example", "is a member already"),
        (STRANGER.upper(), "open invitation for this e-mail address already"),
    ):
        response = send(manager, email, roles=["staff"])
        assert (response.status_code, text in text_of(response)) == (409, True)
    assert len(logto.tenant.invitations) == 1


def test_answer_does_not_tell_who_has_an_account(logto: Emulator, manager: Browser) -> None:
    pages = [notices_of(manager, send(manager, each)).replace(each, "") for each in (EMAIL, "other@bookstore.example")]
    pages[1] = pages[1].replace(EMAIL, "")
    assert sorted(set(pages[0].split())) == sorted(set(pages[1].split()))


def test_invitation_of_other_organization_is_not_touched(logto: Emulator, manager: Browser) -> None:
    invite(logto)
    of_hill = only_id(logto)
    logto.tenant.invitations[of_hill].organization_id = HILL
    for action in ("resend", "revoke"):
        for invitation in (of_hill, "unknown000001", "", "../x"):
            assert "no longer open" in notices_of(manager, press(manager, action, invitation))
    assert (invitations(logto), len(logto.tenant.sent_messages)) == ([(STRANGER, ["staff"], "Pending")], 0)


def test_invitation_to_role_that_may_not_be_given_stays(logto: Emulator, manager: Browser) -> None:
    invite(logto, EMAIL, roles=["owner"])
    assert 'value="revoke"' not in manager.open(PAGE).content.decode()
    for action in ("resend", "revoke"):
        assert "may not give or take away" in notices_of(manager, press(manager, action, only_id(logto)))
    assert invitations(logto) == [(EMAIL, ["owner"], "Pending")]
    assert not logto.tenant.sent_messages


def test_form_needs_csrf_token(logto: Emulator, manager: Browser) -> None:
    manager.client.handler.enforce_csrf_checks = True
    assert send(manager).status_code == 403


# E-mail


def test_email_that_is_not_sent_keeps_the_invitation(logto: Emulator, manager: Browser, caplog: Any) -> None:
    logto.tenant.sign_in_experience.connector_instances.clear()
    assert "cannot send e-mails now" in notices_of(manager, send(manager))
    assert EMAIL not in caplog.text
    logto.tenant.add_message_connectors()
    assert "has been sent again" in notices_of(manager, press(manager, "resend", only_id(logto)))
    assert [each.to for each in logto.tenant.sent_messages] == [EMAIL]


def test_mail_of_site_has_the_link(logto: Emulator, manager: Browser, settings: Any, mailoutbox: Any) -> None:
    settings.LOGTO_INVITATION_SENDER = "site"
    assert "has been sent" in notices_of(manager, send(manager, roles=["staff"]))
    (mail,) = mailoutbox
    assert mail.to == [EMAIL]
    assert mail.subject == 'Invitation to "Harbour Branch"'
    assert "Manager" in mail.body
    assert "http://testserver/organizations/invitation/" in mail.body
    assert not logto.tenant.sent_messages


def test_names_change_nothing_in_mail_of_site(
    logto: Emulator, manager: Browser, settings: Any, mailoutbox: Any
) -> None:
    settings.LOGTO_INVITATION_SENDER = "site"
    name = "A & B\r\nBcc: victim@bookstore.example\n\nhttp://evil.example/ www.evil.example x.evil.example"
    logto.tenant.organizations[HARBOUR].name = name
    logto.tenant.update_user(sub_of("manager"), name=name)
    assert send(manager, roles=["staff"]).status_code == 302
    (mail,) = mailoutbox
    assert mail.to == [EMAIL]
    assert mail.message()["Bcc"] is None
    assert "A & B" in mail.subject
    assert "\nBcc" not in mail.body
    for text in ("http://evil", "www.evil", "evil.example"):
        assert text not in mail.body + mail.subject
