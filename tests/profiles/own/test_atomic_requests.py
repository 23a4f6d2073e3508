"""What must outlast the transaction of a view that fails."""

from __future__ import annotations

from logto_auth.emulator import Emulator
from logto_auth.testing import Browser
from tests.profiles.site.visitors import get
from tests.rights import API


def test_token_of_failed_view_is_kept(reader: Browser, logto: Emulator) -> None:
    reader.client.raise_request_exception = False
    logto.requests.clear()
    assert get(reader, "api-token", resource=API, fail="").status_code == 500
    assert get(reader, "api-token", resource=API).status_code == 200
    assert len(logto.requests.to("token")) == 1
