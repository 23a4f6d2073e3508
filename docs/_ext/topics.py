"""A Sphinx extension that puts the pages that a topic lists below it in the sidebar.

A topic is a page in a folder `topics`. Each line `- [Title](../page.md): what it is for` is an entry of its list.
"""

from __future__ import annotations

import posixpath
import re
from typing import Any

ENTRY = re.compile(r"^- \[(?P<title>.+?)\]\((?P<target>[\w./-]+)\.md\): ", re.MULTILINE)


def entries(text: str) -> list[tuple[str, str]]:
    """Return the title and the target, relative to the topic and without `.md`, of each entry."""
    return [(match["title"], match["target"]) for match in ENTRY.finditer(text)]


def with_toctree(docname: str, text: str) -> str:
    """Return the text of a topic with a hidden toctree of its entries."""
    folder = posixpath.dirname(docname)
    pages = ["/" + posixpath.normpath(posixpath.join(folder, target)) for _, target in entries(text)]
    return "\n".join([text, "```{toctree}", ":hidden:", "", *pages, "```", ""])


def _on_source_read(app: Any, docname: str, source: list[str]) -> None:
    if posixpath.basename(posixpath.dirname(docname)) == "topics":
        source[0] = with_toctree(docname, source[0])


def _on_build_finished(app: Any, exception: Exception | None) -> None:
    """Keep the order of the sidebar in llms.txt. Without entries, sphinx-llms-txt adds the folder of a page."""
    for docname in app.env.all_docs:
        app.env.toctree_includes.setdefault(docname, [])


def setup(app: Any) -> dict[str, bool]:
    """Connect the extension to Sphinx."""
    app.connect("source-read", _on_source_read)
    app.connect("build-finished", _on_build_finished, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
