"""What the client makes of answers of Logto's that are no JSON."""

from __future__ import annotations

from typing import Any

import pytest

from logto_auth.clients import management_api
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.exceptions import ProviderError
from logto_auth.management_api import ManagementAPI


@pytest.fixture
def api(logto: Emulator, settings: Any) -> ManagementAPI:
    machine = logto.tenant.add_application(
        name="Machine", type="MachineToMachine", roles=["Logto Management API access"]
    )
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    return management_api()


def test_an_answer_in_plain_text_has_nothing_to_say(api: ManagementAPI, logto: Emulator) -> None:
    role, user = logto.tenant.add_role("reader"), logto.tenant.add_user()
    assert api.request("POST", f"roles/{role.id}/users", json={"userIds": [user.id]}) is None
    assert user.roles == ["reader"]


def test_a_page_in_place_of_an_answer_is_an_error(api: ManagementAPI, logto: Emulator) -> None:
    logto.faults.http["management_api"] = HttpFault(body="<p>Hello</p>", headers={"Content-Type": "text/html"})
    with pytest.raises(ProviderError, match="something that is not JSON"):
        next(api.organizations.all())
