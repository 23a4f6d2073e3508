"""A Sphinx extension for pages in several languages.

`sphinx-build` builds the site in English, and each other language with `-D language=...` into its folder (`FOLDERS`)
below that site. It has only the pages of `TRANSLATED`, whose links to other pages lead to the site in English.
Each translated page has links to its other languages.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from reference import contents, settings
from sphinx import addnodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.osutil import relative_uri

TRANSLATED = ["guides/django-alipay-native", "tutorial"]
# The folder of each language below the site in English, and its name for itself.
FOLDERS = {"en": "", "ja": "ja/", "zh_CN": "zh-cn/"}
NAMES = {"en": "English", "ja": "日本語", "zh_CN": "简体中文"}
# The codes of HTML, where they differ from those of Sphinx.
CODES = {"zh_CN": "zh-Hans"}


def id_in_english(page: Path, wanted: str) -> str:
    """Return the id that the heading with an anchor has in the page as built. Raise `ValueError` if there is none."""
    for heading in re.findall(r"^#{1,4} (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE):
        if contents.anchor(heading) == wanted:
            return nodes.make_id(heading)
    if page.stem == "settings" and wanted.upper() in settings.names():
        return nodes.make_id(wanted)
    raise ValueError(f"{page} has no heading with the anchor {wanted}.")


class LinksToEnglish(SphinxPostTransform):
    """Links to pages without a translation lead to the site in English."""

    # Before MyST resolves links.
    default_priority = 8

    def run(self, **_: Any) -> None:
        if self.config.language == "en":
            return
        here = FOLDERS[self.config.language] + self.env.docname
        for node in list(self.document.findall(addnodes.pending_xref)):
            if node["reftype"] == "myst" and node["refdomain"] == "doc" and node["reftarget"] not in self.env.all_docs:
                uri = relative_uri(here, node["reftarget"]) + ".html"
                if node["reftargetid"]:
                    page = Path(self.app.srcdir) / f"{node['reftarget']}.md"
                    uri += "#" + id_in_english(page, node["reftargetid"])
                node.replace_self(nodes.reference("", "", *node.children, refuri=uri, internal=True))


def _on_config_inited(app: Any, config: Any) -> None:
    if config.language != "en":
        config.include_patterns = [f"{page}.md" for page in TRANSLATED]
        config.root_doc = TRANSLATED[0]
        # The sidebar has a list of its own.
        config.suppress_warnings = [*config.suppress_warnings, "toc.not_included"]
        names = ["sidebar/brand", "sidebar/search", "sidebar/scroll-start", "translated-pages", "sidebar/scroll-end"]
        config.html_sidebars = {"**": [f"{name}.html" for name in names]}
        config.llms_txt_file = config.llms_txt_full_file = False


def _on_page_context(app: Any, pagename: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    language = app.config.language
    here = FOLDERS[language] + pagename
    if pagename in TRANSLATED:
        languages = [
            (NAMES[each], CODES.get(each, each), "" if each == language else _uri(here, each, pagename))
            for each in FOLDERS
        ]
        switch = app.builder.templates.render("languages.html", {"languages": languages, "language": language})
        context["body"] = switch + context["body"]
    if language != "en":
        context["this_language"] = language
        context["translated_pages"] = [(app.env.titles[page].astext(), context["pathto"](page)) for page in TRANSLATED]
        context["in_english"] = _uri(here, "en", "index")


def _uri(here: str, language: str, page: str) -> str:
    return relative_uri(here, FOLDERS[language] + page) + ".html"


def setup(app: Any) -> dict[str, bool]:
    """Connect the extension to Sphinx."""
    app.connect("config-inited", _on_config_inited)
    app.connect("html-page-context", _on_page_context)
    app.add_post_transform(LinksToEnglish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
