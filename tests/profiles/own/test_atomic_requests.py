"""What must outlast the transaction of a view that fails."""

from __future__ import annotations

from typing import Any

from logto_auth.emulator import Emulator
from logto_auth.testing import Browser
from tests.profiles.site.visitors import account, deliver, get, is_signed_in
from tests.rights import API
from tests.webhooks.deliveries import user_event


def test_token_of_failed_view_is_kept(reader: Browser, logto: Emulator) -> None:
    reader.client.raise_request_exception = False
    logto.requests.clear()
    assert get(reader, "api-token", resource=API, fail="").status_code == 500
    assert get(reader, "api-token", resource=API).status_code == 200
    assert len(logto.requests.to("token")) == 1


def test_suspension_outlasts_error_of_sites_function(reader: Browser, settings: Any) -> None:
    settings.LOGTO_USER_FIELDS = f"{__name__}.broken"
    assert deliver(user_event("User.SuspensionStatus.Updated", "reader000001", isSuspended=True)) == 500
    assert not account("reader000001").is_active
    assert not is_signed_in(reader)


def broken(claims: Any) -> dict[str, Any]:
    raise RuntimeError("The function of the site is broken.")
