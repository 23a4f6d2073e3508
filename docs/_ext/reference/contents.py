"""The table at the top of a long page: a link to each section, and what the section says first."""

from __future__ import annotations

import re

from . import api, markdown

MARKER = "<!-- reference: contents -->"
SECTION = re.compile(r"^## (?P<heading>.+)\n(?P<text>(?:(?!## ).*\n?)*)", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
PROSE = re.compile(r"\A\n*(?P<paragraph>(?:(?!```|<!|\||- |#|[ ]).+\n?)+)")
SUBSECTION = re.compile(r"^### (?P<heading>.+)", re.MULTILINE)
CODE = re.compile(r"^`(?P<name>[\w.]+)`$")


def anchor(heading: str) -> str:
    """Return the anchor that MyST and GitHub give to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def insert(text: str) -> str:
    """Return the page with a table of its sections in place of the marker."""
    if MARKER not in text:
        return text
    found = SECTION.finditer(FENCE.sub("", text.partition(MARKER)[2]))
    rows = [
        (f"[{each['heading']}](#{anchor(each['heading'])})", _said(each["heading"], each["text"])) for each in found
    ]
    return text.replace(MARKER, markdown.table(("Section", "What it is about"), rows))


def _said(heading: str, text: str) -> str:
    """Return a sentence about a section: of the module or class that it is about, or its own first one."""
    name = CODE.match(heading)
    sentence = api.sentence_about(name["name"]) if name else ""
    paragraph = PROSE.match(text)
    if not sentence and paragraph:
        sentence = markdown.first_sentence(paragraph["paragraph"])
    return sentence.strip().removesuffix(":") or ", ".join(SUBSECTION.findall(text))
