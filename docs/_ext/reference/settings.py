"""Settings, from `logto_auth.conf`."""

from __future__ import annotations

import re

from logto_auth.conf import conf


def names() -> list[str]:
    """Return the names of all settings."""
    return [setting.name for setting in conf.all()]


def section(name: str) -> str:
    """Return the heading, type, default and meaning of a setting."""
    (setting,) = (setting for setting in conf.all() if setting.name == name)
    expected = re.sub(r"\b(False|None|True)\b", r"`\1`", setting.expected)
    required = " Required." if setting.required else ""
    default = repr(setting.default).replace("'", '"')
    return f"### `{name}`\n\nType: {expected}. Default: `{default}`.{required}\n\n{setting.help}"
