"""A plan that is interrupted half-way: the next run applies the rest."""

from __future__ import annotations

import io
from typing import Any

import pytest

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.exceptions import ConfigurationError, ManagementAPIError
from logto_auth.management_api import ManagementAPI
from logto_auth.tenant import apply_plan, make_plan, site_declaration
from tests.management_commands import SITE, Run

from .tenant_state import API, snapshot

# The changes that the bookstore's declaration makes in an empty tenant.
STEPS = 30
REFUSAL = HttpFault(status=422, body='{"code": "quota.exceeded", "message": "No more of them."}')


# Every third step: each kind of object is among them.
@pytest.mark.parametrize("steps", range(0, STEPS, 3))
def test_next_run_completes_interrupted_run(api: ManagementAPI, run: Run, fresh: Emulator, steps: int) -> None:
    found = make_plan(api, site_declaration([SITE]))
    done: list[Any] = []

    def interrupt(step: Any = None) -> None:
        done.extend([step] if step else [])
        if len(done) == steps:
            fresh.faults.http["management_api"] = REFUSAL

    interrupt()
    with pytest.raises(ManagementAPIError, match=r"quota\.exceeded"):
        apply_plan(found, interrupt)
    fresh.faults.clear()
    rest = make_plan(api, site_declaration([SITE]))
    assert len(rest.changes) == STEPS - steps
    apply_plan(rest)
    interrupted = snapshot(fresh)
    assert make_plan(api, site_declaration([SITE])).changes == []
    fresh.tenant.clear()
    fresh.tenant.add_application(name="Setup", type="MachineToMachine")
    assert fresh.tenant.sign_in_experience.unknown_session_redirect_url is None
    apply_plan(make_plan(api, site_declaration([SITE])))
    assert interrupted == snapshot(fresh)


def test_interrupted_run_reports_number_of_applied_steps(run: Run, fresh: Emulator) -> None:
    class Interrupting(io.StringIO):
        def write(self, text: str) -> int:
            if text.startswith("done: role admin"):
                fresh.faults.http["management_api"] = REFUSAL
            return super().write(text)

    result = run("logto_setup", "--yes", stdout=Interrupting())
    assert result.code == 2
    assert "422: quota.exceeded: No more of them." in result.error
    assert result.error.endswith("Done: 12 of 30. Run the command again to apply the rest.")
    fresh.faults.clear()
    again = run("logto_setup", "--yes")
    assert again.code == 0
    assert "done: organization role staff" in again.out
    assert "done: role admin" not in again.out
    assert run("logto_setup", "--check").code == 0


def test_object_created_without_response_is_found_again(run: Run, fresh: Emulator) -> None:
    class LosesTheAnswer(io.StringIO):
        def write(self, text: str) -> int:
            if text.startswith("done: token exchange"):
                fresh.faults.http["management_api"] = HttpFault(truncate_after=0, times=1)
            return super().write(text)

    result = run("logto_setup", "--yes", stdout=LosesTheAnswer())
    assert (result.code, fresh.tenant.find_resource(API) is None) == (2, False)
    assert f"done: API resource {API}\n" not in run("logto_setup", "--yes").out
    assert run("logto_setup", "--check").code == 0


def test_object_created_by_others_stops_the_run(api: ManagementAPI, run: Run, fresh: Emulator) -> None:
    first, second = make_plan(api, site_declaration([SITE])), make_plan(api, site_declaration([SITE]))
    apply_plan(first)
    with pytest.raises(ConfigurationError, match='An application "Bookstore" was created in the meantime'):
        apply_plan(second)
    assert run("logto_setup", "--check").code == 0
    fresh.tenant.delete_role(fresh.tenant.find_role("editor"))
    first, second = make_plan(api, site_declaration([SITE])), make_plan(api, site_declaration([SITE]))
    apply_plan(first)
    with pytest.raises(ManagementAPIError, match=r"role\.name_in_use"):
        apply_plan(second)
    assert run("logto_setup", "--check").code == 0
