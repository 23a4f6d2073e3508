"""The header that tells the emulator's pages that they run in the web view of an app.

In a real app Logto's native SDK sets `window.logtoNativeSdk`, and the script of Logto's page reads it. The emulator's
pages are plain HTML, so a test sends that object as JSON in a header of each request:

    Logto-Native-Sdk: {"platform": "ios", "supportedConnector": {"universal": false, "nativeTargets": ["alipay"]}}
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

NATIVE_SDK_HEADER = "Logto-Native-Sdk"

_PLATFORMS = ("ios", "android")


@dataclass(frozen=True)
class NativeSdk:
    """The abilities of the app. `native_targets` are the social providers whose SDK it includes."""

    native_targets: frozenset[str]


def native_sdk_header(platform: str, native_targets: Iterable[str]) -> str:
    """Return the value of the header for an app."""
    supported = {"universal": False, "nativeTargets": list(native_targets)}
    return json.dumps({"platform": platform, "supportedConnector": supported})


def read_native_sdk(header: str | None) -> NativeSdk | None:
    """Return the content of the header, or None for a browser and for an unknown platform."""
    try:
        value = json.loads(header or "")
    except ValueError:
        return None
    if not isinstance(value, dict) or value.get("platform") not in _PLATFORMS:
        return None
    supported = value.get("supportedConnector")
    targets = supported.get("nativeTargets") if isinstance(supported, dict) else None
    return NativeSdk(frozenset(map(str, targets)) if isinstance(targets, list) else frozenset())
