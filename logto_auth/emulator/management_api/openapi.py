"""The OpenAPI documents of the API. Like Logto's, they are shown without a token.

They have the paths of this emulator, and of their schemas only the webhook events.
"""

from __future__ import annotations

import re
from typing import Any

from flask import Response, current_app, request

from logto_auth.emulator.oidc.http import json_response
from logto_auth.emulator.provider import current
from logto_auth.emulator.state.webhook_events import events_of

from .routing import blueprint, public


@public.get("/swagger.json", endpoint="openapi")
@public.get("/.well-known/management.openapi.json", endpoint="openapi")
def show_document() -> Response:
    document = {
        "openapi": "3.0.1",
        # Logto shows "Cloud" in each of its versions.
        "info": {"title": "Logto API references", "version": "Cloud"},
        "servers": [{"url": request.host_url.rstrip("/"), "description": "Logto endpoint address."}],
        "paths": _paths(),
    }
    return json_response(document)


def _paths() -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for rule in current_app.url_map.iter_rules():
        if rule.endpoint.startswith(f"{blueprint.name}."):
            path = re.sub(r"<(\w+)>", r"{\1}", rule.rule)
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                paths.setdefault(path, {})[method.lower()] = {"responses": {}}
    if not current().tenant.version.has_cimd:
        del paths["/api/configs/cimd"]
    if not current().tenant.version.has_actions:
        paths = {path: methods for path, methods in paths.items() if not path.startswith("/api/configs/actions")}
    paths["/api/hooks"]["post"]["requestBody"] = _json_body({"events": {"type": "array", "items": _events()}})
    return paths


def _events() -> dict[str, Any]:
    return {"type": "string", "enum": list(events_of(current().tenant.version))}


def _json_body(properties: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": {"type": "object", "properties": properties}}}}
