"""Signals, from the string literals below their definitions."""

from __future__ import annotations

import ast
import importlib
import inspect
from itertools import pairwise

from django.dispatch import Signal


def modules() -> list[str]:
    """Return the modules that define signals."""
    return ["logto_auth.signals", "logto_auth.webhooks.signals", "logto_auth.audit.signals"]


def names(module: str) -> list[str]:
    """Return the names of the signals that a module defines."""
    return [name for name, value in vars(importlib.import_module(module)).items() if isinstance(value, Signal)]


def sections(module: str) -> str:
    """Return a heading and the description of each signal of a module."""
    described = descriptions(module)
    return "\n\n".join(f"### `{name}`\n\n{described.get(name, '')}" for name in names(module))


def descriptions(module: str) -> dict[str, str]:
    """Return the string literals that follow an assignment in the module, by the name that is assigned."""
    body = ast.parse(inspect.getsource(importlib.import_module(module))).body
    found = {}
    for node, following in pairwise(body):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(following, ast.Expr):
            found[node.targets[0].id] = inspect.cleandoc(ast.literal_eval(following.value))
    return found
