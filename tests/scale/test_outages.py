"""When a part is gone: Redis costs speed alone, and Logto costs those alone who need it."""

from __future__ import annotations

import statistics
import threading
import time
from functools import partial

import pytest

from logto_auth.emulator import HttpFault
from logto_auth.emulator.faults import ENDPOINTS
from logto_auth.sessions.refresh import OUT_OF_REACH_SECONDS

from .stage import APP_ID, DEAD_REDIS_URL, Person, Stage, at_once

pytestmark = [pytest.mark.postgresql, pytest.mark.redis]

EVENT = "http://schemas.openid.net/event/backchannel-logout"
TIMEOUT_SECONDS = 2
# Far longer than the sites wait for Logto.
HANGING = HttpFault(delay_seconds=8)


def logout_token(stage: Stage) -> str:
    """What Logto would send for the one session that there is."""
    [(sid,)] = stage.sql("SELECT sid FROM logto_auth_logtosession")
    claims = {
        "iss": stage.emulator.issuer,
        "aud": APP_ID,
        "sub": "reader000001",
        "sid": sid,
        "iat": int(time.time()),
        "jti": f"jti-{time.time_ns()}",
        "events": {EVENT: {}},
    }
    return stage.emulator.sign(claims, header={"typ": "logout+jwt"})


@pytest.fixture(params=["flushed", "gone"])
def reader(stage: Stage, request: pytest.FixtureRequest) -> Person:
    """Somebody who was signed in before Redis was emptied, or went away."""
    stage.application.backchannel_logout_session_required = True
    stage.application.backchannel_logout_uri = "http://127.0.0.1:9/"
    person = Person(stage.site(), stage.emulator).sign_in()
    stage.flush_redis()
    if request.param == "gone":
        # The same site, with nothing where its Redis was.
        person.site = stage.site(redis_url=DEAD_REDIS_URL)
    return person


def test_without_redis_people_stay_signed_in_and_new_ones_come(reader: Person, stage: Stage) -> None:
    assert reader.user == "reader"
    reader.get("/age-session")
    stage.emulator.requests.clear()
    assert {answer.text for answer in reader.get_at_once(["/"] * 40)} == {'{"user": "reader"}'}
    assert stage.refreshes() == 1
    assert Person(reader.site, stage.emulator).sign_in().user == "reader"


def test_without_redis_a_logout_token_works_and_its_replay_ends_nothing_new(reader: Person, stage: Stage) -> None:
    token = logout_token(stage)
    assert reader.post("/back-channel-logout", {"logout_token": token}).status_code == 200
    assert reader.user is None
    # A new session at Logto, as after signing out there.
    again = Person(reader.site, stage.emulator).sign_in()
    stage.flush_redis()
    for _ in range(5):
        assert again.in_parallel().post("/back-channel-logout", {"logout_token": token}).status_code == 200
    assert again.user == "reader"


def hang(stage: Stage) -> None:
    for endpoint in ENDPOINTS:
        stage.emulator.faults.http[endpoint] = HANGING


def seconds_for_a_page(person: Person) -> float:
    before = time.monotonic()
    assert person.user == "reader"
    return time.monotonic() - before


def test_while_logto_hangs_pages_that_do_not_need_it_are_as_fast_as_before(stage: Stage) -> None:
    person = Person(stage.site(timeout_seconds=TIMEOUT_SECONDS, threads=2), stage.emulator).sign_in()
    usual = statistics.median(seconds_for_a_page(person) for _ in range(20))
    stage.emulator.requests.clear()
    hang(stage)
    now = statistics.median(seconds_for_a_page(person) for _ in range(20))
    assert len(stage.emulator.requests) == 0
    assert now < 3 * usual + 0.1


def test_while_logto_hangs_aged_sessions_hold_the_processes_for_one_time_out_and_no_longer(stage: Stage) -> None:
    site = stage.site(timeout_seconds=TIMEOUT_SECONDS, threads=2)
    # Five times as many as the site has threads; each waiting for itself, it would be busy for five time-outs.
    people = [Person(site, stage.emulator) for _ in range(5 * site.threads)]
    at_once([person.sign_in for person in people])
    at_once([partial(person.get, "/age-session") for person in people])
    bystander = Person(site, stage.emulator).sign_in()
    hang(stage)
    waits: list[float] = []
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.is_set():
            waits.append(seconds_for_a_page(bystander))
            time.sleep(0.05)

    watching = threading.Thread(target=watch)
    watching.start()
    began_at = time.monotonic()
    answers = at_once([partial(person.get, "/") for person in people])
    took = time.monotonic() - began_at
    is_over.set()
    watching.join()
    assert {answer.text for answer in answers} == {'{"user": "reader"}'}, "nobody is signed out by an outage"
    assert took < 2 * TIMEOUT_SECONDS
    assert max(waits) < 2 * TIMEOUT_SECONDS
    # And from then on it costs nothing at all.
    assert statistics.median(seconds_for_a_page(person) for person in people) < TIMEOUT_SECONDS / 4


def test_while_logto_goes_on_hanging_one_request_at_a_time_finds_out(stage: Stage) -> None:
    site = stage.site(timeout_seconds=TIMEOUT_SECONDS, threads=2)
    people = [Person(site, stage.emulator) for _ in range(2 * site.threads)]
    at_once([person.sign_in for person in people])
    hang(stage)
    for person in people:
        person.get("/age-session")
    assert people[0].user == "reader", "and it is known now that Logto hangs"
    time.sleep(OUT_OF_REACH_SECONDS)
    stage.emulator.requests.clear()
    answers = at_once([partial(seconds_for_a_page, person) for person in people[1:]])
    assert sum(seconds > TIMEOUT_SECONDS / 2 for seconds in answers) <= 2
    assert len(stage.emulator.requests) <= 2
