"""The sample payloads of test deliveries. Source: recorded from Logto 1.42."""

from __future__ import annotations

from typing import Any

from logto_auth.emulator.provider import Provider
from logto_auth.emulator.state.webhook_events import INTERACTION_EVENTS

_REQUEST = {
    "path": "/fake-path/:id",
    "method": "POST",
    "status": 200,
    "params": {"id": "fake-id"},
    "data": {"result": "success"},
}
_USER = {
    "id": "fake-id",
    "username": "fake-user",
    "primaryEmail": "fake-user@fake-service.com",
    "primaryPhone": "1234567890",
    "name": "Fake User",
    "avatar": "https://fake-service.com/avatars/fake-user.png",
    "customData": {"theme": "light"},
    "identities": {"google": {"userId": "fake-google-user-id"}},
    "profile": {},
    "applicationId": "fake-application-id",
}
_APPLICATION = {
    "id": "fake-spa-application-id",
    "type": "SPA",
    "name": "Fake Application",
    "description": "Fake application data for testing",
}


def sample_payload(provider: Provider, event: str, hook_id: str) -> dict[str, Any]:
    """Return the payload that a test sends for an event."""
    now = provider.webhooks.now()
    common = {"event": event, "hookId": hook_id, "createdAt": now, "userAgent": "fake-user-agent"}
    if event not in INTERACTION_EVENTS:
        return {**common, **_REQUEST}
    return {
        **common,
        "sessionId": "fake-session-id",
        "userIp": "fake-user-ip",
        "userId": "fake-id",
        "user": _sample_user(provider),
        "application": _APPLICATION,
    }


def _sample_user(provider: Provider) -> dict[str, Any]:
    now = provider.clock.now_ms()
    cimd = {"cimdClientId": None} if provider.tenant.version.users_have_cimd_client_id else {}
    return {**_USER, **cimd, "isSuspended": False, "lastSignInAt": now, "createdAt": now, "updatedAt": now}
