"""A Sphinx extension that gives the pages what the theme leaves out and a screen reader or a keyboard needs.

The captions of the sidebar are headings without a level. Empty header cells of tables are announced as headers. Some
browsers do not let the keyboard reach a code block that scrolls.
"""

from __future__ import annotations

from typing import Any

REPLACEMENTS = {
    "furo_navigation_tree": [('role="heading">', 'role="heading" aria-level="2">')],
    "body": [
        ('<th class="head"><p></p></th>', '<td class="head"></td>'),
        ("<pre>", '<pre tabindex="0">'),
    ],
}


def _on_page_context(app: Any, pagename: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    for name, replacements in REPLACEMENTS.items():
        for old, new in replacements:
            context[name] = context.get(name, "").replace(old, new)


def setup(app: Any) -> dict[str, bool]:
    """Connect the extension to Sphinx."""
    # After the theme, which makes the tree.
    app.connect("html-page-context", _on_page_context, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
