"""Social connectors, and which of them a page shows (logto.md, 8.4 and 8.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flask import request

from .native_sdk import NATIVE_SDK_HEADER, read_native_sdk
from .provider import Provider


@dataclass(frozen=True)
class Connector:
    """A connector of the tenant. `target` is the provider: accounts there belong to it, not to the connector."""

    id: str
    factory_id: str
    target: str
    platform: Literal["Web", "Native"]


_CONNECTORS = (
    Connector("alipayweb001", "alipay-web", "alipay", "Web"),
    Connector("alipaynative", "alipay-native", "alipay", "Native"),
)


def shown_connector(provider: Provider, target: str) -> Connector | None:
    """Return the connector by which the page that is asked for reaches this provider, or None.

    A browser is shown those for the Web. A web view is never shown these, only native ones, and of them only the
    providers that its app supports.
    """
    sdk = read_native_sdk(request.headers.get(NATIVE_SDK_HEADER))
    if sdk is not None and target not in sdk.native_targets:
        return None
    platform = "Web" if sdk is None else "Native"
    enabled = provider.tenant.sign_in_experience.connectors
    wanted = (each for each in _CONNECTORS if (each.target, each.platform) == (target, platform))
    return next((connector for connector in wanted if connector.factory_id in enabled), None)
