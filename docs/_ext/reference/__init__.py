"""A Sphinx extension that fills the reference pages from the code.

The line `<!-- reference: setting LOGTO_ENDPOINT -->` in a page is replaced by the Markdown that `KINDS["setting"]`
returns for `LOGTO_ENDPOINT`. On the page of public names, each name gets the first sentence of its docstring.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import api, checks, console, contents, errors, settings, signals, tags, versions

MARKER = re.compile(r"^<!-- reference: (?P<kind>[\w-]+)(?: (?P<argument>\S+))? -->$", re.MULTILINE)
KINDS: dict[str, Callable[[str], str]] = {
    "setting": settings.section,
    "setting-table": settings.table,
    "checks": checks.table,
    "console-endpoints": console.endpoints,
    "console-errors": console.error_table,
    "console-methods": console.methods,
    "console-values": console.value_table,
    "error-tree": errors.tree,
    "error-classes": errors.classes,
    "error-codes": errors.codes,
    "signals": signals.sections,
    "tags": tags.sections,
    "logto-versions": versions.table,
}
# A page must have a marker for each of these arguments.
COMPLETE: dict[str, Callable[[], list[str]]] = {
    "reference/settings": settings.names,
    "reference/checks": checks.modules,
    "reference/signals": signals.modules,
}


class IncompleteReference(Exception):
    """A page lacks a part of the reference, or has an unknown marker."""


def fill(docname: str, text: str) -> str:
    """Return the page with generated parts in place of the markers. Raise `IncompleteReference` if one is missing."""
    found = [match["argument"] for match in MARKER.finditer(text)]
    expected = COMPLETE[docname]() if docname in COMPLETE else []
    missing = [name for name in expected if found.count(name) != 1]
    if missing:
        raise IncompleteReference(f"{docname}: expected one marker for each of {', '.join(missing)}.")
    text = contents.insert(text)
    if docname == "reference/api":
        return api.describe(text)
    return MARKER.sub(_generated, text)


def _generated(match: re.Match[str]) -> str:
    if match["kind"] not in KINDS:
        raise IncompleteReference(f"There is no kind {match['kind']!r} of reference. The kinds are {', '.join(KINDS)}.")
    return KINDS[match["kind"]](match["argument"] or "")


def _on_source_read(app: Any, docname: str, source: list[str]) -> None:
    source[0] = fill(docname, source[0])


def _on_build_finished(app: Any, exception: Exception | None) -> None:
    """Fill the copied sources too: llms-full.txt is made of them."""
    if exception is None and app.builder.name == "html":
        for docname in app.env.all_docs:
            text = Path(app.env.doc2path(docname)).read_text(encoding="utf-8")
            (Path(app.outdir) / "_sources" / f"{docname}.md").write_text(fill(docname, text), encoding="utf-8")


def setup(app: Any) -> dict[str, bool]:
    """Connect the extension to Sphinx."""
    app.connect("source-read", _on_source_read)
    app.connect("build-finished", _on_build_finished, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
