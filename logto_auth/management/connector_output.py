"""The output of `manage.py logto_connectors`: rows, tables and lists of values, without secrets."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from logto_auth.connectors import alipay
from logto_auth.connectors.forms import choices, form_items, masked
from logto_auth.connectors.lookup import callback_uri
from logto_auth.exceptions import ConnectorError

from .texts import padded, width_of

if TYPE_CHECKING:
    from logto_auth.management_api.types import Connector, ConnectorFactory

__all__ = ["connector_details", "connector_row", "factory_row", "form_text", "listed", "table"]

# The longest texts on a line, in characters. `--json` prints the whole value.
MAX_CELL = 60
MAX_VALUE = 500
PLACES = {"Web": "in browsers", "Native": "in apps", "Universal": "in browsers and apps"}


def connector_row(connector: Connector, targets: Sequence[str]) -> dict[str, Any]:
    """Return the row of a connector. `targets` are the targets that the sign-in page offers."""
    return {
        "id": connector["id"],
        "factory": connector["connectorId"],
        "name": connector["name"].get("en", ""),
        "type": connector["type"],
        "target": connector["target"],
        "offered": PLACES.get(connector["platform"] or "", "") if connector["target"] in targets else "",
    }


def connector_details(connector: Connector, targets: Sequence[str], endpoint: str) -> dict[str, Any]:
    """Return all values of a connector. For Alipay, this includes the public key, to compare it with Alipay's."""
    details = connector_row(connector, targets)
    if connector["type"] == "Social":
        details["callback_uri"] = callback_uri(endpoint, connector)
        details["sync_profile"] = connector["syncProfile"]
    if connector["connectorId"] in alipay.FACTORIES:
        details["public_key"] = _public_key(connector["config"])
    return {**details, "config": masked(form_items(connector), connector["config"])}


def factory_row(factory: ConnectorFactory) -> dict[str, Any]:
    """Return the row of a factory."""
    return {
        "factory": factory["id"],
        "name": factory["name"].get("en", ""),
        "type": factory["type"],
        "target": factory["target"],
        "platform": factory["platform"] or "",
    }


def form_text(factory: ConnectorFactory) -> str:
    """Return the form of a factory as a table, or the example of a config if it has no form."""
    if items := form_items(factory):
        return table([_form_row(item) for item in items])
    lines = ["This factory has no form. --set accepts any key, and Logto checks the config."]
    if template := factory.get("configTemplate"):
        lines += ["Example of a config:", template.strip()]
    return "\n".join(lines)


def _form_row(item: Mapping[str, Any]) -> dict[str, Any]:
    default = item.get("defaultValue")
    return {
        "key": item["key"],
        "type": item["type"],
        "required": "yes" if item.get("required") else "",
        "default": "" if default is None else _one_line(default),
        "choices": ", ".join(choices(item)),
    }


def table(rows: Sequence[Mapping[str, Any]], width: int | None = None) -> str:
    """Return the rows as aligned columns below a heading. If they are wider than `width`, list the values instead."""
    if not rows:
        return ""
    lines = [
        [name.upper() for name in rows[0]],
        *([_shortened(str(value), MAX_CELL) for value in row.values()] for row in rows),
    ]
    widths = [max(map(width_of, column)) for column in zip(*lines, strict=True)]
    if width is not None and sum(widths) + 2 * (len(widths) - 1) > width:
        return "\n\n".join(listed({name: value for name, value in row.items() if value != ""}) for row in rows)
    return "\n".join("  ".join(map(padded, line, widths)).rstrip() for line in lines)


def listed(values: Mapping[str, Any], indent: str = "") -> str:
    """Return a line for each value. The values of an object, and the items of a list, are indented below its name."""
    lines = []
    for name, value in values.items():
        is_object, is_list = isinstance(value, Mapping), isinstance(value, list) and bool(value)
        shown = "" if is_object or is_list else _shortened(_one_line(value), MAX_VALUE)
        lines.append(f"{indent}{name}: {shown}".rstrip())
        if is_object and value:
            lines.append(listed(value, indent + "  "))
        elif is_list:
            lines += [f"{indent}  - {_shortened(_one_line(item), MAX_VALUE)}" for item in value]
    return "\n".join(lines)


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[:length]}…"


def _one_line(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.replace("\n", " ")


def _public_key(config: Mapping[str, Any]) -> str:
    try:
        return alipay.read_private_key(str(config.get("privateKey", ""))).public_key
    except ConnectorError:
        return ""
