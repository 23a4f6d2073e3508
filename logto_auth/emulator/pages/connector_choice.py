"""The choice of the social connector that a page shows."""

from __future__ import annotations

from flask import request

from logto_auth.emulator.provider import Provider
from logto_auth.emulator.state.social_connectors import Connector

from .native_sdk import NATIVE_SDK_HEADER, read_native_sdk


def shown_connector(provider: Provider, target: str) -> Connector | None:
    """Return the connector for this social provider that the current page shows, or None.

    Browsers see Web connectors. Web views of apps see Native connectors for the providers that the app supports.
    """
    sdk = read_native_sdk(request.headers.get(NATIVE_SDK_HEADER))
    if sdk is not None and target not in sdk.native_targets:
        return None
    platform = "Web" if sdk is None else "Native"
    enabled = provider.tenant.sign_in_experience.enabled_connectors
    return next((each for each in enabled if (each.target, each.factory.platform) == (target, platform)), None)
