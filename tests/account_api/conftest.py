"""Fixtures of the tests of the Account API client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .logto import FakeLogto, fake_logto


@pytest.fixture
def fake() -> Iterator[FakeLogto]:
    with fake_logto() as fake:
        yield fake
