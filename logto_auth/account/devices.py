"""A readable name for the browser of a session, from its User-Agent header."""

from __future__ import annotations

from django.utils.translation import gettext as _

__all__ = ["device_name"]

# The first match counts: nearly every browser also names the browsers below it.
BROWSERS = {
    "MicroMessenger/": "WeChat",
    "AlipayClient/": "Alipay",
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser/": "Samsung Internet",
    "FxiOS/": "Firefox",
    "Firefox/": "Firefox",
    "CriOS/": "Chrome",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Macintosh": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}
MAX_LENGTH = 40


def device_name(user_agent: str) -> str:
    """Return a name such as "Firefox on Linux", or the start of an unknown User-Agent."""
    browser, system = _first(BROWSERS, user_agent), _first(SYSTEMS, user_agent)
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return user_agent.strip()[:MAX_LENGTH] or _("Unknown browser")


def _first(names: dict[str, str], user_agent: str) -> str | None:
    return next((name for mark, name in names.items() if mark in user_agent), None)
