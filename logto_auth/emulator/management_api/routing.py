"""Registration of routes in Logto's notation, request bodies, responses, and webhook events."""

from __future__ import annotations

import json
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
from .api_errors import APIError, BrokenBody, invalid_input, no_values
from .schemas import Misfit, Schema

blueprint = Blueprint("management_api", __name__, url_prefix="/api")

# Routes that need no access token.
public = Blueprint("public_management_api", __name__, url_prefix="/api")

# koa-body's limit for JSON.
_MAX_BODY_BYTES = 1024 * 1024

_Parameters = ParamSpec("_Parameters")
_View = Callable[Concatenate[Tenant, _Parameters], Any]


def no_content() -> Response:
    """Return a 204, which has no content type."""
    response = Response(status=HTTPStatus.NO_CONTENT)
    del response.headers["Content-Type"]
    return response


@public.get("/status")
def _show_status() -> Response:
    return no_content()


@blueprint.before_request
def _check_access() -> None:
    request.max_content_length = _MAX_BODY_BYTES
    check_access(current())


@blueprint.errorhandler(APIError)
def _refuse(error: APIError) -> Response:
    return json_response(error.body(), status=error.status)


@blueprint.errorhandler(BrokenBody)
def _refuse_broken_body(error: BrokenBody) -> Response:
    return json_response({"message": str(error)}, status=400)


def route(
    method: str, path: str, *, status: int = 200, event: str | None = None, exclusive: bool = True
) -> Callable[[_View[_Parameters]], _View[_Parameters]]:
    """Return a decorator that serves a view at a path such as `/users/:userId`.

    The view receives the tenant and the path parameters in snake case, and returns JSON data, a response, or None for
    an empty body. It runs under the locks of the tenant; `exclusive=False` is for a view that waits for other servers.
    `event` is sent to webhooks with the response body as its data.
    """

    def register(view: _View[_Parameters]) -> _View[_Parameters]:
        def answer(**parameters: str) -> Response:
            g.matched_route = path
            response = _answer(view, parameters, status, exclusive)
            if event is not None:
                announce(event, status=response.status_code, after=_data_of(response))
            return response

        rule = re.sub(r":(\w+)", r"<\1>", path)
        blueprint.add_url_rule(rule, f"{method} {path}", answer, methods=[method])
        return view

    return register


def body(schema: Schema) -> Any:
    """Return the validated body of the request, which is JSON or a form. Raise APIError if it does not fit."""
    return fitted(_parsed_body(), schema)


def changes(schema: Schema) -> dict[str, Any]:
    """Return the validated body of a change. Raise 422 `entity.invalid_input` if it changes nothing."""
    given: dict[str, Any] = body(schema)
    if not given:
        raise no_values()
    return given


def fitted(value: Any, schema: Schema, *, part: str = "body") -> Any:
    """Return the validated value. Raise APIError if it does not match the schema."""
    try:
        return schema(value, ())
    except Misfit as misfit:
        raise invalid_input(misfit.issues, part=part) from None


def _parsed_body() -> Any:
    if not request.is_json:
        return {name: values if len(values) > 1 else values[0] for name, values in request.form.lists()}
    text = request.get_data(as_text=True)
    try:
        value = json.loads(text) if text.strip() else {}
    except ValueError as error:
        position = getattr(error, "pos", len(text))
        is_cut = not text[position:].strip()
        message = "Unexpected end of JSON input" if is_cut else f"Unexpected token in JSON at position {position}"
        raise BrokenBody(message) from None
    if not isinstance(value, dict | list):
        raise BrokenBody("invalid JSON, only supports object and array")
    return value


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


def _answer(view: Callable[..., Any], parameters: dict[str, str], status: int, exclusive: bool) -> Response:
    provider = current()
    snake = {re.sub(r"[A-Z]", lambda letter: f"_{letter[0].lower()}", name): each for name, each in parameters.items()}
    try:
        with _both_locked(provider) if exclusive else nullcontext():
            result = view(provider.tenant, **snake)
    except DuplicateError as error:
        raise APIError(error.code, **error.values) from error
    if isinstance(result, Response):
        return result
    if result is None and status == HTTPStatus.NO_CONTENT:
        return no_content()
    if result is None:
        return Response(HTTPStatus(status).phrase, status, content_type="text/plain; charset=utf-8")
    return json_response(result, status=status)


@contextmanager
def _both_locked(provider: Provider) -> Iterator[None]:
    """Take both locks, always in this order. The token endpoint takes the first; ending a user takes both."""
    with provider.instances.lock, provider.tenant.lock:
        yield


def _data_of(response: Response) -> dict[str, Any]:
    return {"data": response.get_json()} if response.is_json else {}
