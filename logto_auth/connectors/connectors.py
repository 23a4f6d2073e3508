"""Connectors, set up from outside the Console: found, made and changed, each config checked before Logto gets it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from logto_auth.exceptions import ConnectorError, LogtoError, ManagementAPIError
from logto_auth.management_api import ManagementAPI
from logto_auth.management_api.types import Connector

from . import alipay
from .forms import complete_config

# What a connector that sends messages calls the one it sends them to.
RECIPIENTS = {"Email": "email", "Sms": "phone"}
TAKEN = frozenset({"connector.multiple_instances_not_supported", "connector.multiple_target_with_same_platform"})


def find(connectors: Sequence[Connector], name: str) -> Connector:
    """The connector with this id, or the only one of this factory. Raises ConnectorError."""
    found = [each for each in connectors if name in (each["id"], each["connectorId"])]
    if len(found) > 1:
        raise ConnectorError(f"Several connectors are made of {name}: {named(found)}. Name one by its id.")
    if not found:
        raise ConnectorError(f"No connector has the id {name!r}, or is made of that. There are: {named(connectors)}.")
    return found[0]


def find_factory(api: ManagementAPI, factory_id: str) -> Connector:
    """The factory with this id. Raises ConnectorError."""
    try:
        return api.connectors.factory(factory_id)
    except ManagementAPIError as error:
        if error.status != 404:
            raise
    ids = [each["id"] for each in api.connectors.factories()]
    there_are = ", ".join(get_close_matches(factory_id, ids, cutoff=0.4) or ids)
    raise ConnectorError(f"Logto has no factory {factory_id!r}. It has: {there_are}.")


def new_config(factory: Connector, given: Mapping[str, str]) -> dict[str, Any]:
    """The config for a new connector, of what is `given` as text. Raises ConnectorError, a line for each fault."""
    return _checked(factory["id"], complete_config(factory["formItems"], given))


def changed_config(connector: Connector, given: Mapping[str, str], *, unset: Iterable[str] = ()) -> dict[str, Any]:
    """The config of a connector with what is `given`, and without the keys to `unset`. Raises ConnectorError."""
    stored = connector["config"]
    if unknown := [key for key in unset if key not in stored]:
        raise ConnectorError(f"{', '.join(unknown)}: not in the config, so there is nothing to unset.")
    kept = {key: value for key, value in stored.items() if key not in unset}
    return _checked(connector["connectorId"], complete_config(connector["formItems"], given, kept))


def differences(config: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """The keys that are not the same in both configs."""
    return [key for key in {**config, **other} if config.get(key) != other.get(key)]


def replaced_by(factory: Connector, connectors: Iterable[Connector]) -> list[Connector]:
    """The connectors that Logto deletes when one is made of `factory`: it keeps one for e-mail and one for SMS."""
    return [each for each in connectors if each["type"] == factory["type"] and each["type"] in RECIPIENTS]


def create(api: ManagementAPI, factory: Connector, config: Mapping[str, Any], **more: Any) -> Connector:
    """A new connector; `more` is what else Logto takes: `metadata`, `syncProfile`. Raises ConnectorError."""
    try:
        return api.connectors.create({"connectorId": factory["id"], "config": config, **more})
    except ManagementAPIError as error:
        if error.code not in TAKEN:
            raise _explained(error) from error
        target = more.get("metadata", {}).get("target", factory["target"])
        there = [each for each in api.connectors.all() if _is_in_the_way(each, factory, target)]
        ids = " or ".join(each["id"] for each in there)
        raise ConnectorError(
            f"There is one already, and Logto keeps one of each. To change it: manage.py logto_connectors update {ids}"
        ) from error


def update(api: ManagementAPI, connector: Connector, config: Mapping[str, Any], **more: Any) -> Connector:
    """The connector with this config, which replaces the old one. Raises ConnectorError."""
    try:
        return api.connectors.update(connector["id"], {"config": config, **more})
    except ManagementAPIError as error:
        raise _explained(error) from error


def send_test_message(api: ManagementAPI, connector: Connector, recipient: str) -> None:
    """Have Logto send a message by a connector for e-mail or SMS, as it is stored. Raises ConnectorError."""
    kind = connector["type"]
    if kind not in RECIPIENTS:
        raise ConnectorError(
            f"{connector['connectorId']} sends no messages, which is what can be tested from here. Sign in with it."
        )
    # Logto wants a telephone number as digits alone.
    to = "".join(filter(str.isdigit, recipient)) if kind == "Sms" else recipient
    try:
        api.connectors.test(connector["connectorId"], {RECIPIENTS[kind]: to, "config": connector["config"]})
    except ManagementAPIError as error:
        raise _explained(error) from error


def callback_uri(endpoint: str, connector: Connector) -> str:
    """The address to be registered at the provider of a social connector; it is Logto's, not the site's."""
    return f"{endpoint.rstrip('/')}/callback/{connector['id']}"


def named(connectors: Iterable[Connector]) -> str:
    """Their ids and factories, or "none"."""
    return ", ".join(f"{each['id']} ({each['connectorId']})" for each in connectors) or "none"


def stray_keys(connector: Connector) -> list[str]:
    """Keys of the stored config that the form does not have."""
    known = {item["key"] for item in connector["formItems"]}
    return [key for key in connector["config"] if key not in known]


def _checked(factory_id: str, config: dict[str, Any]) -> dict[str, Any]:
    return alipay.check_config(config) if factory_id in alipay.FACTORIES else config


def _is_in_the_way(connector: Connector, factory: Connector, target: str) -> bool:
    has_place = (connector["target"], connector["platform"]) == (target, factory["platform"])
    return connector["connectorId"] == factory["id"] or has_place


def _explained(error: ManagementAPIError) -> LogtoError:
    """The error with a line for each fault, where Logto found some in a config."""
    issues = error.data.get("issues") if isinstance(error.data, Mapping) else None
    if error.code != "connector.invalid_config" or not isinstance(issues, list):
        return error
    lines = [f"{'.'.join(map(str, issue['path']))}: {issue['message']}" for issue in issues]
    return ConnectorError("\n".join(["Logto refuses the config.", *lines]))
