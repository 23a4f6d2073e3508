"""System checks, from the instances of `Problem`."""

from __future__ import annotations

import importlib
import re

from logto_auth.checks.problem import Problem

from . import markdown


def modules() -> list[str]:
    """Return the modules that define checks."""
    return [f"logto_auth.checks.{name}" for name in ("settings", "project", "templates", "deployment")]


def table(module: str) -> str:
    """Return a table of the problems that a module defines. Values that vary are in italics."""
    problems = [value for value in vars(importlib.import_module(module)).values() if isinstance(value, Problem)]
    rows = [(f"`{each.id}`", _readable(each.message), _readable(each.remedy)) for each in problems]
    return markdown.table(("Id", "Message", "Remedy"), rows)


def _readable(template: str) -> str:
    return re.sub(r"\{(\w+)\}", r"*\1*", template.replace("<", "\\<"))
