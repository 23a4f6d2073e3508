"""The differences between versions of Logto, from `logto_auth.emulator.versions`."""

from __future__ import annotations

import ast
import inspect

from logto_auth.emulator import versions
from logto_auth.emulator.versions import VERSIONS, LogtoVersion

from . import markdown


def table(_: str) -> str:
    """Return a table with a row for each difference and a column for each version."""
    rows = [
        (meaning, *(_shown(getattr(version, name)) for version in VERSIONS.values()))
        for name, meaning in meanings().items()
    ]
    return markdown.table(("Difference", *(version.name for version in VERSIONS.values())), rows)


def meanings() -> dict[str, str]:
    """Return the text below each field of `LogtoVersion`, except for `name`."""
    tree = ast.parse(inspect.getsource(versions))
    (record,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == LogtoVersion.__name__)
    found = {}
    for field, text in zip(record.body, record.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            found[ast.unparse(field.target)] = " ".join(str(text.value.value).split())
    return {name: meaning for name, meaning in found.items() if name != "name"}


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "none"
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(f"`{each}`" for each in sorted(value)) or "none"
    return f"`{value}`" if isinstance(value, str) else str(value)
