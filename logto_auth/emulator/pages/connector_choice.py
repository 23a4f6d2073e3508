"""Which social connector a page shows (logto.md, 8.4 and 8.5)."""

from __future__ import annotations

from flask import request

from logto_auth.emulator.provider import Provider
from logto_auth.emulator.state.social_connectors import Connector

from .native_sdk import NATIVE_SDK_HEADER, read_native_sdk


def shown_connector(provider: Provider, target: str) -> Connector | None:
    """Return the connector by which the page that is asked for reaches this provider, or None.

    A browser is shown those for the Web. A web view is never shown these, only native ones, and of them only the
    providers that its app supports.
    """
    sdk = read_native_sdk(request.headers.get(NATIVE_SDK_HEADER))
    if sdk is not None and target not in sdk.native_targets:
        return None
    platform = "Web" if sdk is None else "Native"
    enabled = provider.tenant.sign_in_experience.enabled_connectors
    return next((each for each in enabled if (each.target, each.factory.platform) == (target, platform)), None)
