"""The notation of Logto's document, translated into JSON Schema draft 4. The meaning does not change."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["as_json_schema"]

# Keywords that say nothing about a value.
ANNOTATIONS = frozenset({"default", "deprecated", "description", "example"})
LITERALS = {"true": True, "false": False}


def as_json_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema of OpenAPI 3.0 as JSON Schema.

    - `nullable` becomes a type, an enumerated value, or a member of a union.
    - A pattern loses the slashes and flags of JavaScript: `/^a$/i` becomes `(?i)^a$`.
    - A format such as `"Password"`, with quotes, or `true`, becomes the only accepted value.
    """
    translated = {key: _translated(key, value) for key, value in schema.items() if key not in ANNOTATIONS}
    is_nullable = translated.pop("nullable", False)
    form = translated.pop("format", None)
    if isinstance(form, str) and (form in LITERALS or form.startswith('"')):
        translated["enum"] = [LITERALS.get(form, form.strip('"'))]
    if "pattern" in translated:
        translated["pattern"] = _python_pattern(translated["pattern"])
    return _with_null(translated) if is_nullable else translated


def _translated(key: str, value: Any) -> Any:
    if key == "properties":
        return {name: as_json_schema(each) for name, each in value.items()}
    if key == "oneOf" or key == "anyOf":
        return [as_json_schema(each) for each in value]
    return as_json_schema(value) if isinstance(value, dict) else value


def _with_null(schema: dict[str, Any]) -> dict[str, Any]:
    for union in ("oneOf", "anyOf"):
        if union in schema:
            # The type beside a union says nothing that its members do not say.
            rest = {key: value for key, value in schema.items() if key not in {union, "type"}}
            return {**rest, union: [*schema[union], {"type": "null"}]}
    if "enum" in schema:
        schema = {**schema, "enum": [*schema["enum"], None]}
    return {**schema, "type": [schema["type"], "null"]} if "type" in schema else schema


def _python_pattern(pattern: str) -> str:
    match = re.fullmatch(r"/(?P<pattern>.*)/(?P<flags>[a-z]*)", pattern)
    if match is None:
        return pattern
    # "u" is how Python reads a pattern anyway, and "g" does not change what matches.
    flags = "".join(flag for flag in match["flags"] if flag in "ims")
    return f"(?{flags}){match['pattern']}" if flags else match["pattern"]
