"""The sidebar has four groups, and topics that list their pages by title. The search ranks guides first."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
import quickjs

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


def scorer(query: str) -> quickjs.Context:
    """Return the scorer of the search, on a page that searches for `query`."""
    context = quickjs.Context()
    context.eval(f"class URLSearchParams {{ get() {{ return {json.dumps(query)}; }} }}")
    context.eval("const window = {location: {}};")
    context.eval((DOCS / "_ext" / "scorer.js").read_text(encoding="utf-8"))
    return context


@pytest.mark.parametrize(
    ("query", "first", "second"),
    [
        ("sign out", "how-to/sign-out", "decisions/0001-seams-of-mozilla-django-oidc"),
        ("webhook", "how-to/webhooks", "decisions/0015-newer-webhooks-win"),
        ("second factor", "how-to/second-factor", "decisions/0041-the-time-of-a-second-factor"),
        ("second factor", "how-to/second-factor", "reference/settings"),
        ("webhook", "how-to/logto-cloud", "changelog"),
        ("impersonation", "how-to/support-access", "how-to/sessions"),
        ("logout", "how-to/sign-out", "how-to/docker-compose"),
    ],
)
def test_search_ranks_guides_first(query: str, first: str, second: str) -> None:
    """The guide is first even if Sphinx itself finds the other page in its title and the guide in its text."""
    context = scorer(query)

    def score(page: str, by_sphinx: int) -> float:
        title = text_of(f"docs/{page}.md").partition("\n")[0].removeprefix("# ")
        return context.eval(f"Scorer.score({json.dumps([page, title, '', None, by_sphinx, f'{page}.md', 'text'])})")

    assert score(first, 2) > score(second, 15)


def test_other_names_of_the_search_lead_to_pages() -> None:
    script = (DOCS / "_ext" / "scorer.js").read_text(encoding="utf-8")
    pages = re.findall(r'^  "?\w+"?: "([\w/-]+)",$', script, re.MULTILINE)
    assert len(pages) >= 5
    assert [page for page in pages if not (DOCS / f"{page}.md").is_file()] == []


def test_search_finds_a_setting_by_its_name() -> None:
    context = scorer("LOGTO_ENDPOINT")
    setting = ["reference/settings", "Settings > LOGTO_ENDPOINT", "#logto-endpoint", None, 15, "", "title"]
    guide = ["how-to/deploy", "Go live > Change LOGTO_ENDPOINT", "#change-logto-endpoint", None, 11, "", "title"]
    assert context.eval(f"Scorer.score({json.dumps(setting)}) > Scorer.score({json.dumps(guide)})")
