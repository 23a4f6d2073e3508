"""`docs/reference/api.md` lists the public names. They are those in `__all__`, and pages import no others."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

import pytest

from .pages import DOCS, PYTHON, Block

sys.path.insert(0, str(DOCS / "_ext"))

from reference import api

LISTED = api.listed((DOCS / "reference" / "api.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("module", LISTED)
def test_listed_names_are_those_of_the_module(module: str) -> None:
    assert LISTED[module]
    assert LISTED[module] == api.public_names(module)


def imported_names(block: Block) -> Iterator[tuple[str, str]]:
    """Return module and name of each import from the package."""
    for node in ast.walk(ast.parse(block.code)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("logto_auth"):
            yield from ((str(node.module), name.name) for name in node.names)


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_snippet_imports_public_names(block: Block) -> None:
    assert [(module, name) for module, name in imported_names(block) if name not in LISTED.get(module, [])] == []
