"""Error classes from `logto_auth.exceptions`, and the codes with which the code raises them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from django.utils import translation

import logto_auth
from logto_auth import exceptions
from logto_auth.exceptions import LogtoError
from logto_auth.sign_in.error_page import MESSAGES

from . import markdown

PACKAGE = Path(logto_auth.__file__).parent
# The codes there are Logto's own.
CODES_OF_LOGTO = {"account_api", "emulator", "management_api"}


def tree(_: str) -> str:
    """Return the classes as an indented tree, with the class of Django or Python that each one also extends."""
    return "\n".join(["```text", *_branch(LogtoError, ""), "```"])


def _branch(error: type[LogtoError], indent: str) -> Iterator[str]:
    also = [base.__name__ for base in error.__bases__ if not issubclass(base, LogtoError) and base is not Exception]
    yield f"{indent}{error.__name__}" + (f" ({', '.join(also)})" if also else "")
    for child in _classes():
        if _parent(child) is error:
            yield from _branch(child, indent + "    ")


def _parent(error: type) -> type | None:
    return next((base for base in error.__mro__[1:] if base in _classes()), None)


def classes(_: str) -> str:
    """Return a table of the classes with code and status by default."""
    rows = [
        (f"`{error.__name__}`", f"`{error.code}`", str(error.status), markdown.doc_of(error)) for error in _classes()
    ]
    return markdown.table(("Class", "Code", "Status", "Meaning"), rows)


def codes(_: str) -> str:
    """Return a table of the codes that the error page knows."""
    raised = raised_errors()
    with translation.override("en"):
        rows = [
            (
                f"`{code}`",
                ", ".join(sorted({str(status) for status, _ in raised[code]})),
                ", ".join(f"`{name}`" for name in sorted({name for _, name in raised[code]})),
                str(title),
            )
            for code, (title, _) in MESSAGES.items()
        ]
    return markdown.table(("Code", "Status", "Raised as", "Title of the page"), rows)


@cache
def raised_errors() -> dict[str, set[tuple[int, str]]]:
    """Return each code with the statuses and classes with which the source raises it."""
    found: dict[str, set[tuple[int, str]]] = {}
    for error in _classes():
        found.setdefault(error.code, set()).add((error.status, error.__name__))
    for file in PACKAGE.rglob("*.py"):
        if not CODES_OF_LOGTO & set(file.parts):
            for code, status, name in _raised_in(ast.parse(file.read_text(encoding="utf-8"))):
                found.setdefault(code, set()).add((status, name))
    return found


def _raised_in(tree: ast.Module) -> Iterator[tuple[str, int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            error: Any = getattr(exceptions, node.func.id, None)
            keywords: dict[str | None, Any] = {
                each.arg: each.value.value for each in node.keywords if isinstance(each.value, ast.Constant)
            }
            if error in _classes() and "code" in keywords:
                yield keywords["code"], keywords.get("status", error.status), node.func.id
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "(code, status)":
            code, status = ast.literal_eval(node.value)
            yield code, status, "ProviderError"


def _classes() -> list[type[LogtoError]]:
    found = [each for each in vars(exceptions).values() if isinstance(each, type) and issubclass(each, LogtoError)]
    return sorted(found, key=lambda error: error.__name__)
