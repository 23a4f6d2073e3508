"""The schemas of the types to generate, by name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

from .document import Document, Schema, document
from .operations import OPERATIONS

__all__ = ["type_schemas"]

# Keywords that a Python type cannot express.
CONSTRAINTS = frozenset({"maxLength", "minLength", "maximum", "minimum", "pattern"})
UNIONS = ("anyOf", "oneOf")
# A longer choice grows with each version of Logto. Its type is that of its values.
MAX_CHOICES = 8
# Objects that nobody needs to read here. Their types would be long.
OPAQUE = frozenset({"contextSample", "lastSubmission", "protectedAppMetadata", "tokenSample", "userAgentParsed"})
# Types of which no inner object has a type.
FLAT = frozenset({"JwtCustomizerTest"})
OBJECT: Schema = {"type": "object", "additionalProperties": True}
# Objects inside others have the name of their key, unless it says too little.
INNER_NAMES = {
    "Authorization": "SessionAuthorization",
    "CharacterTypes": "PasswordCharacterTypes",
    "Config": "HookConfig",
    "Context": "OneTimeTokenContext",
    "ExecutionStats": "HookExecutionStats",
    "Fields": "AccountCenterFields",
    "Length": "PasswordLength",
    "Metadata": "ConnectorMetadata",
    "Method": "SignInMethod",
    "Rejects": "PasswordRejects",
}
# Objects of these keys always have the name of their owner in theirs.
OWNED = frozenset({"Payload"})
ID_AND_NAME = "IdAndName"


def type_schemas() -> dict[str, Schema]:
    """Return the schemas by the names of their types. They refer to each other as `#/definitions/<name>`.

    Several operations may answer with one type. It has the keys of all of them, and those that not all require are
    optional.
    """
    types: dict[str, Schema] = {}
    uses: dict[str, list[str]] = {}
    for name, use, schema in _schemas(document()):
        types[name] = _either(types[name], schema) if name in types else schema
        uses.setdefault(name, []).append(use)
    definitions = Definitions(types)
    uses = definitions.uses | uses
    return {name: {**schema, "description": _description(uses[name])} for name, schema in definitions.all.items()}


def _schemas(document: Document) -> Iterator[tuple[str, str, Schema]]:
    """Yield name, use and schema of each payload and answer."""
    for name, names in OPERATIONS.items():
        operation = document.operation(name)
        if names.payload:
            assert operation.payload is not None, f"{name} has no payload"
            schema = _simplified(operation.payload)
            yield names.payload, f"Sent by {name}", _flat(schema) if names.payload in FLAT else schema
        if names.answer:
            answers = [each["application/json"] for status, each in operation.answers.items() if status < 300]
            schema = reduce(_either, answers)
            yield names.answer, f"Returned by {name}", _simplified(schema.get("items", schema))


def _description(uses: list[str]) -> str:
    return f"{uses[0]}{' and others' if len(uses) > 1 else ''}."


# Simpler schemas


def _simplified(schema: Schema) -> Schema:
    """Return what a Python type can express of a schema."""
    kept = {key: value for key, value in schema.items() if key not in CONSTRAINTS}
    if "type" in kept:
        # All numbers are counts, and times in seconds or milliseconds.
        kept["type"] = _mapped(kept["type"], {"number": "integer"})
    if len(kept.get("enum", ())) > MAX_CHOICES:
        del kept["enum"]
    for key in ("items", "additionalProperties"):
        if isinstance(kept.get(key), dict):
            kept[key] = _simplified(kept[key])
    if "properties" in kept:
        kept["properties"] = {
            name: OBJECT if name in OPAQUE else _simplified(each) for name, each in kept["properties"].items()
        }
    for union in UNIONS:
        if union in kept:
            kept |= reduce(_either, map(_simplified, kept.pop(union)))
    return kept


def _flat(schema: Schema) -> Schema:
    properties = {name: OBJECT if "properties" in each else each for name, each in schema["properties"].items()}
    return {**schema, "properties": properties}


def _mapped(types: str | list[str], names: dict[str, str]) -> str | list[str]:
    if isinstance(types, str):
        return names.get(types, types)
    return [names.get(each, each) for each in types]


def _either(first: Schema, second: Schema) -> Schema:
    """Return a schema for what fits one of two. Objects become one object, in which more keys are optional."""
    if first == second:
        return first
    if "properties" in first and "properties" in second:
        return _merged(first, second)
    if first.get("type") == second.get("type") == "array":
        return {**first, "items": _either(first["items"], second["items"])}
    if "enum" in first and "enum" in second and first["type"] == second["type"]:
        choices = list(dict.fromkeys([*first["enum"], *second["enum"]]))
        return {"type": "boolean"} if set(choices) == {True, False} else {**first, "enum": choices}
    members = [*first.get("anyOf", [first]), *second.get("anyOf", [second])]
    return {"anyOf": [each for index, each in enumerate(members) if each not in members[:index]]}


def _merged(first: Schema, second: Schema) -> Schema:
    properties = dict(first["properties"])
    for name, schema in second["properties"].items():
        properties[name] = _either(properties[name], schema) if name in properties else schema
    required = [name for name in first.get("required", []) if name in second.get("required", [])]
    return {**first, "properties": properties, "required": required}


# Names of inner objects


class Definitions:
    """The types, and a type for each object inside them, named after its key. Equal objects share a type."""

    def __init__(self, types: dict[str, Schema]) -> None:
        self.all: dict[str, Schema] = {}
        self.uses: dict[str, list[str]] = {}
        self._types = types
        self._inner: dict[str, Schema] = {}
        for name, schema in types.items():
            self.all[name] = self._with_references(name, schema)

    def _with_references(self, owner: str, schema: Schema) -> Schema:
        """Return the schema of the type `owner`, in which inner objects are references."""
        properties = {name: self._replaced(owner, name, each) for name, each in schema["properties"].items()}
        return {**schema, "properties": properties}

    def _replaced(self, owner: str, key: str, schema: Schema) -> Schema:
        if "properties" in schema:
            name = self._name(owner, key, schema)
            self.uses.setdefault(name, []).append(f"Part of {owner}")
            return {"$ref": f"#/definitions/{name}"}
        replaced = dict(schema)
        for inner in ("items", "additionalProperties"):
            if isinstance(schema.get(inner), dict):
                replaced[inner] = self._replaced(owner, _singular(key), schema[inner])
        if "anyOf" in schema:
            replaced["anyOf"] = [self._replaced(owner, key, each) for each in schema["anyOf"]]
        return replaced

    def _name(self, owner: str, key: str, schema: Schema) -> str:
        """Return the name of the type of an inner object. Add the type if it is new."""
        if schema["properties"].keys() == {"id", "name"}:
            self.all.setdefault(ID_AND_NAME, schema)
            return ID_AND_NAME
        short = key[0].upper() + key[1:]
        short = INNER_NAMES.get(short, short)
        if short in self._types and _fits(schema, self._types[short]):
            return short
        for name, known in self._inner.items():
            if name.endswith(short) and known == schema:
                return name
        name = short if short not in OWNED | self._types.keys() | self._inner.keys() else f"{owner}{short}"
        if name in self._inner:
            raise ValueError(f"No name is left for {key} of {owner}. Add one to INNER_NAMES.")
        self._inner[name] = schema
        self.all[name] = self._with_references(name, schema)
        return name


def _fits(inner: Schema, outer: Schema) -> bool:
    """Return whether each value of `inner` is one of `outer` too."""
    has_same_keys = all(outer["properties"].get(name) == each for name, each in inner["properties"].items())
    return has_same_keys and set(outer.get("required", [])) <= set(inner.get("required", []))


def _singular(word: str) -> str:
    return f"{word[:-3]}y" if word.endswith("ies") else word.removesuffix("s")
