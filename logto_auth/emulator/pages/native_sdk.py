"""The mark of Logto's native SDK, by which a page knows an app's web view (logto.md, 8.5).

In a real app the SDK sets `window.logtoNativeSdk`, and Logto's page is a script that looks there. The emulator's pages
are plain HTML, so whoever plays the app sends that object along with every request, as JSON:

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
    """What the app can do: `native_targets` are the providers whose own SDK it has built in."""

    native_targets: frozenset[str]


def native_sdk_header(platform: str, native_targets: Iterable[str]) -> str:
    """Return the mark as an app sends it."""
    supported = {"universal": False, "nativeTargets": list(native_targets)}
    return json.dumps({"platform": platform, "supportedConnector": supported})


def read_native_sdk(header: str | None) -> NativeSdk | None:
    """Return the mark, or None for a browser: that is whoever names no platform that Logto knows."""
    try:
        mark = json.loads(header or "")
    except ValueError:
        return None
    if not isinstance(mark, dict) or mark.get("platform") not in _PLATFORMS:
        return None
    supported = mark.get("supportedConnector")
    targets = supported.get("nativeTargets") if isinstance(supported, dict) else None
    return NativeSdk(frozenset(map(str, targets)) if isinstance(targets, list) else frozenset())
