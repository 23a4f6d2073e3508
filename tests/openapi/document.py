"""The recorded OpenAPI document, with the named deviations, and its schemas as JSON Schema.

Source: OpenAPI 3.0.1, and JSON Schema draft 4.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.recorded import FOLDER

from .deviations import DEVIATIONS, Deviation
from .schemas import as_json_schema

__all__ = ["VERSION", "Document", "Operation", "Schema", "document", "read_document"]

VERSION = "1.42"
METHODS = frozenset({"get", "post", "put", "patch", "delete"})
PREFIX = "/api"
# The document names the parameters of a search "search_params" and accepts any name for them.
# Source: Logto's documentation, "Advanced user search".
SEARCH = re.compile(r"(search|mode)(\.\w+)?|joint|isCaseSensitive")

Schema = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """An operation. `name` is its method and path, such as `GET /users/{userId}`; the path is relative to `/api`."""

    name: str
    query: frozenset[str]
    can_search: bool
    payload: Schema | None
    needs_payload: bool
    answers: Mapping[int, Mapping[str, Schema]]
    """The schemas of bodies, by status and content type. Without a content type, there is no body."""

    def accepts_query(self, name: str) -> bool:
        """Return whether the operation has a query parameter of this name."""
        return name in self.query or (self.can_search and SEARCH.fullmatch(name) is not None)


class Document:
    """The operations of the document. Each is read when it is first asked for."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._content = content
        self._items = {
            f"{method.upper()} {path.removeprefix(PREFIX)}": item[method]
            for path, item in content["paths"].items()
            for method in METHODS & item.keys()
        }
        # Paths with fewer parameters come first: /organizations/{id} also fits /organizations/roles.
        names = sorted(self._items, key=lambda name: name.count("{"))
        self._patterns: defaultdict[tuple[str, int], list[tuple[re.Pattern[str], str]]] = defaultdict(list)
        for name in names:
            self._patterns[_group(name)].append((re.compile(_pattern(name)), name))
        self._operations: dict[str, Operation] = {}

    def find(self, method: str, path: str) -> Operation | None:
        """Return the operation of a request. `path` begins with `/api`."""
        request = f"{method} {path.removeprefix(PREFIX)}"
        patterns = self._patterns[_group(request)]
        return next((self.operation(name) for pattern, name in patterns if pattern.fullmatch(request)), None)

    def operation(self, name: str) -> Operation:
        """Return the operation with this name. Raise KeyError if there is none."""
        if name not in self._operations:
            self._operations[name] = _operation(name, self._items[name], self._content)
        return self._operations[name]


@cache
def document() -> Document:
    """Return the document with all deviations."""
    return read_document(DEVIATIONS)


def read_document(deviations: Iterable[Deviation]) -> Document:
    """Return the document with these deviations only."""
    content = _content()
    for deviation in deviations:
        deviation.apply(content)
    return Document(content)


def _content() -> dict[str, Any]:
    packed = (FOLDER / VERSION / "openapi" / "management.json.gz").read_bytes()
    content: dict[str, Any] = json.loads(gzip.decompress(packed))
    return content


def _operation(name: str, item: Mapping[str, Any], content: Mapping[str, Any]) -> Operation:
    parameters = [_resolved(each, content) for each in item.get("parameters", [])]
    query = frozenset(each["name"] for each in parameters if each["in"] == "query")
    payload = item.get("requestBody", {})
    answers = {int(status): _schemas(answer, content) for status, answer in item["responses"].items()}
    return Operation(
        name=name,
        query=query - {"search_params"},
        can_search="search_params" in query,
        payload=_schemas(payload, content).get("application/json"),
        needs_payload=payload.get("required", False),
        answers=answers,
    )


def _schemas(item: Mapping[str, Any], content: Mapping[str, Any]) -> dict[str, Schema]:
    return {
        kind: as_json_schema(_resolved(media.get("schema", {}), content))
        for kind, media in item.get("content", {}).items()
    }


def _resolved(value: Any, content: Mapping[str, Any]) -> Any:
    """Return the value with what its references name. The document has no circles."""
    if isinstance(value, list):
        return [_resolved(each, content) for each in value]
    if not isinstance(value, dict):
        return value
    if isinstance(reference := value.get("$ref"), str):
        target: Any = content
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]
        return _resolved(target, content)
    return {key: _resolved(each, content) for key, each in value.items()}


def _group(name: str) -> tuple[str, int]:
    """Return the method and the number of segments, which divide the operations into small groups."""
    return name.partition(" ")[0], name.count("/")


def _pattern(name: str) -> str:
    return re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(name))
