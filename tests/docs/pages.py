"""The pages of the documentation and the code blocks in them.

A Python block below a comment `<!-- snippet: <kind> -->` is run:

- `settings`: override the settings and pass the system checks
- `module a.b`: can be imported by the other blocks of its page
- `tests`, `api tests`, `app tests`: run with the fixtures of the pytest plugin
- `site settings`, `site urls`, `site view` and `site admin`: are the files of a new site
- `quick start`: are the commands for it

Other kinds have a test of their own.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(
    [*ROOT.glob("*.md"), *(page for page in DOCS.rglob("*.md") if "_build" not in page.relative_to(DOCS).parts)]
)
FENCE = re.compile(
    r"(?:<!-- snippet: (?P<kind>[^\n]+?) -->\n)?^(?P<fence>```+)(?P<language>[^\n]*)\n(?P<code>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A fenced block of code in a page."""

    page: str
    line: int
    language: str
    kind: str
    code: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    def run(self, **names: Any) -> dict[str, Any]:
        """Run it with these global names, and return its global names afterwards."""
        namespace = {"__name__": "snippet", **names}
        exec(compile(self.code, str(self), "exec"), namespace)
        return namespace


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks_of(page: str) -> list[Block]:
    text = text_of(page)
    return [
        Block(page, text.count("\n", 0, match.start("code")) + 1, match["language"], match["kind"] or "", match["code"])
        for match in FENCE.finditer(text)
    ]


def the_block(page: str, kind: str) -> Block:
    """Return the only block of this kind in the page."""
    (block,) = (block for block in blocks_of(page) if block.kind == kind)
    return block


BLOCKS = [block for page in PAGES for block in blocks_of(page.relative_to(ROOT).as_posix())]
PYTHON = [block for block in BLOCKS if block.language == "python"]


def examples(kind: str) -> Any:
    """Return a mark that runs a test with each test function in blocks of this kind."""
    return pytest.mark.parametrize(
        ("block", "name"),
        [
            pytest.param(block, name, id=name)
            for block in BLOCKS
            if block.kind == kind
            for name in re.findall(r"^def (test_\w+)", block.code, re.MULTILINE)
        ],
    )


def run_example(block: Block, name: str, request: pytest.FixtureRequest) -> None:
    """Call a function of the block with the fixtures that its parameters name."""
    function = block.run()[name]
    function(**{argument: request.getfixturevalue(argument) for argument in inspect.signature(function).parameters})
