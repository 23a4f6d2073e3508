"""The form of a connector factory: which values a config needs, and which of them are secret.

The form is the list `formItems` of the factory. Logto checks a config too, but it stores keys that the form does not
have, and some connectors pass such keys on: an extra `charset` is sent to Alipay.

A factory may have no form, such as a custom connector on a self-hosted Logto. Then only Logto knows which keys a config
needs. The factory may have `configTemplate`, an example of a config as JSON text.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from logto_auth.exceptions import ConnectorError
from logto_auth.management_api.types import ConnectorForm

__all__ = ["MASK", "FormItem", "choices", "complete_config", "config_without_form", "form_items", "masked", "parse"]

FormItem = Mapping[str, Any]

MASK = "(hidden)"
# The last word of a key that names a secret: `clientSecret`, `apiKey`, `privateKeyPass`, but not `tokenEndpoint`.
SECRET_WORDS = frozenset({"authorization", "credentials", "key", "pass", "passphrase", "password", "secret", "token"})
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_PLACEHOLDER = re.compile(r"<[^<>]+>")


def form_items(source: ConnectorForm) -> list[dict[str, Any]]:
    """Return the form of a factory or connector, which is empty if the factory has none."""
    return source.get("formItems") or []


def config_without_form(
    template: str, given: Mapping[str, str], stored: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the `stored` config, updated with the texts in `given`, for a factory without a form.

    Every key is accepted. A value is JSON if the value in `template` is not a text, or if it is a JSON object or list.
    An empty text removes a value. Raise ConnectorError, with a line for each error.
    """
    examples, config, errors = _template_values(template), dict(stored or {}), []
    for key, text in given.items():
        is_text = isinstance(examples.get(key, ""), str)
        try:
            config[key] = _text_or_json(text) if is_text else parse({"type": "Json", "label": key}, text)
        except ConnectorError as error:
            errors.append(f"{key}: {error}")
    if errors:
        raise ConnectorError("\n".join(errors))
    return {key: value for key, value in config.items() if _has_value(value)}


def _template_values(template: str) -> dict[str, Any]:
    """Return the values of a template; an empty dictionary if it is not a JSON object."""
    try:
        values = json.loads(template)
    except (ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def _text_or_json(text: str) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, dict | list) else text


def complete_config(
    items: Iterable[FormItem], given: Mapping[str, str], stored: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the `stored` config, updated with the texts in `given` and completed with the defaults of the form.

    Stored values are kept, including those of unknown keys. An empty text in `given` removes a value. Raise
    ConnectorError, with a line for each error.
    """
    form = {str(item["key"]): item for item in items}
    config, errors = dict(stored or {}), {}
    for key, text in given.items():
        try:
            config[key] = parse(form[key], text)
        except KeyError:
            errors[key] = f"the form has no such key. It has {', '.join(form)}."
        except ConnectorError as error:
            errors[key] = str(error)
    for key, item in form.items():
        if key in given and not _is_shown(item, config):
            errors[key] = f"is only used if {_conditions(item)}."
        elif key not in errors and _is_shown(item, config) and not _has_value(config.get(key)):
            default = item.get("defaultValue")
            if _has_value(default) and not _has_placeholder(default):
                config[key] = copy.deepcopy(default)
            elif item.get("required"):
                errors[key] = f"is required, and has no default. {_expected(item)}"
    if errors:
        raise ConnectorError("\n".join(f"{key}: {error}" for key, error in errors.items()))
    return {key: value for key, value in config.items() if _has_value(value)}


def parse(item: FormItem, text: str) -> Any:
    """Return the value of `text` for a form item, or "" if the text is blank.

    An unknown type is treated as text, as in the Logto Console. Raise ConnectorError. Its message does not contain
    `text`, which may be a secret.
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
            raise ConnectorError(f"is not JSON{place}. {_expected(item)}") from error
    if kind in ("Number", "Switch", "Select", "MultiSelect"):
        raise ConnectorError(f"this value is invalid. {_expected(item)}")
    return text


def choices(item: FormItem) -> list[str]:
    """Return the values that a select item offers."""
    return [str(choice["value"]) for choice in item.get("selectItems", ())]


def masked(items: Iterable[FormItem], config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config with MASK in place of each secret.

    Logto marks few secrets, so keys whose names end like a secret are masked too, and texts that contain a private key.
    """
    confidential = {str(item["key"]) for item in items if item.get("isConfidential")}
    return {key: MASK if key in confidential else _masked(key, value) for key, value in config.items()}


def _masked(key: str, value: Any) -> Any:
    words = _WORD.findall(key)
    if words and words[-1].lower() in SECRET_WORDS and _has_value(value) and not isinstance(value, bool):
        return MASK
    if isinstance(value, Mapping):
        return {name: _masked(str(name), inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_masked("", inner) for inner in value]
    return MASK if isinstance(value, str) and "PRIVATE KEY-----" in value else value


def _is_shown(item: FormItem, config: Mapping[str, Any]) -> bool:
    return all(config.get(each["targetKey"]) == each.get("expectValue") for each in item.get("showConditions") or ())


def _has_value(value: Any) -> bool:
    """Return whether the value is one that Logto stores."""
    return value is not None and value not in ("", [], {})


def _has_placeholder(value: Any) -> bool:
    """Return whether a default is an example with placeholders, such as `{"user": "<username>"}`."""
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


def _expected(item: FormItem) -> str:
    kind = item["type"]
    if kind == "Select":
        return f"Expected one of {', '.join(choices(item))}."
    if kind == "MultiSelect":
        return f"Expected one or more of {', '.join(choices(item))}, separated by commas."
    words = {"Number": "a number", "Switch": "true or false", "Json": "JSON"}.get(kind, f'"{item["label"]}"')
    example = json.dumps(item.get("defaultValue" if kind == "Json" else "placeholder"))
    return f"Expected {words}, such as {example}." if example != "null" and len(example) < 120 else f"Expected {words}."
