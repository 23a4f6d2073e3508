"""Refuse a few phrases that our style avoids, in code, templates and documentation. `make lint` runs this script.

Each phrase is wrong wherever it appears, so there are no exceptions to maintain. This is a script, because the
dictionaries of codespell hold single words only. `CONTRIBUTING.md` has all rules of style.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("bench", "bookstore", "docs", "logto_auth", "templates", "tests")
SUFFIXES = {".html", ".md", ".py"}
# This list and its test.
EXCLUDED = {Path(__file__).resolve(), ROOT / "tests" / "test_check_phrases.py"}

# What to write instead.
REPLACEMENTS = {
    "as far as": "if",
    "half as long again": "1.5 times as long",
    "hearsay": "stale data",
    "however many": "any number of",
    "in vain": "without success",
    "logto's last word": "latest claims",
    "let back in": "reactivate",
    "lets back in": "reactivates",
    "makes up for": "applies what was lost",
    "nobody's": "machine-to-machine",
    "one's own": "the user's",
    "shut out": "suspend",
    "shuts out": "suspends",
    "somebody": "a user",
    "speaks for": "represents",
    "tell them apart": "distinguish them",
    "that which": "what",
    "told apart": "distinguished",
    "told of": "reported",
    "turned round": "reversed",
    "vouches for": "trusts",
    "whoever": "a user who",
    "word of logto": "reported by Logto",
}
PHRASES = re.compile(
    "|".join(rf"\b{re.escape(phrase)}\b".replace(r"\ ", r"\s+") for phrase in REPLACEMENTS), re.IGNORECASE
)


def files() -> Iterator[Path]:
    """Return the files whose texts are ours."""
    folders = [ROOT.glob("*.md"), *((ROOT / folder).rglob("*") for folder in FOLDERS)]
    for file in (file for found in folders for file in sorted(found)):
        if file.suffix in SUFFIXES and file not in EXCLUDED and "_build" not in file.parts:
            yield file


def faults(text: str) -> Iterator[tuple[int, str]]:
    """Return line number and phrase of each fault in the text. A phrase may span lines."""
    for match in PHRASES.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, " ".join(match[0].split())


def main() -> int:
    """Print the faults, and return the exit code."""
    found = False
    for file in files():
        for line, phrase in faults(file.read_text(encoding="utf-8")):
            found = True
            print(f'{file.relative_to(ROOT)}:{line}: "{phrase}": write "{REPLACEMENTS[phrase.lower()]}" or similar.')
    return int(found)


if __name__ == "__main__":
    sys.exit(main())
