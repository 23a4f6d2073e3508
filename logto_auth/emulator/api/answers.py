"""Responses of the APIs, and the locks under which their views run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response

from logto_auth.emulator.oidc.http import json_response
from logto_auth.emulator.provider import Provider, current
from logto_auth.emulator.state.refusals import Failed, Refused
from logto_auth.emulator.state.tenant_tables import DuplicateError

from .errors import APIError, BrokenBody


def no_content() -> Response:
    """Return a 204, which has no content type."""
    response = Response(status=HTTPStatus.NO_CONTENT)
    del response.headers["Content-Type"]
    return response


def refuse_with_logtos_json(blueprint: Blueprint) -> None:
    """Answer the errors of a blueprint's views as Logto does."""

    @blueprint.errorhandler(APIError)
    def refuse(error: APIError) -> Response:
        return json_response(error.body(), status=error.status)

    @blueprint.errorhandler(Refused)
    def refuse_change(error: Refused) -> Response:
        return refuse(APIError(error.code, error.status, data=error.data, **error.values))

    @blueprint.errorhandler(BrokenBody)
    def refuse_broken_body(error: BrokenBody) -> Response:
        return json_response({"message": str(error)}, status=400)

    @blueprint.errorhandler(Failed)
    def fail(error: Failed) -> Response:
        return json_response({"message": "Internal server error."}, status=500)


def rule_of(path: str) -> str:
    """Return a path in Logto's notation, such as `/users/:userId`, as a rule for Flask."""
    return re.sub(r":(\w+)", r"<\1>", path)


def answer(view: Callable[..., Any], parameters: dict[str, str], *, status: int, exclusive: bool = True) -> Response:
    """Call a view with the path parameters in snake case, and return its result as a response.

    A view returns JSON data, a response, or None for an empty body. It runs under the locks of the tenant, unless
    `exclusive` is false. Raise APIError for a duplicate.
    """
    snake = {re.sub(r"[A-Z]", lambda letter: f"_{letter[0].lower()}", name): each for name, each in parameters.items()}
    try:
        with _both_locked(current()) if exclusive else nullcontext():
            result = view(**snake)
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
