"""`/api/hooks`: webhooks, test deliveries and recent logs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Response, request

from logto_auth.emulator.provider import Provider, current
from logto_auth.emulator.state import ids
from logto_auth.emulator.state.records import Hook
from logto_auth.emulator.state.tenant import Tenant
from logto_auth.emulator.state.webhook_events import EVENTS, INTERACTION_EVENTS
from logto_auth.emulator.webhook_delivery import Delivery, encoded

from .api_errors import APIError
from .lookup import existing
from .paging import optionally_paged, paged
from .routing import body, route
from .schemas import boolean, choice, integer, list_of, object_of, optional, record_of, text

_DAY_MS = 86400 * 1000

_events = list_of(choice(*EVENTS))
_config = object_of(url=text(), headers=optional(record_of(text())), retries=optional(integer(at_least=0, at_most=3)))
_fields = {"name": optional(text(at_most=256)), "enabled": optional(boolean)}
_new = object_of(**_fields, events=optional(_events), config=_config)
_changes = object_of(**_fields, events=optional(_events), config=optional(_config))


@route("GET", "/hooks")
def list_hooks(tenant: Tenant) -> Response:
    return optionally_paged(list(reversed(tenant.hooks.values())), _with_optional_stats_as_json)


@route("POST", "/hooks", status=201)
def create_hook(tenant: Tenant) -> dict[str, Any]:
    given = body(_new)
    if not given.get("events"):
        raise APIError("hook.missing_events", 400)
    hook = tenant.add_hook(
        given["config"]["url"], given["events"], name=given.get("name", ""), enabled=given.get("enabled", True)
    )
    hook.config = given["config"]
    return _as_json(hook)


@route("GET", "/hooks/:id")
def show_hook(tenant: Tenant, id: str) -> dict[str, Any]:
    return _with_optional_stats_as_json(existing(tenant.hooks, id))


@route("PATCH", "/hooks/:id")
def change_hook(tenant: Tenant, id: str) -> dict[str, Any]:
    hook, given = existing(tenant.hooks, id), body(_changes)
    if given.get("events") == []:
        raise APIError("hook.missing_events", 400)
    for name, value in given.items():
        setattr(hook, name, value)
    return _as_json(hook)


@route("PATCH", "/hooks/:id/signing-key")
def renew_signing_key(tenant: Tenant, id: str) -> dict[str, Any]:
    hook = existing(tenant.hooks, id)
    hook.signing_key = ids.secret()
    return _as_json(hook)


@route("DELETE", "/hooks/:id", status=204)
def delete_hook(tenant: Tenant, id: str) -> None:
    del tenant.hooks[existing(tenant.hooks, id).id]


@route("POST", "/hooks/:id/test", status=204, exclusive=False)
def send_test_payloads(tenant: Tenant, id: str) -> None:
    """Send a sample payload for each event to the given config, and wait. The webhook's own key signs them."""
    hook, given = existing(tenant.hooks, id), body(object_of(events=_events, config=_config))
    receiver, provider = replace(hook, config=given["config"]), current()
    for event in given["events"]:
        payload = {**_sample_payload(provider, event), "hookId": hook.id}
        delivery = provider.webhooks.post(receiver, event, encoded(payload))
        if delivery.status is None:
            raise APIError("hook.send_test_payload_failed", data={"message": delivery.error})
        if not delivery.succeeded:
            data = {"responseStatus": delivery.status, "responseBody": delivery.answer}
            raise APIError("hook.endpoint_responded_with_error", data=data)


@route("GET", "/hooks/:id/recent-logs")
def list_recent_logs(tenant: Tenant, id: str) -> Response:
    hook, now, key = existing(tenant.hooks, id), current().clock.now_ms(), request.args.get("logKey")
    try:
        start = int(request.args.get("start_time", now - _DAY_MS))
        end = int(request.args.get("end_time", now))
    except ValueError:
        raise APIError("request.invalid_input", 400) from None
    found = [
        delivery
        for delivery in reversed(_deliveries_to(hook))
        if start <= delivery.created_at <= end and key in {None, _log_key(delivery)}
    ]
    return paged(found, len(found), _log_as_json)


def _as_json(hook: Hook) -> dict[str, Any]:
    return {
        "tenantId": "default",
        "id": hook.id,
        "name": hook.name,
        "event": hook.event,
        "events": hook.events,
        "config": hook.config,
        "signingKey": hook.signing_key,
        "enabled": hook.enabled,
        "createdAt": hook.created_at,
    }


def _with_optional_stats_as_json(hook: Hook) -> dict[str, Any]:
    if request.args.get("includeExecutionStats") != "true":
        return _as_json(hook)
    deliveries = _deliveries_to(hook)
    stats = {"successCount": sum(each.succeeded for each in deliveries), "requestCount": len(deliveries)}
    return {**_as_json(hook), "executionStats": stats}


def _deliveries_to(hook: Hook) -> list[Delivery]:
    return [delivery for delivery in list(current().webhooks.deliveries) if delivery.hook_id == hook.id]


def _log_key(delivery: Delivery) -> str:
    return f"TriggerHook.{delivery.event}"


def _log_as_json(delivery: Delivery) -> dict[str, Any]:
    answered = {"response": {"statusCode": delivery.status, "body": delivery.answer}}
    return {
        "id": delivery.id,
        "key": _log_key(delivery),
        "payload": {
            "key": _log_key(delivery),
            "result": "Success" if delivery.succeeded else "Error",
            "hookId": delivery.hook_id,
            **({"error": delivery.error} if delivery.status is None else answered),
        },
        "createdAt": delivery.created_at,
    }


def _sample_payload(provider: Provider, event: str) -> Mapping[str, Any]:
    now = provider.webhooks.now()
    if event in INTERACTION_EVENTS:
        return {
            "event": event,
            "interactionEvent": {"PostRegister": "Register", "PostResetPassword": "ForgotPassword"}.get(
                event, "SignIn"
            ),
            "createdAt": now,
            "sessionId": "fake-id",
            "userAgent": "fake-user-agent",
            "userId": "fake-id",
        }
    return {
        "event": event,
        "createdAt": now,
        "userAgent": "fake-user-agent",
        "path": "/fake-path/:id",
        "method": "POST",
        "status": 200,
        "params": {"id": "fake-id"},
        "matchedRoute": "/fake-path/:id",
        "data": {"result": "success"},
    }
