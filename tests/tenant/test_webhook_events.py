"""Declared webhook events that the tenant does not have."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.tenant import WEBHOOK_EVENTS
from logto_auth.tenant import webhook_events
from logto_auth.tenant.webhook_events import EVENTS_OF_ALL_VERSIONS, KNOWN_EVENTS, LATER_EVENTS, events_in
from tests.management_commands import Run

from .tenant_state import writes

DECLARATION = "tests.tenant.test_webhook_events.TENANT"
TENANT: Any = None
DOCUMENT = "/api/.well-known/management.openapi.json"


def declare(monkeypatch: pytest.MonkeyPatch, settings: Any, *events: str) -> None:
    from logto_auth.tenant import TenantDeclaration

    declared = TenantDeclaration(application="Shop", webhook_events=[*WEBHOOK_EVENTS, *events])
    monkeypatch.setitem(globals(), "TENANT", declared)
    settings.LOGTO_TENANT = DECLARATION


def document_with(*events: str) -> str:
    schema = {"properties": {"events": {"type": "array", "items": {"enum": list(events)}}}}
    return json.dumps(
        {"paths": {"/api/hooks": {"post": {"requestBody": {"content": {"application/json": {"schema": schema}}}}}}}
    )
