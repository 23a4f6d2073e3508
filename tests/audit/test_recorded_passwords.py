"""Passwords that move to Logto, in the audit trail."""

from __future__ import annotations

from typing import Any

import pytest

from logto_auth.emulator import Emulator
from logto_auth.signals import password_migrated
from tests.password_migration.conftest import moving_site as moving_site
from tests.password_migration.site import PASSWORD, add_account, ask

from .recorded import actions, forget, only, people

pytestmark = pytest.mark.django_db


def test_moved_password_is_recorded_once_without_an_actor(moving_site: Emulator) -> None:
    user = add_account(moving_site, "ada")
    add_account(moving_site, "bob")
    forget()
    sent: list[Any] = []

    def receive(sender: object, user: Any, identity: Any, **kwargs: Any) -> None:
        sent.append((user, identity.sub))

    password_migrated.connect(receive)
    try:
        assert ask("subada", "wrong") == (200, False)
        assert actions() == []
        assert ask("subada") == (200, True)
        assert ask("subada") == (200, True)
    finally:
        password_migrated.disconnect(receive)
    event = only("password_migrated")
    assert (people(event), event.user_sub) == (("", str(user.pk)), "subada")
    # The request is that of Logto's server.
    assert not event.actor_data
    assert PASSWORD not in f"{event.details_json} {event.user_json}"
    assert sent == [(user, "subada")]
    assert actions() == ["password_migrated"]
