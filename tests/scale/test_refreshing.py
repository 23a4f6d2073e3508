"""One session in many requests, threads and processes at the same time."""

from __future__ import annotations

from functools import partial

import pytest

from logto_auth.emulator import HttpFault

from .stage import Person, Site, Stage, at_once, dying, eventually

pytestmark = [pytest.mark.postgresql, pytest.mark.redis]


def age_refresh_tokens(stage: Stage) -> None:
    """So that Logto rotates each at its next use, and takes an earlier one for stolen."""
    days = 11 * 24 * 3600
    for token in stage.emulator.instances.refresh_tokens.values():
        token.issued_at -= days
        token.expires_at -= days
        if token.consumed_at is not None:
            token.consumed_at -= 10


def test_C10_two_hundred_requests_that_meet_one_aged_session_make_one_refresh(reader: Person, stage: Stage) -> None:
    reader.get("/age-session")
    stage.emulator.faults.http["token"] = HttpFault(delay_seconds=0.5)
    answers = reader.get_at_once(["/"] * 200)
    assert {(answer.status_code, answer.text) for answer in answers} == {(200, '{"user": "reader"}')}
    assert len({answer.headers["X-Worker"] for answer in answers}) > 1, "the processes shared the work"
    assert stage.refreshes() == 1


def test_C10_two_hundred_views_that_need_one_access_token_make_one_refresh(reader: Person, stage: Stage) -> None:
    former = reader.get("/api-token/0").text
    reader.get("/age-tokens")
    stage.emulator.requests.clear()
    stage.emulator.faults.http["token"] = HttpFault(delay_seconds=0.5)
    answers = reader.get_at_once(["/api-token/0"] * 200)
    assert {answer.status_code for answer in answers} == {200}
    [token] = {answer.text for answer in answers}
    assert token != former
    assert stage.refreshes() == 1


def test_tokens_for_several_apis_fetched_at_once_are_all_kept(reader: Person, stage: Stage) -> None:
    stage.emulator.faults.http["token"] = HttpFault(delay_seconds=0.2)
    numbers = [0, 1, 2, 3] * 10
    answers = reader.get_at_once([f"/api-token/{number}" for number in numbers])
    tokens = {(number, answer.text) for number, answer in zip(numbers, answers, strict=True)}
    assert {number for number, _ in tokens} == {0, 1, 2, 3}
    assert len(tokens) == stage.refreshes() == 4
    stage.emulator.requests.clear()
    assert {(number, reader.get(f"/api-token/{number}").text) for number in range(4)} == tokens
    assert stage.refreshes() == 0


def test_a_rotated_refresh_token_is_never_lost(reader: Person, stage: Stage) -> None:
    stage.emulator.faults.http["token"] = HttpFault(delay_seconds=0.1)
    for times in range(1, 6):
        reader.get("/age-session")
        age_refresh_tokens(stage)
        stage.emulator.requests.clear()
        answers = reader.get_at_once(["/"] * 40)
        assert {(answer.status_code, answer.text) for answer in answers} == {(200, '{"user": "reader"}')}
        assert stage.refreshes() == 1
        assert len(stage.emulator.instances.refresh_tokens) == times + 1, "it was rotated"


def test_a_rotated_refresh_token_survives_a_mixture_of_pages_and_views(reader: Person, stage: Stage) -> None:
    stage.emulator.faults.http["token"] = HttpFault(delay_seconds=0.1)
    for _ in range(3):
        reader.get("/age-tokens")
        reader.get("/age-session")
        age_refresh_tokens(stage)
        answers = reader.get_at_once(["/", "/api-token/0", "/api-token/1"] * 10)
        assert {answer.status_code for answer in answers} == {200}
    assert reader.user == "reader"


def test_a_suspended_person_is_out_of_all_requests_with_one_refresh(reader: Person, stage: Stage) -> None:
    stage.emulator.tenant.suspend_user("reader000001")
    reader.get("/age-session")
    stage.emulator.faults.http["token"] = HttpFault(delay_seconds=0.5)
    answers = reader.get_at_once(["/"] * 100)
    assert {(answer.status_code, answer.text) for answer in answers} == {(200, '{"user": null}')}
    assert stage.refreshes() == 1
    assert stage.count("logto_auth_logtosession") == stage.count("django_session") == 0


def test_what_one_request_puts_into_the_session_is_not_undone_by_those_that_wait_with_it(
    reader: Person, stage: Stage
) -> None:
    stage.emulator.faults.http["token"] = HttpFault(delay_seconds=0.5)
    for book in ("Emma", "Kokoro", "Persuasion"):
        reader.get("/age-session")
        buying = partial(reader.in_parallel().post, "/basket", {"book": book})
        reading = [partial(reader.in_parallel().get, path) for path in ["/", "/?seconds=0.3"] * 10]
        at_once([*reading, buying])
        assert reader.get("/basket").json() == {"basket": book}


def test_a_worker_killed_while_it_renews_tokens_holds_up_the_others_until_its_lease_runs_out(
    reader: Person, site: Site, stage: Stage
) -> None:
    reader.get("/age-session")
    stage.emulator.faults.http["token"] = HttpFault(delay_seconds=3, times=1)
    with dying(partial(reader.in_parallel().get, "/", **{"X-Mark": "refresh"})):
        eventually(lambda: stage.refreshes() == 1, site.log)
        site.kill_worker_of("refresh")
    [(lease_seconds,)] = stage.sql("SELECT extract(epoch FROM no_refresh_before - now()) FROM logto_auth_logtosession")
    assert 0 < lease_seconds <= 60
    # Instead of waiting for so long: it ends in a second.
    stage.sql("UPDATE logto_auth_logtosession SET no_refresh_before = now() + interval '1 second'")
    answers = reader.get_at_once(["/"] * 20)
    assert {(answer.status_code, answer.text) for answer in answers} == {(200, '{"user": "reader"}')}
    assert stage.refreshes() == 2
