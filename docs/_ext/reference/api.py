"""The page of public names: each name gets the first sentence of its docstring.

The names themselves are written in the page. `tests/docs/test_public_names.py` compares them with `__all__`.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from . import markdown

MODULE = re.compile(r"^## `(?P<module>[\w.]+)`$")
PAGE = Path(__file__).resolve().parents[2] / "reference" / "api.md"
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


def public_names(module: str) -> list[str]:
    """Return `__all__` of a module, sorted."""
    for node in _tree(module).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return sorted(ast.literal_eval(node.value))
    return []


def sentence_about(name: str) -> str:
    """Return the first sentence of the docstring of a module, or of a public name of one."""
    if name.startswith("logto_auth."):
        return markdown.first_sentence(ast.get_docstring(_tree(name)) or "")
    modules = listed(PAGE.read_text(encoding="utf-8"))
    # Types of what Logto returns have the same names as other classes.
    found = (module for module, names in modules.items() if name in names and not module.endswith(".types"))
    return next((_description(module, name) for module in found), "")


def _tree(module: str) -> ast.Module:
    """Return the parsed source of a module. The module is not imported: some need an optional package."""
    spec = importlib.util.find_spec(module)
    return ast.parse(Path(spec.origin).read_text(encoding="utf-8")) if spec and spec.origin else ast.Module([], [])


def describe(text: str) -> str:
    """Return the page with a description behind each name."""
    lines, module = [], ""
    for line in text.splitlines():
        if heading := MODULE.match(line):
            module = heading["module"]
        name = NAME.match(line)
        description = _description(module, name["name"]) if name else ""
        lines.append(f"{line}: {description}" if description else line)
    return "\n".join(lines) + "\n"


def _description(module: str, name: str) -> str:
    try:
        value = getattr(importlib.import_module(module), name)
    except (ImportError, ImproperlyConfigured):
        return ""
    # A constant has the docstring of its type, which says nothing about it.
    return markdown.first_sentence(markdown.doc_of(value)) if callable(value) else ""
