"""A connector's config, by the form of its factory: what its `formItems` ask for, found out before it is sent.

Logto checks a config too, but keeps keys that it does not know, and some connectors hand those on: a stray `charset`
ends in the requests to Alipay.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from logto_auth.exceptions import ConnectorError

FormItem = Mapping[str, Any]

MASK = "(hidden)"
# The last word of a key that names a secret: `clientSecret`, `apiKey`, `privateKeyPass`, but not `tokenEndpoint`.
SECRET_WORDS = frozenset({"authorization", "credentials", "key", "pass", "passphrase", "password", "secret", "token"})
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_PLACEHOLDER = re.compile(r"<[^<>]+>")


def complete_config(
    items: Iterable[FormItem], given: Mapping[str, str], stored: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The config that `given`, text by key, makes of the `stored` one. What is left open gets the form's default.

    What is stored stays, unknown keys too, unless it is given as empty. Raises ConnectorError, a line for each fault.
    """
    form = {str(item["key"]): item for item in items}
    config, faults = dict(stored or {}), {}
    for key, text in given.items():
        try:
            config[key] = parse(form[key], text)
        except KeyError:
            faults[key] = f"the form has no such key. It has {', '.join(form)}."
        except ConnectorError as fault:
            faults[key] = str(fault)
    for key, item in form.items():
        if key in given and not _is_shown(item, config):
            faults[key] = f"counts only where {_conditions(item)}."
        elif key not in faults and _is_shown(item, config) and not _is_answered(config.get(key)):
            default = item.get("defaultValue")
            if _is_answered(default) and not _has_placeholder(default):
                config[key] = copy.deepcopy(default)
            elif item.get("required"):
                faults[key] = f"is required, and has no default. {_wanted(item)}"
    if faults:
        raise ConnectorError("\n".join(f"{key}: {fault}" for key, fault in faults.items()))
    return {key: value for key, value in config.items() if _is_answered(value)}


def parse(item: FormItem, text: str) -> Any:
    """What `text` means for a form item, and "" for nothing. Raises ConnectorError, whose message has no `text`.

    A type that is not known yet is text, as in Logto's Console.
    """
    kind = item["type"]
    if not text.strip():
        return ""
    if kind == "Number" and re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?", text, re.ASCII):
        return float(text) if "." in text else int(text)
    if kind == "Switch" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kind == "Select" and text in choices(item):
        return text
    if kind == "MultiSelect":
        parts = [part.strip() for part in text.split(",") if part.strip()]
        if set(parts) <= set(choices(item)):
            return parts
    if kind == "Json":
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            place = f", line {error.lineno} column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
            raise ConnectorError(f"is not JSON{place}. {_wanted(item)}") from error
    if kind in ("Number", "Switch", "Select", "MultiSelect"):
        raise ConnectorError(f"this does not fit. {_wanted(item)}")
    return text


def choices(item: FormItem) -> list[str]:
    """The values that an item offers."""
    return [str(choice["value"]) for choice in item.get("selectItems", ())]


def masked(items: Iterable[FormItem], config: Mapping[str, Any]) -> dict[str, Any]:
    """The config with MASK in place of each secret, to be shown.

    Logto marks next to none of them, so keys that are named like secrets count as such, and so does what holds a key.
    """
    confidential = {str(item["key"]) for item in items if item.get("isConfidential")}
    return {key: MASK if key in confidential else _masked(key, value) for key, value in config.items()}


def _masked(key: str, value: Any) -> Any:
    words = _WORD.findall(key)
    if words and words[-1].lower() in SECRET_WORDS and _is_answered(value) and not isinstance(value, bool):
        return MASK
    if isinstance(value, Mapping):
        return {name: _masked(str(name), inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_masked("", inner) for inner in value]
    return MASK if isinstance(value, str) and "PRIVATE KEY-----" in value else value


def _is_shown(item: FormItem, config: Mapping[str, Any]) -> bool:
    return all(config.get(each["targetKey"]) == each.get("expectValue") for each in item.get("showConditions") or ())


def _is_answered(value: Any) -> bool:
    """Whether there is something that Logto would keep."""
    return value is not None and value not in ("", [], {})


def _has_placeholder(value: Any) -> bool:
    """Whether a default is an example like `{"user": "<username>"}` rather than a proposal."""
    return any(_PLACEHOLDER.fullmatch(text) for text in _texts(value))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(inner)


def _conditions(item: FormItem) -> str:
    conditions = item["showConditions"]
    return " and ".join(f"{each['targetKey']} is {json.dumps(each.get('expectValue'))}" for each in conditions)


def _wanted(item: FormItem) -> str:
    kind = item["type"]
    if kind == "Select":
        return f"Expected one of {', '.join(choices(item))}."
    if kind == "MultiSelect":
        return f"Expected some of {', '.join(choices(item))}, with commas between."
    words = {"Number": "a number", "Switch": "true or false", "Json": "JSON"}.get(kind, f'"{item["label"]}"')
    example = json.dumps(item.get("defaultValue" if kind == "Json" else "placeholder"))
    return f"Expected {words}, such as {example}." if example != "null" and len(example) < 120 else f"Expected {words}."
