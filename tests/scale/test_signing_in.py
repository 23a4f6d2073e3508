"""Many who sign in at the same time, and processes that die while they do."""

from __future__ import annotations

from functools import partial

import pytest

from logto_auth.emulator import HttpFault

from .stage import Person, Site, Stage, at_once, dying, eventually

pytestmark = [pytest.mark.postgresql, pytest.mark.redis]


def test_fifty_first_sign_ins_of_one_person_make_one_user(site: Site, stage: Stage) -> None:
    people = [Person(site, stage.emulator) for _ in range(50)]
    callbacks = [person.callback("reader") for person in people]
    calls = [partial(who.get, url) for who, url in zip(people, callbacks, strict=True)]
    answers = at_once(calls)
    assert {(answer.status_code, answer.headers.get("Location")) for answer in answers} == {(302, "/")}, site.log()
    assert {person.user for person in people} == {"reader"}
    tables = ("auth_user", "logto_auth_logtoidentity", "logto_auth_logtosession", "django_session")
    assert [stage.count(table) for table in tables] == [1, 1, 50, 50]


def test_first_sign_ins_of_many_people_who_want_one_name_make_a_user_each(site: Site, stage: Stage) -> None:
    people = []
    for number in range(12):
        stage.emulator.tenant.add_user(username=f"r{number}", id=f"r{number:011}")
        person = Person(site, stage.emulator)
        people.append((person, person.callback(f"r{number}")))
    # Here all are called the same; at Logto names are unique.
    stage.emulator.faults.id_token_claims = lambda claims: {**claims, "username": "same"}
    answers = at_once([partial(who.get, url) for who, url in people])
    assert {answer.status_code for answer in answers} == {302}, site.log()
    assert len({person.user for person, _ in people}) == stage.count("auth_user") == 12


def test_a_worker_killed_in_the_middle_of_a_sign_in_costs_that_one_request(site: Site, stage: Stage) -> None:
    person = Person(site, stage.emulator)
    callback = person.callback("reader")
    stage.emulator.requests.clear()
    stage.emulator.faults.http["token"] = HttpFault(delay_seconds=3, times=1)
    with dying(partial(person.get, callback, **{"X-Mark": "sign-in"})):
        eventually(lambda: len(stage.emulator.requests.to("token")) == 1, site.log)
        site.kill_worker_of("sign-in")
    assert person.user is None
    # Logto still knows who it is.
    assert person.sign_in().user == "reader"
    assert stage.count("auth_user") == 1
