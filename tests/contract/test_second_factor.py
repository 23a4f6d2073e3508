"""Sign-ins with a second factor, compared with the recordings of Logto's Experience API.

The emulator has pages in place of that API. They show the same errors, and the sign-in leaves the same records.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from logto_auth.emulator import Emulator, User, VisitFailed, Visitor, run_in_thread
from logto_auth.emulator.state.mfa_rules import factors_for_sign_in
from tests.emulator.receiver import Receiver
from tests.emulator.relying_party import CALLBACK, RelyingParty
from tests.recorded import recording

from .exchanges import shape


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with run_in_thread(like="head") as emulator:
        yield emulator


@pytest.fixture
def user(emulator: Emulator) -> User:
    return emulator.tenant.add_user(id="epg0wpnam14q", username="r3acca497", password="Tr0ub4dor&3xyz!")


@pytest.fixture
def relying_party(emulator: Emulator) -> Iterator[RelyingParty]:
    relying_party = RelyingParty(emulator, emulator.tenant.add_application(name="r3 plain", redirect_uris=[CALLBACK]))
    yield relying_party
    relying_party.http.close()


def sign_in(relying_party: RelyingParty, visitor: Visitor, **factors: str) -> str:
    return visitor.sign_in(relying_party.authorization_url(), "r3acca497", "Tr0ub4dor&3xyz!", **factors)


def records(emulator: Emulator) -> list[dict[str, Any]]:
    """Return the verification records of the only session."""
    (session,) = emulator.instances.sessions.values()
    submission = emulator.instances.submission_of(session.uid, session.account_id or "")
    assert submission is not None
    found: list[dict[str, Any]] = submission["verificationRecords"]
    return found


@pytest.mark.parametrize(
    ("name", "factor", "wrong_code", "refused_at"),
    [("mfa_sign_in", "Totp", "000000", 4), ("mfa_sign_in_backup_code", "BackupCode", "0000000000", 1)],
)
def test_sign_in_asks_and_refuses_as_recorded(
    emulator: Emulator,
    relying_party: RelyingParty,
    user: User,
    name: str,
    factor: str,
    wrong_code: str,
    refused_at: int,
) -> None:
    emulator.tenant.add_totp(user)
    emulator.tenant.add_backup_codes(user)
    theirs = recording(f"account/{name}", "1.42")
    asked, refused = theirs[refused_at - 1], theirs[refused_at]
    assert factors_for_sign_in(emulator.tenant.sign_in_experience, user) == asked["body"]["data"]["availableFactors"]
    with Visitor(emulator) as visitor:
        with pytest.raises(VisitFailed) as failure:
            sign_in(relying_party, visitor)
        page = visitor.open(failure.value.response.url.replace("/Totp", f"/{factor}"))
        page = visitor._submit(page, "mfa-verification", {"code": wrong_code})
    assert page.status_code == refused["status"]
    assert f'data-code="{refused["body"]["code"]}">{refused["body"]["message"]}<' in page.text


def test_records_are_those_of_a_script_for_custom_claims(
    emulator: Emulator, relying_party: RelyingParty, user: User
) -> None:
    secret = emulator.tenant.add_totp(user)
    with Visitor(emulator) as visitor:
        sign_in(relying_party, visitor, totp_secret=secret)
    claims = recording("tokens/jwt_customizer_after_totp", "1.42")["claims"]
    theirs = claims["r3_context"]["interaction"]["verificationRecords"]
    ours = [{**mine, "id": their["id"]} for mine, their in zip(records(emulator), theirs, strict=True)]
    assert json.dumps(ours) == json.dumps(theirs)


def test_record_of_a_backup_code_has_the_code(emulator: Emulator, relying_party: RelyingParty, user: User) -> None:
    emulator.tenant.add_totp(user)
    codes = emulator.tenant.add_backup_codes(user)
    with Visitor(emulator) as visitor:
        sign_in(relying_party, visitor, backup_code=codes[0])
    assert [list(each) for each in records(emulator)][1] == ["id", "type", "userId", "code"]


def test_event_of_the_sign_in_says_nothing_of_the_factor(
    emulator: Emulator, relying_party: RelyingParty, user: User
) -> None:
    secret = emulator.tenant.add_totp(user)
    with Receiver() as receiver, Visitor(emulator) as visitor:
        emulator.tenant.add_hook(receiver.url, ["PostSignIn"])
        # As recorded, it was not the first sign-in.
        relying_party_id = relying_party.application.id
        emulator.tenant.update_user(user.id, application_id=relying_party_id, avatar="https://example.com/a.png")
        sign_in(relying_party, visitor, totp_secret=secret)
        emulator.webhooks.wait()
    ([ours], theirs) = receiver.received, recording("tenant/webhook_PostSignIn_mfa", "1.42")["requests"][0]
    theirs = json.loads(theirs["body"])
    assert ours.payload.keys() == theirs.keys()
    assert shape(ours.payload["application"]) == shape(theirs["application"])
    assert list(ours.payload["user"]) == list(theirs["user"])
    assert ours.payload["userAgent"] == requests.utils.default_user_agent()
