"""The notation of Logto's document, as JSON Schema."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft4Validator

from .schemas import as_json_schema


@pytest.mark.parametrize(
    ("schema", "accepted", "refused"),
    [
        ({"type": "string", "nullable": True}, ["a", None], [1]),
        ({"type": "string", "enum": ["a"], "nullable": True}, ["a", None], ["b"]),
        ({"oneOf": [{"type": "string"}, {"type": "boolean"}], "type": "string", "nullable": True}, [True, None], [1]),
        ({"type": "string", "pattern": "/^a+$/i"}, ["A"], ["b"]),
        ({"type": "string", "pattern": "^a+$"}, ["a"], ["A"]),
        ({"type": "string", "format": '"Social"'}, ["Social"], ["Email"]),
        ({"type": "boolean", "format": "false"}, [False], [True]),
        ({"type": "string", "format": "url"}, ["not checked"], [1]),
    ],
    ids=str,
)
def test_notation_is_translated(schema: dict[str, Any], accepted: list[Any], refused: list[Any]) -> None:
    validator = Draft4Validator(as_json_schema(schema))
    assert [value for value in accepted if not validator.is_valid(value)] == []
    assert [value for value in refused if validator.is_valid(value)] == []


def test_property_may_have_the_name_of_a_keyword() -> None:
    schema = {"type": "object", "properties": {"format": {"type": "string", "nullable": True}}}
    assert Draft4Validator(as_json_schema(schema)).is_valid({"format": None})
