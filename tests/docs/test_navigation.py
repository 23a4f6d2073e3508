"""The sidebar: four groups, and topics that list each of their pages by its title."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from .pages import DOCS, text_of

sys.path.insert(0, str(DOCS / "_ext"))
from topics import entries

TOPICS = sorted(DOCS.glob("*/topics/*.md"))
TOCTREES = re.findall(r"^```\{toctree\}\n(.*?)^```$", text_of("docs/index.md"), re.MULTILINE | re.DOTALL)


def test_sidebar_has_four_short_groups() -> None:
    groups = {re.search(r":caption: (.*)", each)[1]: re.findall(r"^[\w/-]+$", each, re.MULTILINE) for each in TOCTREES}
    assert list(groups) == ["Start", "How to", "Reference", "Explanation"]
    assert max(map(len, groups.values())) <= 10


def test_each_page_is_listed_once() -> None:
    listed = [DOCS / f"{page}.md" for each in TOCTREES for page in re.findall(r"^[\w/-]+$", each, re.MULTILINE)]
    for topic in TOPICS:
        listed += [(topic.parent / f"{target}.md").resolve() for _, target in entries(topic.read_text())]
    # The page of decisions lists them by a pattern.
    pages = [page for page in DOCS.rglob("*.md") if "_build" not in page.parts and not page.name.startswith("0")]
    assert sorted(listed) == sorted(page for page in pages if page != DOCS / "index.md")


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.relative_to(DOCS).as_posix())
def test_topic_names_its_pages_by_their_titles(topic: Path) -> None:
    for title, target in entries(topic.read_text(encoding="utf-8")):
        page = (topic.parent / f"{target}.md").read_text(encoding="utf-8")
        assert page.startswith(f"# {title}\n"), target
