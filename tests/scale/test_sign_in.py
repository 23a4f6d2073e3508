"""Parallel sign-ins, and processes that are killed during one."""

from __future__ import annotations

from functools import partial

import pytest

from logto_auth.emulator import HttpFault

from .deployment import Deployment, Site, User, at_once, eventually, killed_during

pytestmark = [pytest.mark.postgresql, pytest.mark.redis]


def test_fifty_first_sign_ins_create_one_user(site: Site, deployment: Deployment) -> None:
    users = [User(site, deployment.emulator) for _ in range(50)]
    callbacks = [user.callback("reader") for user in users]
    calls = [partial(user.get, url) for user, url in zip(users, callbacks, strict=True)]
    answers = at_once(calls)
    assert {(answer.status_code, answer.headers.get("Location")) for answer in answers} == {(302, "/")}, site.log()
    assert {user.signed_in_as for user in users} == {"reader"}
    tables = ("auth_user", "logto_auth_logtoidentity", "logto_auth_logtosession", "django_session")
    assert [deployment.count(table) for table in tables] == [1, 1, 50, 50]


def test_first_sign_ins_with_same_name_create_users_each(site: Site, deployment: Deployment) -> None:
    users = []
    for number in range(12):
        deployment.emulator.tenant.add_user(username=f"r{number}", id=f"r{number:011}")
        user = User(site, deployment.emulator)
        users.append((user, user.callback(f"r{number}")))
    # At Logto names are unique, so the emulator changes the claims.
    deployment.emulator.faults.id_token_claims = lambda claims: {**claims, "username": "same"}
    answers = at_once([partial(user.get, url) for user, url in users])
    assert {answer.status_code for answer in answers} == {302}, site.log()
    assert len({user.signed_in_as for user, _ in users}) == deployment.count("auth_user") == 12


def test_killed_worker_loses_one_sign_in_only(site: Site, deployment: Deployment) -> None:
    user = User(site, deployment.emulator)
    callback = user.callback("reader")
    deployment.emulator.requests.clear()
    deployment.emulator.faults.http["token"] = HttpFault(delay_seconds=3, times=1)
    with killed_during(partial(user.get, callback, **{"X-Mark": "sign-in"})):
        eventually(lambda: len(deployment.emulator.requests.to("token")) == 1, site.log)
        site.kill_worker_of("sign-in")
    assert user.signed_in_as is None
    # The user is still signed in at Logto.
    assert user.sign_in().signed_in_as == "reader"
    assert deployment.count("auth_user") == 1
