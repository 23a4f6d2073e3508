"""Say what has to change before this commit can be released. `make ready TAG=v0.1.0` runs this."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from .address import ROOT, defined_address, is_placeholder

UNRELEASED = re.compile(r"\bunreleased\b|\bnot (?:yet )?(?:released|on PyPI)\b", re.IGNORECASE)


def obstacles(folder: Path, tag: str) -> Iterator[str]:
    """Return each reason why the files in this folder are not the release of this tag, as text."""
    project = (folder / "pyproject.toml").read_text(encoding="utf-8")
    package = (folder / "logto_auth" / "__init__.py").read_text(encoding="utf-8")
    for name, found in (
        ("pyproject.toml", re.findall(r'^version = "(.+)"$', project, re.MULTILINE)),
        ("logto_auth/__init__.py", re.findall(r'^__version__ = "(.+)"$', package, re.MULTILINE)),
    ):
        if [f"v{version}" for version in found] != [tag]:
            yield f"{name} has the version {' and '.join(found) or 'nowhere'}, expected {tag.removeprefix('v')}."
    if is_placeholder(defined_address(folder)):
        yield "The repository has no public address: make address URL=https://github.com/acme/logto-auth"
    version = re.escape(tag.removeprefix("v"))
    changelog = (folder / "CHANGELOG.md").read_text(encoding="utf-8")
    if not re.search(rf"^## {version} \(\d{{4}}-\d{{2}}-\d{{2}}\)$", changelog, re.MULTILINE):
        yield f"CHANGELOG.md has no heading `## {tag.removeprefix('v')} (YYYY-MM-DD)`."
    for name in ("README.md", "CHANGELOG.md", "SECURITY.md", "docs/index.md"):
        if match := UNRELEASED.search((folder / name).read_text(encoding="utf-8")):
            yield f"{name} says {match[0]!r}."


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or not re.fullmatch(r"v\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?", arguments[0]):
        print("Usage: make ready TAG=v0.1.0", file=sys.stderr)
        return 2
    found = list(obstacles(ROOT, arguments[0]))
    print("\n".join(found) or f"This is {arguments[0]}.", file=sys.stderr if found else sys.stdout)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
