"""Outages: without Redis everything works; without Logto only requests that need it are affected."""

from __future__ import annotations

import statistics
import threading
import time
from functools import partial

import pytest

from logto_auth.emulator import HttpFault
from logto_auth.emulator.faults import ENDPOINTS
from logto_auth.sessions.outage import OUTAGE_RETRY_SECONDS

from .deployment import APP_ID, DEAD_REDIS_URL, Deployment, User, at_once

pytestmark = [pytest.mark.postgresql, pytest.mark.redis]

EVENT = "http://schemas.openid.net/event/backchannel-logout"
TIMEOUT_SECONDS = 2
# Far longer than the sites wait for Logto.
HANGING = HttpFault(delay_seconds=8)


def logout_token(deployment: Deployment) -> str:
    """Return the logout token that Logto would send for the only session."""
    [(sid,)] = deployment.sql("SELECT sid FROM logto_auth_logtosession")
    claims = {
        "iss": deployment.emulator.issuer,
        "aud": APP_ID,
        "sub": "reader000001",
        "sid": sid,
        "iat": int(time.time()),
        "jti": f"jti-{time.time_ns()}",
        "events": {EVENT: {}},
    }
    return deployment.emulator.sign(claims, header={"typ": "logout+jwt"})


@pytest.fixture(params=["flushed", "gone"])
def reader(deployment: Deployment, request: pytest.FixtureRequest) -> User:
    """Return a user who signed in before Redis was emptied, or became unreachable."""
    deployment.application.backchannel_logout_session_required = True
    deployment.application.backchannel_logout_uri = "http://127.0.0.1:9/"
    user = User(deployment.site(), deployment.emulator).sign_in()
    deployment.flush_redis()
    if request.param == "gone":
        # The same site, with an unreachable Redis.
        user.site = deployment.site(redis_url=DEAD_REDIS_URL)
    return user


def test_users_stay_signed_in_without_redis(reader: User, deployment: Deployment) -> None:
    assert reader.signed_in_as == "reader"
    reader.get("/age-session")
    deployment.emulator.requests.clear()
    assert {answer.text for answer in reader.get_at_once(["/"] * 40)} == {'{"user": "reader"}'}
    assert deployment.refreshes() == 1
    assert User(reader.site, deployment.emulator).sign_in().signed_in_as == "reader"


def test_replayed_logout_token_without_redis_keeps_new_session(reader: User, deployment: Deployment) -> None:
    token = logout_token(deployment)
    assert reader.post("/back-channel-logout", {"logout_token": token}).status_code == 200
    assert reader.signed_in_as is None
    # A new session at Logto, as after signing out there.
    again = User(reader.site, deployment.emulator).sign_in()
    deployment.flush_redis()
    for _ in range(5):
        assert again.in_parallel().post("/back-channel-logout", {"logout_token": token}).status_code == 200
    assert again.signed_in_as == "reader"


def hang(deployment: Deployment) -> None:
    for endpoint in ENDPOINTS:
        deployment.emulator.faults.http[endpoint] = HANGING


def seconds_for_a_page(user: User) -> float:
    before = time.monotonic()
    assert user.signed_in_as == "reader"
    return time.monotonic() - before


def test_fresh_sessions_are_fast_while_logto_hangs(deployment: Deployment) -> None:
    user = User(deployment.site(timeout_seconds=TIMEOUT_SECONDS, threads=2), deployment.emulator).sign_in()
    usual = statistics.median(seconds_for_a_page(user) for _ in range(20))
    deployment.emulator.requests.clear()
    hang(deployment)
    now = statistics.median(seconds_for_a_page(user) for _ in range(20))
    assert len(deployment.emulator.requests) == 0
    assert now < 3 * usual + 0.1


def test_stale_sessions_wait_one_timeout_while_logto_hangs(deployment: Deployment) -> None:
    site = deployment.site(timeout_seconds=TIMEOUT_SECONDS, threads=2)
    # Five times as many as the site has threads: if each waited, the site would be busy for five time-outs.
    users = [User(site, deployment.emulator) for _ in range(5 * site.threads)]
    at_once([user.sign_in for user in users])
    at_once([partial(user.get, "/age-session") for user in users])
    bystander = User(site, deployment.emulator).sign_in()
    hang(deployment)
    waits: list[float] = []
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.is_set():
            waits.append(seconds_for_a_page(bystander))
            time.sleep(0.05)

    watching = threading.Thread(target=watch)
    watching.start()
    began_at = time.monotonic()
    answers = at_once([partial(user.get, "/") for user in users])
    took = time.monotonic() - began_at
    is_over.set()
    watching.join()
    assert {answer.text for answer in answers} == {'{"user": "reader"}'}, "an outage signs no user out"
    assert took < 2 * TIMEOUT_SECONDS
    assert max(waits) < 2 * TIMEOUT_SECONDS
    # After that, no request waits.
    assert statistics.median(seconds_for_a_page(user) for user in users) < TIMEOUT_SECONDS / 4


def test_one_request_at_a_time_contacts_hanging_logto(deployment: Deployment) -> None:
    site = deployment.site(timeout_seconds=TIMEOUT_SECONDS, threads=2)
    users = [User(site, deployment.emulator) for _ in range(2 * site.threads)]
    at_once([user.sign_in for user in users])
    hang(deployment)
    for user in users:
        user.get("/age-session")
    assert users[0].signed_in_as == "reader", "this request reports the outage"
    time.sleep(OUTAGE_RETRY_SECONDS)
    deployment.emulator.requests.clear()
    answers = at_once([partial(seconds_for_a_page, user) for user in users[1:]])
    assert sum(seconds > TIMEOUT_SECONDS / 2 for seconds in answers) <= 2
    assert len(deployment.emulator.requests) <= 2
