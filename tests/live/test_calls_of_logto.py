"""What Logto's server tells the site: sign-outs elsewhere, and changes of users."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from logto_auth.emulator import VisitFailed

from .conftest import MakePerson, Note
from .people import Person
from .sites import NOTHING_COMES_SECONDS, WAIT_SECONDS, Site, comes_true, eventually

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]

End = Callable[[Site, Person], None]


def suspend(site: Site, user: Person) -> None:
    site.target.api.patch(f"users/{user.id}/is-suspended", {"isSuspended": True})


def delete(site: Site, user: Person) -> None:
    site.target.api.delete(f"users/{user.id}")


def end_session(site: Site, user: Person) -> None:
    """End the user's sessions at Logto, as the Console does."""
    for each in site.target.api.get(f"users/{user.id}/sessions")["sessions"]:
        session_id = each["payload"]["uid"]
        site.target.api("DELETE", f"users/{user.id}/sessions/{session_id}", revokeGrantsTarget="all")


SUSPENDED, DELETED = pytest.param(suspend, id="suspended"), pytest.param(delete, id="deleted")
SESSION_ENDED = pytest.param(end_session, id="session ended")


def test_back_channel_logout(shop: Site, library: Site, make_person: MakePerson, note: Note) -> None:
    """A sign-out at the library ends the session in the shop, unless Logto may not call private addresses."""
    outcomes = []
    for number, guard in enumerate(shop.target.outbound_guards()):
        reader = make_person(f"leaver{number}")
        reader.sign_in(shop)
        reader.sign_in_silently(library)
        calls = calls_after_sign_out(shop, library, reader, may_be_none=guard != "off")
        with pytest.raises(VisitFailed):
            reader.sign_in_silently(library)
        if calls:
            assert guard != "on", "Logto called a private address, and its outbound guard is on"
            assert calls == [200]
            assert not reader.is_signed_in(shop)
        else:
            assert guard != "off", "Logto did not call the site, and has no outbound guard"
            # The site goes on, because nothing told it of the sign-out.
            assert reader.is_signed_in(shop)
        outcomes.append("sent" if calls else "not sent: outbound guard")
    if outcomes != ["sent"]:
        note("; ".join(outcomes))


def calls_after_sign_out(shop: Site, library: Site, reader: Person, *, may_be_none: bool) -> list[int]:
    """Sign out at the library, and return the statuses of the calls for a back-channel logout of the shop."""
    path = "/back-channel-logout"
    before = len(shop.received(path))
    reader.sign_out(library)
    comes_true(lambda: len(shop.received(path)) > before, NOTHING_COMES_SECONDS if may_be_none else WAIT_SECONDS)
    return shop.received(path)[before:]


@pytest.mark.parametrize("end", [SUSPENDED, DELETED])
def test_webhook_ends_the_session(shop: Site, make_person: MakePerson, end: End) -> None:
    reader = make_person(f"watched_{end.__name__}")
    reader.sign_in(shop)
    before = len(shop.received("/webhooks/logto"))
    end(shop, reader)
    eventually(lambda: len(shop.received("/webhooks/logto")) > before, lambda: "Logto did not call the webhook")
    assert set(shop.received("/webhooks/logto")) <= {200, 202, 204}
    eventually(lambda: not reader.is_signed_in(shop), shop.log)


@pytest.mark.parametrize("end", [SUSPENDED, DELETED, SESSION_ENDED])
def test_refresh_ends_the_session(library: Site, make_person: MakePerson, end: End) -> None:
    reader = make_person(f"unwatched_{end.__name__}")
    reader.sign_in(library)
    end(library, reader)
    time.sleep(1.1)
    assert not reader.is_signed_in(library)
    with pytest.raises(VisitFailed):
        reader.sign_in_silently(library)


def test_reactivated_user_signs_in_again(shop: Site, make_person: MakePerson) -> None:
    reader = make_person("forgiven")
    first = reader.sign_in(shop)
    suspend(shop, reader)
    eventually(lambda: not reader.is_signed_in(shop), shop.log)
    shop.target.api.patch(f"users/{reader.id}/is-suspended", {"isSuspended": False})
    assert reader.sign_in(shop)["user_id"] == first["user_id"]


def test_webhook_updates_the_name(shop: Site, make_person: MakePerson) -> None:
    reader = make_person("renamed", name="Former Name")
    assert reader.sign_in(shop)["name"] == "Former Name"
    shop.target.api.patch(f"users/{reader.id}", {"name": "Present Name"})
    eventually(lambda: reader.at(shop)["name"] == "Present Name", shop.log)


def test_webhook_renames_an_organization(shop: Site, make_person: MakePerson) -> None:
    api = shop.target.api
    former, present = f"{shop.target.run} quay", f"{shop.target.run} pier"
    organization = api.post("organizations", {"name": former})["id"]
    member = make_person("witness")
    api.post(f"organizations/{organization}/users", {"userIds": [member.id]})
    member.sign_in(shop)
    api.patch(f"organizations/{organization}", {"name": present})
    eventually(lambda: present in member.at(shop)["branches"], shop.log)
