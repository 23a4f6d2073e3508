"""Settings, from `logto_auth.conf`."""

from __future__ import annotations

import re

from logto_auth.conf import conf

from . import markdown


def names() -> list[str]:
    """Return the names of all settings."""
    return [setting.name for setting in conf.all()]


def section(name: str) -> str:
    """Return the heading, type, default and meaning of a setting."""
    (setting,) = (setting for setting in conf.all() if setting.name == name)
    expected = re.sub(r"\b(False|None|True)\b", r"`\1`", setting.expected)
    required = " Required." if setting.required else ""
    return f"### `{name}`\n\nType: {expected}. Default: `{_shown(setting.default)}`.{required}\n\n{setting.help}"


def table(_: str) -> str:
    """Return a table of all settings in the order of the alphabet: a link, the default, and what the setting is."""
    rows = []
    for each in sorted(conf.all(), key=lambda each: each.name):
        default = _shown(each.default)
        # A long value would leave no room for the meaning. The section of the setting has it.
        default = f"`{default}`" if len(default) <= 16 else "…"
        rows.append((f"[`{each.name}`](#{each.name.lower()})", default, markdown.first_sentence(each.help)))
    return markdown.table(("Setting", "Default", "Meaning"), rows)


def _shown(default: object) -> str:
    return repr(default).replace("'", '"')
