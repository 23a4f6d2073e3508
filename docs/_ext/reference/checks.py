"""System checks, from the instances of `Problem`."""

from __future__ import annotations

import importlib
import pkgutil
import re

from logto_auth import checks
from logto_auth.checks.problem import Problem

from . import markdown


def modules() -> list[str]:
    """Return the modules that define problems."""
    names = [module.name for module in pkgutil.iter_modules(checks.__path__, "logto_auth.checks.")]
    return [name for name in names if _problems(name)]


def table(module: str) -> str:
    """Return a table of the problems that a module defines. Values that vary are in italics."""
    rows = [(f"`{each.id}`", _readable(each.message), _readable(each.remedy)) for each in _problems(module)]
    return markdown.table(("Id", "Message", "Remedy"), rows)


def _problems(module: str) -> list[Problem]:
    return [value for value in vars(importlib.import_module(module)).values() if isinstance(value, Problem)]


def _readable(template: str) -> str:
    return re.sub(r"\{(\w+)\}", r"*\1*", template.replace("<", "\\<"))
