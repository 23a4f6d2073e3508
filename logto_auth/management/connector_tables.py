"""What `manage.py logto_connectors` prints: rows, tables and lists of values. Never a secret."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from logto_auth.connectors import alipay
from logto_auth.connectors.connectors import callback_uri
from logto_auth.connectors.forms import choices, masked
from logto_auth.exceptions import ConnectorError
from logto_auth.management_api.types import Connector

PLACES = {"Web": "in browsers", "Native": "in apps", "Universal": "in browsers and apps"}


def connector_row(connector: Connector, targets: Sequence[str]) -> dict[str, Any]:
    """A connector in a few words; `targets` are those that the sign-in page offers."""
    return {
        "id": connector["id"],
        "factory": connector["connectorId"],
        "name": connector["name"].get("en", ""),
        "type": connector["type"],
        "target": connector["target"],
        "offered": PLACES.get(connector["platform"] or "", "") if connector["target"] in targets else "",
    }


def connector_details(connector: Connector, targets: Sequence[str], endpoint: str) -> dict[str, Any]:
    """All there is to see of a connector. Of Alipay's also the public key, to be compared with that at Alipay."""
    details = connector_row(connector, targets)
    if connector["type"] == "Social":
        details["callback_uri"] = callback_uri(endpoint, connector)
        details["sync_profile"] = connector["syncProfile"]
    if connector["connectorId"] in alipay.FACTORIES:
        details["public_key"] = _public_key(connector["config"])
    return {**details, "config": masked(connector["formItems"], connector["config"])}


def factory_row(factory: Connector) -> dict[str, Any]:
    """A factory in a few words."""
    return {
        "factory": factory["id"],
        "name": factory["name"].get("en", ""),
        "type": factory["type"],
        "target": factory["target"],
        "platform": factory["platform"] or "",
    }


def form_row(item: Mapping[str, Any]) -> dict[str, Any]:
    """What a factory asks for, in a few words."""
    default = item.get("defaultValue")
    return {
        "key": item["key"],
        "type": item["type"],
        "required": "yes" if item.get("required") else "",
        "default": "" if default is None else shortened(default),
        "choices": ", ".join(choices(item)),
    }


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows below their names, in columns."""
    if not rows:
        return ""
    lines = [[name.upper() for name in rows[0]], *([str(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def listed(values: Mapping[str, Any], indent: str = "") -> str:
    """A line for each value, and those of an object indented below its name."""
    lines = []
    for name, value in values.items():
        is_object = isinstance(value, Mapping)
        lines.append(f"{indent}{name}: {'' if is_object else shortened(value)}".rstrip())
        lines += [listed(value, indent + "  ")] if is_object and value else []
    return "\n".join(lines)


def shortened(value: Any) -> str:
    """The value as text, on one line."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.replace("\n", " ")


def _public_key(config: Mapping[str, Any]) -> str:
    try:
        return alipay.read_private_key(str(config.get("privateKey", ""))).public_key
    except ConnectorError:
        return ""
