"""The page of public names: each name gets the first sentence of its docstring.

The names themselves are written in the page. `tests/docs/test_public_names.py` compares them with `__all__`.
"""

from __future__ import annotations

import importlib
import re

from . import markdown

MODULE = re.compile(r"^## `(?P<module>[\w.]+)`$")
NAME = re.compile(r"^- `(?P<name>\w+)`$")


def listed(text: str) -> dict[str, list[str]]:
    """Return the names that the page lists, by module."""
    found: dict[str, list[str]] = {}
    module = ""
    for line in text.splitlines():
        if heading := MODULE.match(line):
            module = heading["module"]
            found[module] = []
        elif name := NAME.match(line):
            found[module].append(name["name"])
    return found


def describe(text: str) -> str:
    """Return the page with a description behind each name."""
    lines, module = [], ""
    for line in text.splitlines():
        if heading := MODULE.match(line):
            module = heading["module"]
        name = NAME.match(line)
        lines.append(line + (_description(module, name["name"]) if name else ""))
    return "\n".join(lines) + "\n"


def _description(module: str, name: str) -> str:
    value = getattr(importlib.import_module(module), name)
    # Constants and modules have the docstring of their type, which says nothing about them.
    text = markdown.doc_of(value) if callable(value) else ""
    return f": {markdown.first_sentence(text)}" if text else ""
