"""The requirement of certain applications, or of first-party ones: the rule, and what Logto is asked for it."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from logto_auth.access import MissingRequirement, Requirement, RequirementKind
from logto_auth.access.clients import COOL_DOWN_SECONDS, KEPT_SECONDS, RETRY_SECONDS, Applications, is_third_party
from logto_auth.clients import management_api, reset_clients
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.exceptions import ProviderError
from logto_auth.testing import Browser
from tests.recorded import recording

MANAGEMENT_API = "Logto Management API access"
LONGEST_URL = f"https://agent.example/{'a' * 2048}"[:2048]


def principal(client_id: str | None, **attributes: Any) -> Any:
    return SimpleNamespace(client_id=client_id, roles=(), **attributes)


def missing(client_id: str | None, **parts: Any) -> MissingRequirement | None:
    return Requirement.of(**parts).missing_from(principal(client_id))


# The rule


@pytest.mark.parametrize("client_id", ["app1", "app2", LONGEST_URL])
def test_each_listed_application_is_accepted(client_id: str) -> None:
    assert missing(client_id, clients=["app1", "app2", LONGEST_URL]) is None


@pytest.mark.parametrize("client_id", ["app", "app12", "APP1", f"{LONGEST_URL[:-1]}b", "", None])
def test_other_applications_are_refused(client_id: str | None) -> None:
    refused = missing(client_id, clients=["app1", LONGEST_URL])
    assert refused is not None
    assert refused.kind is RequirementKind.CLIENT


def test_application_is_checked_before_the_rest() -> None:
    # Further scopes, for which a client would ask the user, would not help.
    refused = missing("other", clients="app1", roles=["editor"], scopes=["read:books"])
    assert refused == MissingRequirement(RequirementKind.CLIENT, ("other",))
    assert missing("app1", clients="app1", roles=["editor"]) == MissingRequirement(RequirementKind.ROLE, ("editor",))


def test_refused_url_is_shortened() -> None:
    refused = missing(LONGEST_URL, clients="app1")
    assert refused is not None
    assert refused.names == (LONGEST_URL[:200],)
    assert str(refused) == "The application that you use does not have access."


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ({"clients": []}, ValueError),
        ({"clients": ""}, ValueError),
        ({"clients": ["app1", ""]}, ValueError),
        ({"clients": [None]}, ValueError),
        ({"clients": [1]}, ValueError),
        ({"clients": b"app1"}, ValueError),
        ({"clients": "app1 app2"}, ValueError),
        ({"clients": "app1\x00"}, ValueError),
        ({"clients": f"{LONGEST_URL}a"}, ValueError),
        ({"clients": 1}, TypeError),
        ({"third_party": True}, ValueError),
        ({"third_party": 0}, ValueError),
        ({"third_party": "no"}, ValueError),
    ],
    ids=lambda part: str(part)[:40],
)
def test_wrong_declaration_is_refused(parts: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error, match=f"{next(iter(parts))} is ") as caught:
        Requirement.of(**parts)
    assert len(str(caught.value)) < 500


# Third-party applications


@pytest.fixture
def applications(logto: Emulator, settings: Any) -> Any:
    """The ids of applications in the tenant, in which the site may use the Management API."""
    add = logto.tenant.add_application
    machine = add(name="Machine", type="MachineToMachine", roles=[MANAGEMENT_API])
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    reset_clients()
    own, foreign = add(name="Own", type="Native"), add(name="Foreign", type="Native", is_third_party=True)
    return SimpleNamespace(own=own.id, foreign=foreign.id, machine=machine.id)


def asked(logto: Emulator) -> list[str]:
    """Return the paths about which the Management API was asked."""
    return [request.path for request in logto.requests.to("management_api")]


def test_logto_says_which_application_is_third_party(applications: Any, logto: Emulator) -> None:
    assert [is_third_party(each) for each in (applications.own, applications.foreign)] == [False, True]
    assert missing(applications.own, third_party=False) is None
    assert missing(applications.foreign, third_party=False) == MissingRequirement(
        RequirementKind.CLIENT, (applications.foreign,)
    )
    assert asked(logto) == [f"/api/applications/{id}" for id in (applications.own, applications.foreign)], "once each"


def test_own_and_listed_applications_are_known(applications: Any, logto: Emulator, settings: Any) -> None:
    settings.LOGTO_FIRST_PARTY_APPS = ["listed", LONGEST_URL]
    known = [settings.LOGTO_APP_ID, settings.LOGTO_M2M_APP_ID, "listed", LONGEST_URL]
    assert not any(map(is_third_party, known))
    assert asked(logto) == []


@pytest.mark.parametrize(
    "client_id", [LONGEST_URL, "https://agent.example/a", "../users", "a/b", "a?b", "é", "a" * 200]
)
def test_client_that_is_no_app_id_is_third_party(client_id: str, applications: Any, logto: Emulator) -> None:
    assert is_third_party(client_id)
    assert asked(logto) == []


def test_deleted_application_is_third_party(applications: Any, logto: Emulator) -> None:
    logto.tenant.delete_application(applications.own)
    assert is_third_party(applications.own)


def test_signed_out_principal_has_no_application(applications: Any) -> None:
    assert missing(None, third_party=False) == MissingRequirement(RequirementKind.CLIENT)


@pytest.mark.parametrize("name", ["LOGTO_M2M_APP_ID", "LOGTO_M2M_APP_SECRET"])
def test_without_management_api_all_others_are_third_party(
    name: str, applications: Any, logto: Emulator, settings: Any
) -> None:
    setattr(settings, name, "")
    assert is_third_party(applications.own)
    assert not is_third_party(settings.LOGTO_APP_ID)
    assert asked(logto) == []


def test_machine_without_permission_is_logged(applications: Any, logto: Emulator, caplog: Any) -> None:
    logto.tenant.applications[applications.machine].roles.clear()
    assert is_third_party(applications.own)
    assert "may not use the Management API" in caplog.text
    assert "unless LOGTO_FIRST_PARTY_APPS contains it" in caplog.text


@pytest.mark.parametrize(
    "fault",
    [
        HttpFault(status=500),
        HttpFault(status=429, headers={"Retry-After": "7"}),
        HttpFault(status=404, body="<h1>Not Found</h1>"),
        HttpFault(status=403, body='{"code": "auth.forbidden"}'),
        HttpFault(body="[]"),
        HttpFault(body="null"),
        HttpFault(body="<h1>Maintenance</h1>"),
        HttpFault(drop=True),
        HttpFault(delay_seconds=1),
    ],
    ids=["500", "429", "404-of-a-proxy", "403", "list", "null", "html", "drop", "slow"],
)
def test_failure_of_logto_is_no_answer(fault: HttpFault, applications: Any, spoil: Any) -> None:
    spoil("management_api", fault)
    with pytest.raises(ProviderError):
        is_third_party(applications.foreign)


def test_rotated_keys_are_no_failure(applications: Any, logto: Emulator) -> None:
    assert not is_third_party(applications.own)
    logto.rotate_keys()
    logto.rotate_keys()
    assert is_third_party(applications.foreign), "with a new token of the Management API"


@pytest.mark.parametrize("body", ["{}", '{"isThirdParty": null}', '{"isThirdParty": "false"}', '{"isThirdParty": 0}'])
def test_other_shape_of_the_answer_is_third_party(body: str, applications: Any, spoil: Any) -> None:
    spoil("management_api", HttpFault(body=body))
    assert is_third_party(applications.own)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mgmt_application_created", False),
        ("tokens/third_party_application", True),
        ("errors/application_unknown", True),
    ],
)
def test_recorded_answers(name: str, expected: bool, applications: Any, spoil: Any) -> None:
    answer = recording(name, "1.42")
    spoil("management_api", HttpFault(status=answer["status"], body=json.dumps(answer["body"])))
    assert is_third_party("nope") is expected


# What is kept


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kept(applications: Any, clock: Clock) -> Applications:
    return Applications(management_api(max_tries=1), clock=clock)


def test_answer_is_kept_for_its_time(kept: Applications, applications: Any, logto: Emulator, clock: Clock) -> None:
    assert not kept.is_third_party(applications.own)
    logto.tenant.delete_application(applications.own)
    clock.now = KEPT_SECONDS - 1
    assert not kept.is_third_party(applications.own)
    clock.now = KEPT_SECONDS
    assert kept.is_third_party(applications.own)


def test_old_answer_is_used_while_logto_is_down(
    kept: Applications, applications: Any, logto: Emulator, clock: Clock
) -> None:
    assert not kept.is_third_party(applications.own)
    logto.faults.http["management_api"] = HttpFault(status=500)
    for clock.now in (KEPT_SECONDS, KEPT_SECONDS + COOL_DOWN_SECONDS - 1):
        assert not kept.is_third_party(applications.own)
    assert len(asked(logto)) == 2, "the failure is shared"


def test_failure_without_an_answer_is_shared_briefly(
    kept: Applications, applications: Any, logto: Emulator, clock: Clock
) -> None:
    logto.faults.http["management_api"] = HttpFault(status=500)
    for clock.now in (0, RETRY_SECONDS - 1):
        with pytest.raises(ProviderError, match="Logto does not say whether"):
            kept.is_third_party(applications.own)
    assert len(asked(logto)) == 1
    del logto.faults.http["management_api"]
    clock.now = RETRY_SECONDS
    assert not kept.is_third_party(applications.own)


def test_threads_share_one_call(kept: Applications, applications: Any, logto: Emulator) -> None:
    barrier = threading.Barrier(8)

    def ask(_: int) -> bool:
        barrier.wait()
        return kept.is_third_party(applications.own)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {False}
    assert len(asked(logto)) == 1


def test_memory_is_bounded(kept: Applications, applications: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logto_auth.access.clients.MAX_REMEMBERED", 3)
    for number in range(5):
        assert kept.is_third_party(f"unknown{number}")
    assert list(kept._answers) == ["unknown2", "unknown3", "unknown4"]


# Sessions


@pytest.mark.django_db
def test_session_belongs_to_the_site(browser: Browser, reader: Any, settings: Any) -> None:
    settings.LOGTO_CREATE_USERS = True
    logto = browser.client.get("/").wsgi_request.logto
    assert logto.client_id is None
    browser.sign_in("reader")
    logto = browser.client.get("/").wsgi_request.logto
    assert logto.client_id == settings.LOGTO_APP_ID
    assert Requirement.of(clients=settings.LOGTO_APP_ID, third_party=False).missing_from(logto) is None
    assert Requirement.of(clients="app1").missing_from(logto) == MissingRequirement(
        RequirementKind.CLIENT, (settings.LOGTO_APP_ID,)
    )
