from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from logto_auth.emulator import Emulator
from logto_auth.signals import api_key_changed

from . import site as site_of_keys
from .site import Owner


@pytest.fixture
def keys_site(logto: Emulator, settings: Any) -> Emulator:
    """Return the emulator of a site with the pages and endpoints for API keys."""
    site_of_keys.set_up(logto, settings)
    return logto


@pytest.fixture
def ada(keys_site: Emulator, db: None) -> Owner:
    """A user who is signed in and has just proved who they are."""
    owner = Owner(keys_site)
    owner.prove()
    return owner


@pytest.fixture
def signals() -> Iterator[list[dict[str, Any]]]:
    """What `api_key_changed` reports during the test."""
    sent: list[dict[str, Any]] = []

    def receive(**values: Any) -> None:
        sent.append({name: values[name] for name in ("action", "name", "key_id", "user")})

    api_key_changed.connect(receive)
    yield sent
    api_key_changed.disconnect(receive)
