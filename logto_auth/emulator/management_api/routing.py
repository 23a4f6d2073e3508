"""Routes written as Logto writes them, their bodies and answers, and the events they cause."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from http import HTTPStatus
from typing import Any, Concatenate, ParamSpec

from flask import Blueprint, Response, g, request

from logto_auth.emulator.oidc.http import caller_ip, json_response
from logto_auth.emulator.provider import Provider, current
from logto_auth.emulator.state.tenant import Tenant
from logto_auth.emulator.state.tenant_tables import DuplicateError

from .access import check_access
from .api_errors import APIError, invalid_input
from .schemas import Misfit, Schema

blueprint = Blueprint("management_api", __name__, url_prefix="/api")

# What anybody may ask, without a token.
public = Blueprint("public_management_api", __name__, url_prefix="/api")

# koa-body's limit for JSON.
_MAX_BODY_BYTES = 1024 * 1024

_Parameters = ParamSpec("_Parameters")
_View = Callable[Concatenate[Tenant, _Parameters], Any]


@public.get("/status")
def _show_status() -> Response:
    return Response(status=204)


@blueprint.before_request
def _check_access() -> None:
    request.max_content_length = _MAX_BODY_BYTES
    check_access(current())


@blueprint.errorhandler(APIError)
def _refuse(error: APIError) -> Response:
    return json_response(error.body(), status=error.status)


def route(
    method: str, path: str, *, status: int = 200, event: str | None = None, alone: bool = True
) -> Callable[[_View[_Parameters]], _View[_Parameters]]:
    """Serve a route, such as `/users/:userId`, with what the view returns: JSON, or nothing.

    The view gets the tenant and the parameters in snake case. Nobody else changes anything meanwhile, but where a view
    that waits for others is not `alone`. `event` is announced to webhooks with the answer as its data.
    """

    def register(view: _View[_Parameters]) -> _View[_Parameters]:
        def answer(**parameters: str) -> Response:
            g.matched_route = path
            response = _answer(view, parameters, status, alone)
            if event is not None:
                announce(event, status=response.status_code, after=_data_of(response))
            return response

        rule = re.sub(r":(\w+)", r"<\1>", path)
        blueprint.add_url_rule(rule, f"{method} {path}", answer, methods=[method])
        return view

    return register


def body(schema: Schema) -> Any:
    """Return the request's body as the schema has it."""
    return fitted(request.get_json() if request.is_json else {}, schema)


def fitted(value: Any, schema: Schema, *, part: str = "body") -> Any:
    """Return the value as the schema has it, or refuse the request."""
    try:
        return schema(value, ())
    except Misfit as misfit:
        raise invalid_input(misfit.issues, part=part) from None


def announce(
    event: str, *, status: int, before: dict[str, Any] | None = None, after: dict[str, Any] | None = None
) -> None:
    """Tell webhooks of an event of this request. `before` and `after` it stand the members that are the event's own."""
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
        "params": dict(request.view_args or {}),
        "matchedRoute": g.matched_route,
        **(after or {}),
    }
    webhooks.announce(payload)


def _answer(view: Callable[..., Any], parameters: dict[str, str], status: int, alone: bool) -> Response:
    provider = current()
    snake = {re.sub(r"[A-Z]", lambda letter: f"_{letter[0].lower()}", name): each for name, each in parameters.items()}
    try:
        with _both_locked(provider) if alone else nullcontext():
            result = view(provider.tenant, **snake)
    except DuplicateError as error:
        raise APIError(error.code) from error
    if isinstance(result, Response):
        return result
    if result is None:
        text = "" if status == HTTPStatus.NO_CONTENT else HTTPStatus(status).phrase
        return Response(text, status, content_type="text/plain; charset=utf-8")
    return json_response(result, status=status)


@contextmanager
def _both_locked(provider: Provider) -> Iterator[None]:
    """Lock in the one order: ending a user locks, within the tenant's lock, what the token endpoint locks first."""
    with provider.instances.lock, provider.tenant.lock:
        yield


def _data_of(response: Response) -> dict[str, Any]:
    return {"data": response.get_json()} if response.is_json else {}
