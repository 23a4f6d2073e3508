"""Faults while many users read pages: no session is lost, and only requests of the faulty session wait."""

from __future__ import annotations

import time
from functools import partial

import pytest

from logto_auth.emulator import HttpFault
from logto_auth.sessions.refresh import WAIT_SECONDS
from tests.ageing import age_refresh_tokens

from .deployment import Deployment, Site, User, at_once, eventually, killed_during

pytestmark = [pytest.mark.postgresql, pytest.mark.redis]


@pytest.fixture
def sync_site(deployment: Deployment) -> Site:
    """Four processes that each answer one request at a time."""
    return deployment.site(engine="cached_db", threads=1)


@pytest.fixture
def users(deployment: Deployment, sync_site: Site) -> list[User]:
    return [User(sync_site, deployment.emulator).sign_in() for _ in range(12)]


def signed_in(users: list[User]) -> list[str | None]:
    return [user.signed_in_as for user in users]


def test_killed_refresh_delays_no_other_user(users: list[User], sync_site: Site, deployment: Deployment) -> None:
    victim, *others = users
    victim.get("/age-session")
    deployment.emulator.requests.clear()
    deployment.emulator.faults.http["token"] = HttpFault(delay_seconds=3, times=1)
    with killed_during(partial(victim.in_parallel().get, "/", **{"X-Mark": "refresh"})):
        eventually(lambda: deployment.refreshes() == 1, sync_site.log)
        sync_site.kill_worker_of("refresh")
    assert victim.signed_in_as == "reader", "this request has waited"
    began_at = time.monotonic()
    answers = at_once([partial(user.in_parallel().get, "/") for user in [*[victim] * 20, *others]])
    assert {answer.text for answer in answers} == {'{"user": "reader"}'}
    # If each request of the victim had waited, the four processes would have been busy for twice as long.
    assert time.monotonic() - began_at < 20 * WAIT_SECONDS / 4 / 2
    assert deployment.refreshes() == 1


def test_cut_database_connections_lose_no_session(users: list[User], deployment: Deployment) -> None:
    at_once([partial(user.get, "/age-session") for user in users])
    age_refresh_tokens(deployment.emulator)
    deployment.emulator.requests.clear()
    deployment.emulator.faults.http["token"] = HttpFault(delay_seconds=1)

    def cut() -> None:
        eventually(lambda: deployment.refreshes() >= 4, users[0].site.log)
        deployment.cut_connections()

    at_once([cut, *(partial(user.in_parallel().get, "/") for user in users)])
    deployment.emulator.faults.clear()
    assert signed_in(users) == ["reader"] * len(users)
    # Logto has replaced the refresh tokens, and takes a former one for stolen.
    at_once([partial(user.get, "/age-session") for user in users])
    age_refresh_tokens(deployment.emulator)
    assert signed_in(users) == ["reader"] * len(users)


def test_emptied_redis_loses_no_session(users: list[User], deployment: Deployment) -> None:
    deployment.flush_redis()
    assert signed_in(users) == ["reader"] * len(users)
