"""Declared webhook events that the tenant does not have."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import Any

import pytest

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.exceptions import ConfigurationError
from logto_auth.management_api import ManagementAPI
from logto_auth.tenant import WEBHOOK_EVENTS, TenantDeclaration, make_plan
from logto_auth.tenant.webhook_events import EVENTS_OF_ALL_VERSIONS, KNOWN_EVENTS, check_events, events_in
from tests.management_commands import Run
from tests.recorded import FOLDER

from .tenant_state import writes

DOCUMENT = ".well-known/management.openapi.json"
TENANT = TenantDeclaration(application="Shop", webhook_events=[*WEBHOOK_EVENTS, "User.Delted"])
NEWER = replace(TENANT, webhook_events=[*WEBHOOK_EVENTS, "Planet.Discovered"])


def document_with(*events: str) -> str:
    schema = {"properties": {"events": {"items": {"enum": list(events)}}}}
    body = {"requestBody": {"content": {"application/json": {"schema": schema}}}}
    return json.dumps({"paths": {"/api/hooks": {"post": body}}})


def test_known_events_are_those_of_the_recorded_document() -> None:
    document = json.loads(gzip.decompress((FOLDER / "1.42/openapi/management.json.gz").read_bytes()))
    assert len(events_in(document)) == 29
    assert events_in(document) - {"Grant.LimitExceeded"} == EVENTS_OF_ALL_VERSIONS
    assert {each.partition(".")[0] for each in KNOWN_EVENTS - events_in(document)} == {"TrustedDevice"}
    assert set(WEBHOOK_EVENTS) <= EVENTS_OF_ALL_VERSIONS


@pytest.mark.parametrize("arguments", [["--check"], ["--yes"]])
def test_unknown_event_is_refused_before_anything_is_sent(
    run: Run, fresh: Emulator, settings: Any, arguments: list[str]
) -> None:
    settings.LOGTO_TENANT = f"{__name__}.TENANT"
    result = run("logto_setup", *arguments)
    assert (result.code, result.error) == (
        2,
        'Logto has no webhook event "User.Delted". Did you mean "User.Deleted"?',
    )
    assert writes(fresh) == []
    assert not fresh.tenant.hooks


def test_event_of_a_newer_logto_is_accepted_if_the_tenant_has_it(api: ManagementAPI, fresh: Emulator) -> None:
    assert "Planet.Discovered" in check_events(api, NEWER.webhook_events, ())[0]
    fresh.faults.http["openapi"] = HttpFault(body=document_with(*KNOWN_EVENTS, "Planet.Discovered"))
    assert check_events(api, NEWER.webhook_events, ()) == []


def test_event_that_an_older_tenant_lacks_is_refused(api: ManagementAPI, fresh: Emulator) -> None:
    fresh.faults.http["openapi"] = HttpFault(body=document_with(*EVENTS_OF_ALL_VERSIONS))
    (error,) = check_events(api, ["Grant.LimitExceeded"], ())
    assert error.startswith('Logto has no webhook event "Grant.LimitExceeded".')


@pytest.mark.parametrize(
    "fault", [HttpFault(status=404, body="{}"), HttpFault(body="<p>"), HttpFault(body='{"paths": []}')]
)
def test_known_events_count_without_a_document(api: ManagementAPI, fresh: Emulator, fault: HttpFault) -> None:
    fresh.faults.http["openapi"] = fault
    assert check_events(api, ["Grant.LimitExceeded", "User.Deleted"], ()) == []
    assert len(check_events(api, ["Planet.Discovered"], ())) == 1


def test_document_is_not_read_for_events_of_all_versions(api: ManagementAPI, fresh: Emulator) -> None:
    fresh.requests.clear()
    assert check_events(api, EVENTS_OF_ALL_VERSIONS, ()) == []
    assert check_events(api, ["Planet.Discovered"], ["Planet.Discovered"]) == []
    assert not any(DOCUMENT in each.path for each in fresh.requests)


def test_plan_without_a_webhook_checks_no_events(api: ManagementAPI, fresh: Emulator) -> None:
    assert make_plan(api, replace(TENANT, webhook_url="")).steps == []
    with pytest.raises(ConfigurationError, match=r"User\.Delted"):
        make_plan(api, replace(TENANT, webhook_url="http://testserver/webhooks/logto"))
