"""`/api/hooks`: webhooks, test deliveries and recent logs."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from flask import Response, request

from logto_auth.emulator.api.bodies import body, changes
from logto_auth.emulator.api.errors import APIError, not_exists, refused_input
from logto_auth.emulator.api.schemas import (
    Schema,
    boolean,
    choice,
    integer,
    list_of,
    object_of,
    optional,
    record_of,
    text,
)
from logto_auth.emulator.provider import current
from logto_auth.emulator.state import ids
from logto_auth.emulator.state.json_columns import jsonb
from logto_auth.emulator.state.records import Hook
from logto_auth.emulator.state.tenant import Tenant
from logto_auth.emulator.state.webhook_events import events_of
from logto_auth.emulator.webhook_delivery import Delivery, encoded

from .hook_samples import sample_payload
from .lookup import existing
from .paging import optionally_paged, paged
from .routing import route

_DAY_MS = 86400 * 1000

_config = object_of(url=text(), headers=optional(record_of(text())), retries=optional(integer(at_least=0, at_most=3)))
_fields = {"name": optional(text(at_least=1, at_most=256)), "enabled": optional(boolean)}


@route("GET", "/hooks")
def list_hooks(tenant: Tenant) -> Response:
    return optionally_paged(list(reversed(tenant.hooks.values())), _with_optional_stats_as_json)


@route("POST", "/hooks", status=201)
def create_hook(tenant: Tenant) -> dict[str, Any]:
    given = body(object_of(**_fields, events=optional(_events(tenant)), config=_config))
    if "events" not in given:
        raise APIError("hook.missing_events", 400)
    hook = tenant.add_hook(
        given["config"]["url"], given["events"], name=given.get("name", ""), enabled=given.get("enabled", True)
    )
    hook.config = given["config"]
    return _as_json(hook)


@route("GET", "/hooks/:id")
def show_hook(tenant: Tenant, id: str) -> dict[str, Any]:
    return _with_optional_stats_as_json(existing(tenant.hooks, id, "hooks"))


@route("PATCH", "/hooks/:id")
def change_hook(tenant: Tenant, id: str) -> dict[str, Any]:
    given = changes(object_of(**_fields, events=optional(_events(tenant)), config=optional(_config)))
    hook = _changed_hook(tenant, id)
    for name, value in given.items():
        setattr(hook, name, value)
    return _as_json(hook)


@route("PATCH", "/hooks/:id/signing-key")
def renew_signing_key(tenant: Tenant, id: str) -> dict[str, Any]:
    hook = _changed_hook(tenant, id)
    hook.signing_key = ids.secret()
    return _as_json(hook)


@route("DELETE", "/hooks/:id", status=204)
def delete_hook(tenant: Tenant, id: str) -> None:
    del tenant.hooks[existing(tenant.hooks, id).id]


@route("POST", "/hooks/:id/test", status=204, exclusive=False)
def send_test_payloads(tenant: Tenant, id: str) -> None:
    """Send a sample payload for each event to the given config, and wait. The webhook's own key signs them."""
    hook, given = existing(tenant.hooks, id), body(object_of(events=_events(tenant), config=_config))
    receiver, provider = replace(hook, config=given["config"]), current()
    for event in given["events"]:
        payload = sample_payload(provider, event, hook.id)
        delivery = provider.webhooks.post(receiver, event, encoded(payload))
        if delivery.status is None:
            raise APIError("hook.send_test_payload_failed", message="TypeError: fetch failed")
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
        raise refused_input("`start_time` and `end_time` are numbers.") from None
    found = [
        delivery
        for delivery in reversed(_deliveries_to(hook))
        if start <= delivery.created_at <= end and key in {None, _log_key(delivery)}
    ]
    return paged(found, len(found), _log_as_json)


def _events(tenant: Tenant) -> Schema:
    return list_of(choice(*events_of(tenant.version)), at_least=1)


def _changed_hook(tenant: Tenant, hook_id: str) -> Hook:
    if hook_id not in tenant.hooks:
        raise not_exists("hook")
    return tenant.hooks[hook_id]


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
    payload = {
        "key": _log_key(delivery),
        "result": "Success" if delivery.succeeded else "Error",
        **({} if delivery.succeeded else {"error": delivery.error or f"HTTPError: {delivery.status}"}),
    }
    sent: dict[str, Any] = {"hookId": delivery.hook_id, "hookRequest": {"body": json.loads(delivery.body)}}
    answered = {} if delivery.status is None else {"response": {"statusCode": delivery.status, "body": delivery.answer}}
    return {
        "id": delivery.id,
        "key": _log_key(delivery),
        "payload": {**payload, **jsonb({**sent, **answered})},
        "createdAt": delivery.created_at,
    }
