"""Small pieces of Markdown."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table. A `|` or a line break in a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|")


def doc_of(value: object) -> str:
    """Return the docstring without indentation."""
    return inspect.getdoc(value) or ""


def first_sentence(text: str) -> str:
    """Return the text up to the first full stop that ends a sentence, on one line."""
    paragraph = re.sub(r"\s+", " ", text.partition("\n\n")[0])
    return re.split(r"(?<=[.?!])\s(?=[A-Z`])", paragraph, maxsplit=1)[0]
