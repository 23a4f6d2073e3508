"""Find connectors and factories, and describe them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from logto_auth.exceptions import ConnectorError, ManagementAPIError
from logto_auth.management_api import ManagementAPI

if TYPE_CHECKING:
    from logto_auth.management_api.types import Connector, ConnectorFactory

__all__ = ["callback_uri", "describe", "find_connector", "find_factory"]


def find_connector(connectors: Sequence[Connector], name: str) -> Connector:
    """Return the connector with the id `name`, or the only one of the factory `name`. Raise ConnectorError."""
    found = [each for each in connectors if name in (each["id"], each["connectorId"])]
    if len(found) > 1:
        raise ConnectorError(f"The factory {name} has several connectors: {describe(found)}. Pass the id of one.")
    if not found:
        raise ConnectorError(f"No connector has the id or the factory {name!r}. Existing: {describe(connectors)}.")
    return found[0]


def find_factory(api: ManagementAPI, factory_id: str) -> ConnectorFactory:
    """Return the factory with this id. Raise ConnectorError, which lists the factories with similar ids."""
    try:
        return api.connectors.factory(factory_id)
    except ManagementAPIError as error:
        if error.status != 404:
            raise
    ids = [each["id"] for each in api.connectors.factories()]
    similar = ", ".join(get_close_matches(factory_id, ids, cutoff=0.4) or ids)
    raise ConnectorError(f"Logto has no factory {factory_id!r}. Expected one of: {similar}.")


def callback_uri(endpoint: str, connector: Connector) -> str:
    """Return the callback URL to register at the provider of a social connector. It is a URL of Logto, not the site."""
    return f"{endpoint.rstrip('/')}/callback/{connector['id']}"


def describe(connectors: Iterable[Connector]) -> str:
    """Return the ids and factories of the connectors, or "none"."""
    return ", ".join(f"{each['id']} ({each['connectorId']})" for each in connectors) or "none"
