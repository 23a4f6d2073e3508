"""A replica that has the rows of the sign-in, and not those of what happened since."""

from __future__ import annotations

from typing import Any

import pytest

from logto_auth.emulator import Emulator
from logto_auth.testing import Browser
from tests.profiles.site.routers import replicate
from tests.profiles.site.visitors import home, is_signed_in, log_out_from_logto, signed_in


@pytest.fixture
def replicated(logto: Emulator) -> Browser:
    """A browser of `reader000001`, whose sign-in has reached the replica."""
    browser = signed_in(logto, "reader")
    replicate()
    return browser


def test_logout_from_logto_ends_session(replicated: Browser, logto: Emulator) -> None:
    assert home(replicated)["sub"] == "reader000001"
    assert log_out_from_logto(logto, sub="reader000001").status_code == 200
    assert not is_signed_in(replicated)


def test_session_is_refreshed_again_and_again(logto: Emulator, settings: Any) -> None:
    settings.LOGTO_FRESHNESS_SECONDS = 0
    settings.LOGTO_HTTP_TIMEOUT_SECONDS = (0.3, 0.3)
    browser = signed_in(logto, "reader")
    replicate()
    for name in ("editor", "reader"):
        logto.tenant.update_user("reader000001", roles=[name])
        assert home(browser)["roles"] == [name]
