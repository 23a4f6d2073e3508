"""A sign-out at Logto reaches one process and ends the session in all."""

from __future__ import annotations

import pytest

from .deployment import APP_ID, Deployment, User

pytestmark = [pytest.mark.postgresql, pytest.mark.redis]


@pytest.mark.parametrize("engine", ["db", "cache", "cached_db"])
def test_sign_out_at_logto_ends_session_in_all_processes(deployment: Deployment, engine: str) -> None:
    site = deployment.site(engine=engine)
    deployment.application.backchannel_logout_uri = f"{site.url}/back-channel-logout"
    deployment.application.backchannel_logout_session_required = True
    reader = User(site, deployment.emulator).sign_in()
    colleague = User(site, deployment.emulator).sign_in()

    def ask() -> list[tuple[str, str]]:
        answers = reader.get_at_once(["/"] * 60)
        return [(answer.json()["user"], answer.headers["X-Worker"]) for answer in answers]

    before = ask()
    assert {user for user, _ in before} == {"reader"}
    # Logto calls the site before it responds to the browser.
    reader.logto.sign_out(f"{deployment.emulator.endpoint}/oidc/session/end?client_id={APP_ID}")
    after = ask()
    assert {user for user, _ in after} == {None}
    assert len({worker for _, worker in before} & {worker for _, worker in after}) > 1
    assert colleague.signed_in_as == "reader", "the same user in another browser"
    assert deployment.count("logto_auth_logtosession") == 1
