"""Compare an exchange with the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from textwrap import shorten
from typing import Any
from urllib.parse import parse_qs, urlsplit

from jsonschema import Draft4Validator
from jsonschema.exceptions import best_match

from .deviations import NO_STATUS
from .document import Document, Operation, Schema

__all__ = ["Contract", "Exchange"]

MAX_SHOWN = 200
UNIONS = frozenset({"anyOf", "oneOf"})


@dataclass(frozen=True)
class Exchange:
    """A request and its answer. `url` begins with `/api`. Bodies are decoded JSON, text, or None."""

    method: str
    url: str
    payload: Any
    status: int
    answer: Any
    answer_type: str = field(default="application/json")
    """The content type of the answer, without parameters."""


class Contract:
    """The document, with which exchanges are compared.

    A key of a payload that the schema does not name is a difference, because Logto drops it. An object is open where
    the document says so: `config`, `customData` and the like take any key.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self._validators: dict[tuple[int, bool], Draft4Validator] = {}

    def request_differences(self, exchange: Exchange) -> list[str]:
        """Return what is wrong in the request: path, names in the query, and payload."""
        parts = urlsplit(exchange.url)
        operation = self.document.find(exchange.method, parts.path)
        if operation is None:
            return [f"{exchange.method} {parts.path}: the document has no such operation"]
        names = parse_qs(parts.query, keep_blank_values=True)
        unknown = [f"no query parameter {name}" for name in names if not operation.accepts_query(name)]
        return [f"{operation.name}: {text}" for text in [*unknown, *self._payload(operation, exchange.payload)]]

    def answer_differences(self, exchange: Exchange, *, allow_unknown_keys: bool = False) -> list[str]:
        """Return what is wrong in the answer: status, content type and body. Errors have no schema.

        Other versions of Logto send keys that the document does not name. `allow_unknown_keys` accepts them.
        """
        operation = self.document.find(exchange.method, urlsplit(exchange.url).path)
        if operation is None:
            return []
        found = self._answer(operation, exchange, is_closed=not allow_unknown_keys)
        return [f"{operation.name}, answer {exchange.status}: {text}" for text in found]

    def _payload(self, operation: Operation, payload: Any) -> Iterator[str]:
        if payload is None:
            if operation.payload is not None and operation.needs_payload:
                yield "no payload"
        elif operation.payload is None:
            yield "a payload, where the document has none"
        else:
            yield from self._mismatches(operation.payload, payload, is_closed=True)

    def _answer(self, operation: Operation, exchange: Exchange, *, is_closed: bool) -> Iterator[str]:
        if exchange.status not in operation.answers:
            yield NO_STATUS
            return
        if exchange.status >= 400:
            return
        schemas = operation.answers[exchange.status]
        if not schemas:
            if exchange.answer not in (None, ""):
                yield "a body, where the document has none"
        elif exchange.answer_type not in schemas:
            yield f"{exchange.answer_type or 'no content type'}, where the document has {' or '.join(schemas)}"
        else:
            schema = schemas[exchange.answer_type]
            yield from self._mismatches(schema, exchange.answer, is_closed=is_closed)

    def _mismatches(self, schema: Schema, value: Any, *, is_closed: bool) -> Iterator[str]:
        for error in self._validator(schema, is_closed).iter_errors(value):
            # Of a union, the member that fits best explains the difference.
            shown = best_match([error]) or error
            place = ".".join(map(str, shown.absolute_path))
            message = shorten(shown.message, MAX_SHOWN, placeholder=" ...")
            yield f"{place}: {message}" if place else message

    def _validator(self, schema: Schema, is_closed: bool) -> Draft4Validator:
        """Return the validator, which is compiled once. Schemas live as long as the document, so ids are unique."""
        key = (id(schema), is_closed)
        if key not in self._validators:
            self._validators[key] = Draft4Validator(_closed(schema) if is_closed else schema)
        return self._validators[key]


def _closed(schema: Schema) -> Schema:
    """Return the schema, in which objects with named properties accept no others unless the schema says so."""
    inner = dict(schema)
    if "properties" in schema:
        inner["properties"] = {name: _closed(each) for name, each in schema["properties"].items()}
        if not UNIONS & schema.keys():
            # Beside a union, the other names are in its members.
            inner.setdefault("additionalProperties", False)
    for key in UNIONS:
        if key in schema:
            inner[key] = [_closed(each) for each in schema[key]]
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            inner[key] = _closed(schema[key])
    return inner
