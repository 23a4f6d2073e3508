from __future__ import annotations

from collections.abc import Iterator

import pytest

from logto_auth.audit.apps import connect_receivers, disconnect_receivers


@pytest.fixture(autouse=True)
def trail() -> Iterator[None]:
    """Let the audit trail record what happens. `tests/conftest.py` has turned it off."""
    connect_receivers()
    yield
    disconnect_receivers()
