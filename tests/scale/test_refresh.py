"""One session in many parallel requests, threads and processes."""

from __future__ import annotations

from functools import partial

import pytest

from logto_auth.emulator import HttpFault
from tests.ageing import age_refresh_tokens

from .deployment import Deployment, Site, User, at_once, eventually, killed_during

SIGNED_IN = {(200, '{"user": "reader"}')}

pytestmark = [pytest.mark.postgresql, pytest.mark.redis]


def test_two_hundred_requests_make_one_refresh(reader: User, deployment: Deployment) -> None:
    reader.get("/age-session")
    deployment.emulator.faults.http["token"] = HttpFault(delay_seconds=0.5)
    answers = reader.get_at_once(["/"] * 200)
    assert {(answer.status_code, answer.text) for answer in answers} == SIGNED_IN
    assert len({answer.headers["X-Worker"] for answer in answers}) > 1, "several processes took part"
    assert deployment.refreshes() == 1


def test_two_hundred_views_fetch_one_access_token(reader: User, deployment: Deployment) -> None:
    former = reader.get("/api-token/0").text
    reader.get("/age-tokens")
    deployment.emulator.requests.clear()
    deployment.emulator.faults.http["token"] = HttpFault(delay_seconds=0.5)
    answers = reader.get_at_once(["/api-token/0"] * 200)
    assert {answer.status_code for answer in answers} == {200}
    [token] = {answer.text for answer in answers}
    assert token != former
    assert deployment.refreshes() == 1


def test_tokens_of_parallel_refreshes_are_all_stored(reader: User, deployment: Deployment) -> None:
    deployment.emulator.faults.http["token"] = HttpFault(delay_seconds=0.2)
    numbers = [0, 1, 2, 3] * 10
    answers = reader.get_at_once([f"/api-token/{number}" for number in numbers])
    tokens = {(number, answer.text) for number, answer in zip(numbers, answers, strict=True)}
    assert {number for number, _ in tokens} == {0, 1, 2, 3}
    assert len(tokens) == deployment.refreshes() == 4
    deployment.emulator.requests.clear()
    assert {(number, reader.get(f"/api-token/{number}").text) for number in range(4)} == tokens
    assert deployment.refreshes() == 0


def test_rotated_refresh_token_is_kept(reader: User, deployment: Deployment) -> None:
    deployment.emulator.faults.http["token"] = HttpFault(delay_seconds=0.1)
    for times in range(1, 6):
        reader.get("/age-session")
        age_refresh_tokens(deployment.emulator)
        deployment.emulator.requests.clear()
        answers = reader.get_at_once(["/"] * 40)
        assert {(answer.status_code, answer.text) for answer in answers} == SIGNED_IN
        assert deployment.refreshes() == 1
        assert len(deployment.emulator.instances.refresh_tokens) == times + 1, "it was rotated"


def test_rotated_refresh_token_is_kept_with_mixed_requests(reader: User, deployment: Deployment) -> None:
    deployment.emulator.faults.http["token"] = HttpFault(delay_seconds=0.1)
    for _ in range(3):
        reader.get("/age-tokens")
        reader.get("/age-session")
        age_refresh_tokens(deployment.emulator)
        answers = reader.get_at_once(["/", "/api-token/0", "/api-token/1"] * 10)
        assert {answer.status_code for answer in answers} == {200}
    assert reader.signed_in_as == "reader"


def test_suspended_user_is_signed_out_by_one_refresh(reader: User, deployment: Deployment) -> None:
    deployment.emulator.tenant.suspend_user("reader000001")
    reader.get("/age-session")
    deployment.emulator.faults.http["token"] = HttpFault(delay_seconds=0.5)
    ended = reader.site.ended_sessions()
    answers = reader.get_at_once(["/"] * 100)
    assert {(answer.status_code, answer.text) for answer in answers} == {(200, '{"user": null}')}
    assert reader.site.ended_sessions() == ended + 1
    assert deployment.refreshes() == 1
    assert deployment.count("logto_auth_logtosession") == deployment.count("django_session") == 0


def test_waiting_requests_keep_session_data_of_others(reader: User, deployment: Deployment) -> None:
    deployment.emulator.faults.http["token"] = HttpFault(delay_seconds=0.5)
    for book in ("Emma", "Kokoro", "Persuasion"):
        reader.get("/age-session")
        buying = partial(reader.in_parallel().post, "/basket", {"book": book})
        reading = [partial(reader.in_parallel().get, path) for path in ["/", "/?seconds=0.3"] * 10]
        at_once([*reading, buying])
        assert reader.get("/basket").json() == {"basket": book}


def test_lease_of_killed_worker_expires(reader: User, site: Site, deployment: Deployment) -> None:
    reader.get("/age-session")
    deployment.emulator.faults.http["token"] = HttpFault(delay_seconds=3, times=1)
    with killed_during(partial(reader.in_parallel().get, "/", **{"X-Mark": "refresh"})):
        eventually(lambda: deployment.refreshes() == 1, site.log)
        site.kill_worker_of("refresh")
    [(lease_seconds,)] = deployment.sql(
        "SELECT no_refresh_before - extract(epoch FROM now())::float FROM logto_auth_logtosession"
    )
    assert 0 < lease_seconds <= 60
    # The test does not wait for so long.
    deployment.sql("UPDATE logto_auth_logtosession SET no_refresh_before = 0")
    assert {(answer.status_code, answer.text) for answer in reader.get_at_once(["/"] * 20)} == SIGNED_IN
    assert deployment.refreshes() == 2
