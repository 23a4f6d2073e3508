"""Fixtures of the tests of attacks. `tests/conftest.py` makes them available to all tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.testing import Browser

from .support import Witness


@pytest.fixture
def witness(browser: Browser, logto: Emulator, caplog: Any, settings: Any) -> Witness:
    """Return a checker for attacks. The pages are those of the package, without the templates of the bookstore."""
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": []}]
    return Witness(browser, logto, caplog)


@pytest.fixture
def reader(logto: Emulator) -> Any:
    """Return a user at Logto who has no account here yet."""
    return logto.tenant.add_user(username="reader", primary_email="reader@example.com", name="Reader")


@pytest.fixture
def spoil(logto: Emulator, settings: Any) -> Callable[[str, HttpFault], None]:
    """Return a function that breaks an endpoint of Logto."""

    def spoil(endpoint: str, fault: HttpFault) -> None:
        # A copy, because a fault counts the requests that it was applied to.
        logto.faults.http[endpoint] = HttpFault(**vars(fault))
        if fault.delay_seconds or fault.drip_seconds:
            settings.LOGTO_HTTP_TIMEOUT_SECONDS = (0.3, 0.3)

    return spoil
