from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.testing import Browser
from tests.api.attack_fixtures import apis, caller, doors, stock_doors, token  # noqa: F401

from .support import Witness


@pytest.fixture
def witness(browser: Browser, logto: Emulator, caplog: Any, settings: Any) -> Witness:
    """Sees whether an attack has failed. What it looks at are the pages of the package, in no frame of a site."""
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": []}]
    return Witness(browser, logto, caplog)


@pytest.fixture
def reader(logto: Emulator) -> Any:
    """An account at Logto, which the site has not seen yet."""
    return logto.tenant.add_user(username="reader", primary_email="reader@example.com", name="Reader")


@pytest.fixture
def spoil(logto: Emulator, settings: Any) -> Callable[[str, HttpFault], None]:
    """Breaks an endpoint of Logto."""

    def spoil(endpoint: str, fault: HttpFault) -> None:
        # A copy, for a fault counts the requests that it has hit.
        logto.faults.http[endpoint] = HttpFault(**vars(fault))
        if fault.delay_seconds or fault.drip_seconds:
            settings.LOGTO_HTTP_TIMEOUT_SECONDS = (0.3, 0.3)

    return spoil
