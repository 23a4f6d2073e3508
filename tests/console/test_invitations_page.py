"""The page of the invitations of an organization."""

from __future__ import annotations

from typing import Any

import pytest

from logto_auth.emulator import Emulator
from logto_auth.testing import Browser

from .console_site import HARBOUR, HILL, notices_of, signed_in, sub_of, text_of
from .invitation_links import PAGE, STRANGER, invite

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
    assert "has been revoked" in notices_of(manager, press(manager, "revoke", only_id(logto)))
    assert invitations(logto) == [(EMAIL, ["staff"], "Revoked")]
    assert "Earlier invitations" in text_of(manager.open(PAGE))


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(("username", "status"), [("staff", 403), ("stranger", 404), ("other", 404)])
def test_page_is_for_members_who_may_invite(logto: Emulator, username: str, status: int, method: str) -> None:
    browser = signed_in(logto, username)
    response = browser.open(PAGE) if method == "get" else send(browser, roles=["staff"])
    assert response.status_code == status
    assert invitations(logto) == []


def test_right_that_was_lost_while_page_was_open_counts(logto: Emulator, manager: Browser) -> None:
    manager.open(PAGE)
    logto.tenant.add_member(HARBOUR, sub_of("manager"), roles=["staff"])
    assert send(manager, roles=["staff"]).status_code == 403
    assert invitations(logto) == []


@pytest.mark.parametrize("role", ["owner", "manager", "unknown"])
def test_role_beyond_the_grants_is_refused(logto: Emulator, manager: Browser, role: str) -> None:
    response = send(manager, roles=["staff", role])
    assert response.status_code != 302
    assert EMAIL in response.content.decode()
    assert invitations(logto) == []


@pytest.mark.parametrize(
    "email",
    [
        "",
        "new",
        "a b@example.com",
        "a@b.example\nBcc: c@d.example",
        "x" * 120 + "@bookstore.example",
        "a@b.example\x00",
    ],
)
def test_wrong_address_is_refused_beside_its_field(logto: Emulator, manager: Browser, email: str) -> None:
    response = send(manager, email)
    assert response.status_code < 500
    assert 'aria-invalid="true"' in response.content.decode()
    assert invitations(logto) == []


@pytest.mark.parametrize(
    ("email", "text"),
    [
        ("staff@bookstore.example", "is a member already"),
        ("STAFF@Bookstore.example", "is a member already"),
        (STRANGER, "open invitation for this e-mail address already"),
        (STRANGER.upper(), "open invitation for this e-mail address already"),
    ],
)
def test_member_and_invited_user_are_not_invited_again(
    logto: Emulator, manager: Browser, email: str, text: str
) -> None:
    invite(logto)
    response = send(manager, email, roles=["staff"])
    assert (response.status_code, text in text_of(response)) == (409, True)
    assert len(logto.tenant.invitations) == 1


def test_answer_does_not_tell_who_has_an_account(logto: Emulator, manager: Browser) -> None:
    pages = [notices_of(manager, send(manager, each)).replace(each, "") for each in (EMAIL, "other@bookstore.example")]
    pages[1] = pages[1].replace(EMAIL, "")
    assert sorted(set(pages[0].split())) == sorted(set(pages[1].split()))


@pytest.mark.parametrize("action", ["resend", "revoke"])
@pytest.mark.parametrize("which", ["hill", "unknown", "empty"])
def test_invitation_of_other_organization_is_not_touched(
    logto: Emulator, manager: Browser, action: str, which: str
) -> None:
    page = f"/organizations/{HILL}/invitations"
    signed_in(logto, "other").client.post(page, {"action": "invite", "email": EMAIL, "roles": []})
    sent = len(logto.tenant.sent_messages)
    response = press(manager, action, {"hill": only_id(logto), "unknown": "unknown000001", "empty": ""}[which])
    assert "success" not in manager.open(response["Location"]).content.decode()
    assert (invitations(logto), len(logto.tenant.sent_messages)) == ([(EMAIL, [], "Pending")], sent)


def test_invitation_to_role_that_may_not_be_given_stays(logto: Emulator, manager: Browser) -> None:
    send(signed_in(logto, "owner"), roles=["owner"])
    assert 'value="revoke"' not in manager.open(PAGE).content.decode()
    for action in ("resend", "revoke"):
        assert "may not give or take away" in notices_of(manager, press(manager, action, only_id(logto)))
    assert invitations(logto) == [(EMAIL, ["owner"], "Pending")]
    assert len(logto.tenant.sent_messages.to(EMAIL)) == 1


def test_accepted_invitation_is_over(logto: Emulator, manager: Browser) -> None:
    signed_in(logto, "stranger").client.post(invite(logto))
    for action in ("resend", "revoke"):
        assert "no longer open" in notices_of(manager, press(manager, action, only_id(logto)))


def test_form_needs_csrf_token(logto: Emulator, manager: Browser) -> None:
    manager.client.handler.enforce_csrf_checks = True
    assert send(manager).status_code == 403


# E-mail


def test_logto_without_connector_invites_nobody(logto: Emulator, manager: Browser) -> None:
    logto.tenant.sign_in_experience.connector_instances.clear()
    response = send(manager)
    assert 400 <= response.status_code < 600
    assert response.status_code != 500
    assert EMAIL in response.content.decode()
    assert invitations(logto) == []


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
    name = "A & B\r\nBcc: victim@bookstore.example\n\nYou won! http://evil.example/ www.evil.example " + "x" * 60
    logto.tenant.organizations[HARBOUR].name = name
    logto.tenant.update_user(sub_of("manager"), name=name)
    assert send(manager, roles=["staff"]).status_code == 302
    (mail,) = mailoutbox
    assert mail.to == [EMAIL]
    assert mail.message()["Bcc"] is None
    assert "A & B" in mail.subject
    assert "\nYou won" not in mail.body
    for text in ("http://evil", "www.evil", "evil.example"):
        assert text not in mail.body + mail.subject


def test_mail_of_site_that_fails_can_be_sent_again(
    logto: Emulator, manager: Browser, settings: Any, mailoutbox: Any, caplog: Any
) -> None:
    settings.LOGTO_INVITATION_SENDER = "site"
    settings.EMAIL_BACKEND = "tests.console.failing_mail.Backend"
    assert "could not be sent" in notices_of(manager, send(manager, roles=["staff"]))
    assert invitations(logto) == [(EMAIL, ["staff"], "Pending")]
    assert EMAIL not in caplog.text
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert "has been sent again" in notices_of(manager, press(manager, "resend", only_id(logto)))
    assert len(mailoutbox) == 1
