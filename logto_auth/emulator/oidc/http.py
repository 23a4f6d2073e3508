"""Reading requests and writing responses as Logto does."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Response, abort, render_template, request
from markupsafe import escape

from . import errors

NO_STORE = {"Cache-Control": "no-store"}
_FORM = "application/x-www-form-urlencoded"


def request_form() -> dict[str, list[str]]:
    """Return the parameters of the body, which is a form or JSON. Raise OIDCError for another type."""
    check_content_type()
    if request.is_json:
        data = request.get_json(silent=True)
        return {key: [str(value)] for key, value in data.items()} if isinstance(data, dict) else {}
    return dict(request.form.lists())


def page_parameters(*, only_forms: bool) -> dict[str, list[str]]:
    """Return the parameters of a request of a browser, in the URL or in the body.

    With `only_forms`, answer 404 to another body than a form.
    """
    if request.method != "POST":
        return dict(request.args.lists())
    if only_forms and request.mimetype != _FORM:
        abort(404)
    return request_form()


def check_content_type() -> None:
    """Raise OIDCError if the body is neither a form nor JSON. A multipart form does not count."""
    if not request.is_json and request.mimetype not in ("", _FORM):
        raise errors.invalid_request(
            f"only {_FORM} content-type bodies are supported on {request.method} {request.path.removeprefix('/oidc')}"
        )


def single_parameters(lists: Mapping[str, list[str]], *, repeatable: Iterable[str] = ()) -> dict[str, str]:
    """Return the single value of each parameter, without empty and repeatable ones.

    Raise OIDCError for a parameter that occurs twice, and for a NUL byte.
    """
    if any("\0" in value for values in lists.values() for value in values):
        raise errors.invalid_request("request is invalid")
    single = {name: values for name, values in lists.items() if name not in set(repeatable)}
    twice = [name for name, values in single.items() if len(values) > 1]
    if twice:
        raise errors.repeated_parameters(*twice)
    return {name: values[0] for name, values in single.items() if values[0] != ""}


def resource_parameters(lists: Mapping[str, list[str]]) -> list[str]:
    """Return the values of `resource`, which may be repeated and may be comma-separated lists."""
    return [part.strip() for value in lists.get("resource", []) for part in value.split(",") if part.strip()]


def json_response(
    data: Any, *, status: int = 200, headers: Mapping[str, str] | None = None, content_type: str = "application/json"
) -> Response:
    """Return data as JSON with its keys in order. Text and bytes from a fault hook are sent unchanged."""
    body = data
    if not isinstance(data, str | bytes):
        # Like JSON.stringify, escape half of a surrogate pair.
        body = json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode(errors="backslashreplace")
    return Response(body, status=status, headers=dict(headers or {}), content_type=f"{content_type}; charset=utf-8")


def error_response(error: errors.OIDCError, *, extra: Mapping[str, str] | None = None) -> Response:
    """Return the error as Logto's JSON. With `?parse_error=false` it has the OAuth fields only."""
    plain = request.args.get("parse_error") == "false"
    body = {**(error.parameters() if plain else error.body()), **(extra or {})}
    return json_response(body, status=error.status, headers=NO_STORE)


def see_other(location: str) -> Response:
    """Return a 303 redirect with Logto's text."""
    text = f"Redirecting to {escape(location)}."
    headers = {"Location": location, **NO_STORE}
    return Response(text, 303, headers, content_type="text/html; charset=utf-8")


def self_submitting_form(action: str, fields: Iterable[tuple[str, str]], *, status: int = 200) -> Response:
    """Return a page that submits the fields to `action` by itself."""
    page = render_template("self_submitting_form.html", action=action, fields=list(fields))
    return Response(page, status, NO_STORE, content_type="text/html; charset=utf-8")


def challenge(scheme: str, **parameters: str | None) -> str:
    """Return a `WWW-Authenticate` value without the parameters that are None."""
    given = ", ".join(f'{name}="{value}"' for name, value in parameters.items() if value is not None)
    return f"{scheme} {given}"


def caller_ip() -> str:
    """Return the IP address of the client as Node.js writes it on a dual-stack socket."""
    address = request.remote_addr or ""
    return address if ":" in address else f"::ffff:{address}"
