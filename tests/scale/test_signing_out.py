"""A sign-out at Logto reaches one process and counts for all."""

from __future__ import annotations

import pytest

from .stage import APP_ID, Person, Stage

pytestmark = [pytest.mark.postgresql, pytest.mark.redis]


@pytest.mark.parametrize("engine", ["db", "cache", "cached_db"])
def test_a_sign_out_at_logto_ends_the_session_in_all_processes_at_once(stage: Stage, engine: str) -> None:
    site = stage.site(engine=engine)
    stage.application.backchannel_logout_uri = f"{site.url}/back-channel-logout"
    stage.application.backchannel_logout_session_required = True
    reader = Person(site, stage.emulator).sign_in()
    colleague = Person(site, stage.emulator).sign_in()

    def ask() -> list[tuple[str, str]]:
        answers = reader.get_at_once(["/"] * 60)
        return [(answer.json()["user"], answer.headers["X-Worker"]) for answer in answers]

    before = ask()
    assert {user for user, _ in before} == {"reader"}
    # Logto calls the site itself, before the browser is told that it is signed out.
    reader.logto.sign_out(f"{stage.emulator.endpoint}/oidc/session/end?client_id={APP_ID}")
    after = ask()
    assert {user for user, _ in after} == {None}
    assert len({worker for _, worker in before} & {worker for _, worker in after}) > 1
    assert colleague.user == "reader", "the same person in another browser"
    assert stage.count("logto_auth_logtosession") == 1
