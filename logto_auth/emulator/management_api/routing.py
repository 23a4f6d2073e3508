"""Registration of routes in Logto's notation, and webhook events."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Concatenate, ParamSpec

from flask import Blueprint, Response, g, request

from logto_auth.emulator.api.answers import answer, no_content, refuse_with_logtos_json, rule_of
from logto_auth.emulator.api.bodies import MAX_BODY_BYTES
from logto_auth.emulator.oidc.http import caller_ip
from logto_auth.emulator.provider import current
from logto_auth.emulator.state.tenant import Tenant

from .access import check_access

blueprint = Blueprint("management_api", __name__, url_prefix="/api")

# Routes that need no access token.
public = Blueprint("public_management_api", __name__, url_prefix="/api")

_Parameters = ParamSpec("_Parameters")
_View = Callable[Concatenate[Tenant, _Parameters], Any]

refuse_with_logtos_json(blueprint)


@public.get("/status")
def _show_status() -> Response:
    return no_content()


@blueprint.before_request
def _check_access() -> None:
    request.max_content_length = MAX_BODY_BYTES
    check_access(current())


def route(
    method: str, path: str, *, status: int = 200, event: str | None = None, exclusive: bool = True
) -> Callable[[_View[_Parameters]], _View[_Parameters]]:
    """Return a decorator that serves a view at a path such as `/users/:userId`.

    The view receives the tenant and the path parameters in snake case, and returns JSON data, a response, or None for
    an empty body. It runs under the locks of the tenant; `exclusive=False` is for a view that waits for other servers.
    `event` is sent to webhooks with the response body as its data.
    """

    def register(view: _View[_Parameters]) -> _View[_Parameters]:
        def respond(**parameters: str) -> Response:
            g.matched_route = path
            response = answer(partial(view, current().tenant), parameters, status=status, exclusive=exclusive)
            if event is not None:
                announce(event, status=response.status_code, after=_data_of(response))
            return response

        blueprint.add_url_rule(rule_of(path), f"{method} {path}", respond, methods=[method])
        return view

    return register


def announce(
    event: str, *, status: int, before: dict[str, Any] | None = None, after: dict[str, Any] | None = None
) -> None:
    """Send an event of this request to webhooks. Fields of the event itself go `before` or `after` the common ones."""
    webhooks = current().webhooks
    payload = {
        "event": event,
        "createdAt": webhooks.now(),
        "userAgent": request.headers.get("User-Agent", ""),
        "ip": caller_ip(),
        **(before or {}),
        "path": request.path.removeprefix("/api"),
        "method": request.method,
        "status": status,
        "params": _parameters(),
        "matchedRoute": g.matched_route,
        **(after or {}),
    }
    webhooks.announce(payload)


def _parameters() -> dict[str, str]:
    """Return the path parameters. Logto's routes of one role have an unnamed one: the path below `/roles`."""
    below_roles = request.path.removeprefix("/api/roles")
    unnamed = {"0": below_roles} if below_roles.startswith("/") and below_roles != request.path else {}
    return {**unnamed, **(request.view_args or {})}


def _data_of(response: Response) -> dict[str, Any]:
    return {"data": response.get_json()} if response.is_json else {}
