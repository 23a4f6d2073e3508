"""Logto replaces its signing key while many processes refresh sessions."""

from __future__ import annotations

from functools import partial

import pytest

from .deployment import Deployment, User, at_once

pytestmark = [pytest.mark.postgresql, pytest.mark.redis]


def test_rotated_key_signs_no_user_out(deployment: Deployment) -> None:
    site = deployment.site()
    users = [User(site, deployment.emulator).sign_in() for _ in range(12)]
    for _ in range(3):
        at_once([partial(user.get, "/age-session") for user in users])
        deployment.emulator.rotate_keys()
        deployment.emulator.requests.clear()
        pages = [partial(user.in_parallel().get, "/") for user in users for _ in range(4)]
        answers = at_once(pages)
        assert {(answer.status_code, answer.text) for answer in answers} == {(200, '{"user": "reader"}')}
        assert User(site, deployment.emulator).sign_in().signed_in_as == "reader"
        # Each of the four processes has fetched the new key, and some twice.
        assert len(deployment.emulator.requests.to("jwks")) <= 8
    assert deployment.count("logto_auth_logtosession") == len(users) + 3
