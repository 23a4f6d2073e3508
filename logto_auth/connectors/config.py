"""Build the config of a connector and check it before it is sent to Logto."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from logto_auth.exceptions import ConnectorError
from logto_auth.management_api.types import Connector

from . import alipay
from .forms import complete_config, config_without_form, form_items

__all__ = ["changed_keys", "new_config", "unknown_keys", "updated_config"]


def new_config(factory: Connector, given: Mapping[str, str]) -> dict[str, Any]:
    """Return the config of a new connector from the texts in `given`. Raise ConnectorError, with a line per error."""
    return _checked(factory["id"], _completed(factory, given))


def updated_config(connector: Connector, given: Mapping[str, str], *, unset: Iterable[str] = ()) -> dict[str, Any]:
    """Return the stored config with the values in `given` and without the keys in `unset`. Raise ConnectorError."""
    stored = connector["config"]
    if unknown := [key for key in unset if key not in stored]:
        raise ConnectorError(f"{', '.join(unknown)}: not in the config. Its keys: {', '.join(stored) or 'none'}.")
    kept = {key: value for key, value in stored.items() if key not in unset}
    return _checked(connector["connectorId"], _completed(connector, given, kept))


def changed_keys(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the keys whose values differ."""
    return [key for key in {**before, **after} if before.get(key) != after.get(key)]


def unknown_keys(connector: Connector) -> list[str]:
    """Return the keys of the stored config that the form does not have. Without a form, every key is known."""
    known = {item["key"] for item in form_items(connector)}
    return [key for key in connector["config"] if key not in known] if known else []


def _completed(source: Connector, given: Mapping[str, str], stored: Mapping[str, Any] | None = None) -> dict[str, Any]:
    if items := form_items(source):
        return complete_config(items, given, stored)
    return config_without_form(source.get("configTemplate", ""), given, stored)


def _checked(factory_id: str, config: dict[str, Any]) -> dict[str, Any]:
    return alipay.check_config(config) if factory_id in alipay.FACTORIES else config
