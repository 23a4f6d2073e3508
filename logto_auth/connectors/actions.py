"""Create, update and test connectors through the Management API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from logto_auth.exceptions import ConnectorError, LogtoError, ManagementAPIError
from logto_auth.management_api import ManagementAPI

if TYPE_CHECKING:
    from logto_auth.management_api.types import (
        Connector,
        ConnectorChanges,
        ConnectorFactory,
        ConnectorTest,
        NewConnector,
    )

__all__ = ["create", "replaced_by", "send_test_message", "update"]

# The connectors that send messages: by their type, the key of the recipient in a test request.
RECIPIENT_KEYS: Final[Mapping[str, Literal["email", "phone"]]] = {"Email": "email", "Sms": "phone"}
DUPLICATE_CODES = frozenset(
    {"connector.multiple_instances_not_supported", "connector.multiple_target_with_same_platform"}
)


def create(
    api: ManagementAPI, factory: ConnectorFactory, config: dict[str, Any], properties: ConnectorChanges
) -> Connector:
    """Create a connector and return it. `properties` are `metadata` and `syncProfile`, as Logto accepts them.

    Raise ConnectorError if the tenant has such a connector already, or if Logto rejects the config.
    """
    payload = cast("NewConnector", {"connectorId": factory["id"], "config": config, **properties})
    try:
        return api.connectors.create(payload)
    except ManagementAPIError as error:
        if error.code not in DUPLICATE_CODES:
            raise _explained(error) from error
        target = properties.get("metadata", {}).get("target", factory["target"])
        existing = [each for each in api.connectors.all() if _conflicts(each, factory, target)]
        ids = " or ".join(each["id"] for each in existing)
        raise ConnectorError(
            "The tenant has this connector already, and Logto allows only one. To change it: "
            f"manage.py logto_connectors update {ids}"
        ) from error


def replaced_by(factory: ConnectorFactory, connectors: Iterable[Connector]) -> list[Connector]:
    """Return the connectors that Logto deletes when one of `factory` is created.

    Logto keeps one connector for e-mail and one for SMS.
    """
    return [each for each in connectors if each["type"] == factory["type"] and each["type"] in RECIPIENT_KEYS]


def update(api: ManagementAPI, connector: Connector, config: dict[str, Any], properties: ConnectorChanges) -> Connector:
    """Replace the config of a connector and return the connector. Raise ConnectorError if Logto rejects the config."""
    try:
        return api.connectors.update(connector["id"], {**properties, "config": config})
    except ManagementAPIError as error:
        raise _explained(error) from error


def send_test_message(api: ManagementAPI, connector: Connector, recipient: str) -> None:
    """Send a message by a connector for e-mail or SMS, with its stored config. Raise ConnectorError."""
    kind = connector["type"]
    if kind not in RECIPIENT_KEYS:
        raise ConnectorError(
            f"{connector['connectorId']} sends no messages. Only connectors for e-mail and SMS can be tested here. "
            "To test a social connector, sign in with it."
        )
    # Logto accepts a phone number as digits only.
    to = "".join(filter(str.isdigit, recipient)) if kind == "Sms" else recipient
    message: ConnectorTest = {"config": connector["config"]}
    message[RECIPIENT_KEYS[kind]] = to
    try:
        api.connectors.test(connector["connectorId"], message)
    except ManagementAPIError as error:
        raise _explained(error) from error


def _conflicts(connector: Connector, factory: ConnectorFactory, target: str) -> bool:
    has_same_target = (connector["target"], connector["platform"]) == (target, factory["platform"])
    return connector["connectorId"] == factory["id"] or has_same_target


def _explained(error: ManagementAPIError) -> LogtoError:
    """Return a ConnectorError with a line for each problem that Logto found in a config, or `error` itself."""
    issues = error.data.get("issues") if isinstance(error.data, Mapping) else None
    if error.code != "connector.invalid_config" or not isinstance(issues, list):
        return error
    lines = [f"{'.'.join(map(str, issue['path']))}: {issue['message']}" for issue in issues]
    return ConnectorError("\n".join(["Logto rejects the config.", *lines]))
