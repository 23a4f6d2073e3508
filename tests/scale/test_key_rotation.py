"""Logto rotates its keys while several processes refresh sessions and complete sign-ins."""

from __future__ import annotations

from functools import partial

import pytest

from logto_auth.emulator import HttpFault

from .deployment import Deployment, Site, User, at_once

pytestmark = [pytest.mark.postgresql, pytest.mark.redis]


def test_rotation_under_parallel_load_loses_no_session(deployment: Deployment, site: Site) -> None:
    emulator = deployment.emulator
    names = [f"reader{number}" for number in range(12)]
    for name in names:
        emulator.tenant.add_user(username=name)
    users = {name: User(site, emulator) for name in names}
    signed_in, newcomers = names[:8], names[8:]
    for name in signed_in:
        users[name].sign_in(name).get("/age-session")
    callbacks = [partial(users[name].get, users[name].callback(name)) for name in newcomers]
    emulator.rotate_keys()
    emulator.faults.http["jwks"] = HttpFault(delay_seconds=0.5)
    answers = at_once([*(partial(users[name].get, "/") for name in signed_in), *callbacks])
    assert {answer.status_code for answer in answers[:8]} == {200}, site.log()
    assert {answer.status_code for answer in answers[8:]} == {302}, site.log()
    assert {name: users[name].signed_in_as for name in names} == {name: name for name in names}
    assert deployment.count("logto_auth_logtosession") == len(names)
