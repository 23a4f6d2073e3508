"""The bodies and queries of requests, validated by their schemas."""

from __future__ import annotations

import json
from typing import Any

from flask import request

from .errors import BrokenBody, invalid_input, no_values
from .schemas import Misfit, Schema

# koa-body's limit for JSON.
MAX_BODY_BYTES = 1024 * 1024


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
