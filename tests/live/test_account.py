"""The account pages, the security verification, and the sessions at Logto that they end."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from logto_auth.account_api import AccountAPI
from logto_auth.account_api.errors import VerificationRequired
from logto_auth.emulator import VisitFailed
from logto_auth.emulator.state.totp import totp_code
from logto_auth.oidc.http import HTTPClient
from logto_auth.oidc.secrets import Secret

from .conftest import MakePerson, opened
from .mailbox import Mailbox
from .people import Person
from .sites import Site
from .targets import Target

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]

NEW_PASSWORD = "Another-and-strange-4712"
RECORD_SECONDS = 600
# Users stay until the end of the run.
MEMBERS = itertools.count()


@pytest.fixture(scope="session")
def club(target: Target, tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Iterator[Site]:
    """A site with account pages, whose set-up switches the account center on."""
    site = Site(target, "club", tmp_path_factory.mktemp("club"), has_webhooks=False, has_account_pages=True)
    # Logto suggests a second factor to nobody: its page would stop the sign-ins.
    target.api.patch("sign-in-exp", {"mfa": {"factors": ["Totp"], "policy": "NoPrompt"}})
    with opened(site, empty_database):
        yield site


@pytest.fixture
def member(club: Site, make_person: MakePerson) -> Person:
    """A user who is signed in at the club."""
    name = f"member{next(MEMBERS)}"
    person = make_person(name, name="Mia Member", primaryEmail=f"{club.target.run}_{name}@example.com")
    person.sign_in(club)
    return person


@pytest.fixture
def elsewhere(club: Site, member: Person) -> Iterator[Person]:
    """The same user in another browser, signed in at the club, too."""
    with closing(Person(club.target, member.username, member.password, member.id)) as person:
        person.sign_in(club)
        yield person


def act(person: Person, site: Site, path: str, action: str, **fields: str) -> requests.Response:
    """Press a button of an account page."""
    return person.post(site, f"/account/{path}", {"action": action, **fields})


def done(response: requests.Response) -> str:
    """Return where the page redirects to after a change."""
    assert response.status_code == 302, (response.status_code, response.text)
    location = response.headers["Location"]
    assert "/verify" not in location, location
    return location


def verify(person: Person, site: Site) -> None:
    """Prove with the password who the user is."""
    assert done(act(person, site, "verify?next=/account/security", "password", password=person.password))


def value_in(response: requests.Response, name: str) -> str:
    """Return the value of a hidden field."""
    found = re.search(f'name="{name}" value="([^"]+)"', response.text)
    assert found, (response.status_code, response.text)
    return found[1]


def at_logto(person: Person, site: Site) -> dict[str, Any]:
    """Return what Logto says of the user."""
    found: dict[str, Any] = site.target.api.get(f"users/{person.id}")
    return found


def is_signed_in_at_logto(person: Person, site: Site) -> bool:
    """Return whether Logto would sign the user in without a page."""
    query = {
        "client_id": site.app_id,
        "redirect_uri": f"{site.url}/callback",
        "response_type": "code",
        "scope": "openid",
        "prompt": "none",
        "state": "any",
        "nonce": "any",
    }
    page = person.logto.open(f"{site.target.endpoint}/oidc/auth?{urlencode(query)}")
    answer = parse_qs(urlsplit(page.headers["Location"]).query)
    if "code" in answer:
        return True
    assert answer["error"] == ["login_required"], answer
    return False


def test_set_up_applies_the_declared_account_center(club: Site) -> None:
    api = club.target.api
    center = api.get("account-center")
    assert center["enabled"]
    assert set(center["fields"].values()) == {"Edit"}
    assert center["deleteAccountUrl"] == f"{club.url}/account/delete"
    assert {step["action"] for step in club.command_json("logto_setup", "--check")["steps"]} == {"nothing"}
    api.patch("account-center", {"enabled": False, "fields": {**center["fields"], "name": "ReadOnly"}})
    club.command("logto_setup", "--check", code=1)
    club.set_up()
    assert api.get("account-center") == center


def test_changed_profile_is_seen_in_the_claims(club: Site, member: Person) -> None:
    fields = {"name": "Mia Miller", "initial-name": "Mia Member", "avatar": "", "initial-avatar": ""}
    done(act(member, club, "", "about", **fields))
    assert at_logto(member, club)["name"] == "Mia Miller"
    assert member.at(club)["name"] == "Mia Miller"


def test_username_needs_verification(club: Site, member: Person) -> None:
    new = f"{member.username}2"
    response = act(member, club, "username", "save", username=new)
    assert response.headers["Location"].startswith("/account/verify?")
    assert at_logto(member, club)["username"] == member.username
    assert act(member, club, "verify", "password", password="wrong").status_code == 200
    assert member.get(club, "/account/username").status_code == 302
    verify(member, club)
    done(act(member, club, "username", "save", username=new))
    assert at_logto(member, club)["username"] == new


def test_new_password_ends_the_other_sessions(club: Site, member: Person, elsewhere: Person) -> None:
    verify(member, club)
    done(act(member, club, "password", "save", new_password=NEW_PASSWORD, repeated=NEW_PASSWORD))
    assert member.is_signed_in(club)
    assert not elsewhere.is_signed_in(club)
    assert not is_signed_in_at_logto(elsewhere, club)
    assert is_signed_in_at_logto(member, club)
    with pytest.raises(VisitFailed):
        elsewhere.sign_in(club)
    elsewhere.password = NEW_PASSWORD
    assert elsewhere.sign_in(club)["sub"] == member.id


def test_rejected_password_changes_nothing(club: Site, member: Person, elsewhere: Person) -> None:
    verify(member, club)
    response = act(member, club, "password", "save", new_password="aaaaaaaa", repeated="aaaaaaaa")
    assert "It contains too many repeated characters." in response.text
    assert elsewhere.is_signed_in(club)
    assert member.sign_in(club, prompt="login")["sub"] == member.id


def test_email_is_changed_with_a_code(club: Site, member: Person, mailbox: Mailbox) -> None:
    new = f"{club.target.run}_new@example.com"
    old = at_logto(member, club)["primaryEmail"]
    verify(member, club)
    page = act(member, club, "email", "send", value=new)
    step, code = value_in(page, "step"), mailbox.code_for(new)
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    assert act(member, club, "email", "confirm", step=step, code=wrong).status_code == 200
    assert at_logto(member, club)["primaryEmail"] == old
    done(act(member, club, "email", "confirm", step=step, code=code))
    assert at_logto(member, club)["primaryEmail"] == new


def test_code_to_the_own_address_is_a_verification(club: Site, member: Person, mailbox: Mailbox) -> None:
    own = at_logto(member, club)["primaryEmail"]
    page = act(member, club, "verify", "send", kind="email")
    assert own not in page.text
    done(act(member, club, "verify", "code", step=value_in(page, "step"), code=mailbox.code_for(own)))
    done(act(member, club, "email", "remove"))
    assert at_logto(member, club)["primaryEmail"] is None


def test_authenticator_app_is_added_and_removed(club: Site, member: Person) -> None:
    path = "security/authenticator-app"
    verify(member, club)
    page = member.get(club, f"/account/{path}")
    found = re.search(r'<code class="secret">([A-Z2-7 ]+)</code>', page.text)
    assert found, page.text
    secret, step = found[1].replace(" ", ""), value_in(page, "step")
    code = totp_code(secret)
    for wrong in (f"{(int(code) + 1) % 1_000_000:06}", ""):
        assert act(member, club, path, "add", step=step, code=wrong).status_code == 200
    assert account_of(member, club).factors() == []
    done(act(member, club, path, "add", step=step, code=totp_code(secret)))
    assert [each["type"] for each in account_of(member, club).factors()] == ["Totp"]
    done(act(member, club, path, "remove"))
    assert account_of(member, club).factors() == []


def test_sessions_are_listed_and_ended(club: Site, member: Person, elsewhere: Person) -> None:
    verify(member, club)
    page = member.get(club, "/account/sessions")
    assert page.text.count('name="session"') == 1  # the current one has no button
    done(act(member, club, "sessions", "end", session=value_in(page, "session")))
    assert 'name="session"' not in member.get(club, "/account/sessions").text
    assert member.is_signed_in(club)
    assert not elsewhere.is_signed_in(club)
    assert not is_signed_in_at_logto(elsewhere, club)
    assert is_signed_in_at_logto(member, club)


def test_sign_out_of_other_browsers_needs_no_verification(club: Site, member: Person, elsewhere: Person) -> None:
    """The Management API ends the sessions at Logto, which it knows by the `sid`."""
    page = member.post(club, "/sign-out-others")
    assert "1 other session at Logto has ended." in page.text, page.text
    assert member.is_signed_in(club)
    assert not elsewhere.is_signed_in(club)
    assert not is_signed_in_at_logto(elsewhere, club)
    assert is_signed_in_at_logto(member, club)


def test_missing_scope_is_asked_for_without_a_page(club: Site, member: Person) -> None:
    before = member.at(club)
    first = member.get(club, "/account/phone")
    assert (first.status_code, "prompt=none" in first.headers["Location"]) == (302, True)
    page = member.follow(club, first.headers["Location"])
    assert page.url == f"{club.url}/account/verify?next=/account/phone"
    verify(member, club)
    page = member.get(club, "/account/phone")
    assert page.status_code == 200
    assert 'name="value"' in page.text
    assert member.at(club) == before


def test_record_of_another_user_is_refused(club: Site, member: Person, make_person: MakePerson) -> None:
    other = make_person("other")
    other.sign_in(club)
    foreign = account_of(other, club).verify_password(other.password).id
    with pytest.raises(VerificationRequired):
        account_of(member, club, foreign).sessions()
    own = account_of(member, club).verify_password(member.password).id
    assert account_of(member, club, own).sessions()


def test_record_expires(club: Site, member: Person) -> None:
    emulator = club.target.emulator
    if emulator is None:
        pytest.skip("a record lives for ten minutes")
    own = account_of(member, club).verify_password(member.password).id
    try:
        emulator.clock.advance(RECORD_SECONDS)
        with pytest.raises(VerificationRequired):
            account_of(member, club, own).sessions()
    finally:
        emulator.clock.reset()


def account_of(person: Person, site: Site, verification_id: Secret | None = None) -> AccountAPI:
    """Return a client of the Account API with the user's access token."""
    return AccountAPI(
        endpoint=site.target.endpoint,
        http=HTTPClient(connect_seconds=5, total_seconds=30),
        access_token=Secret(person.get(site, "/token/").json()["token"]),
        scopes=["identities", "urn:logto:scope:sessions"],
        verification_id=verification_id,
    )
