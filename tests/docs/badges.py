"""The badges of README.md, from `pyproject.toml`: `python -m tests.docs.badges` writes them. A test compares them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .pages import ROOT

FOLDER = ROOT / "docs" / "images" / "badges"
# The width of a letter in the font below, in pixels, and the space beside each text.
LETTER, SPACE = 6.2, 12
BADGE = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{name}: {value}">
  <rect width="{width}" height="20" rx="3" fill="#7c3aed"/>
  <path d="M3 0h{left}v20H3a3 3 0 0 1-3-3V3a3 3 0 0 1 3-3z" fill="#3f3f46"/>
  <g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">
    <text x="{name_x}" y="14" textLength="{name_length}">{name}</text>
    <text x="{value_x}" y="14" textLength="{value_length}">{value}</text>
  </g>
</svg>
"""


def badges() -> Iterator[tuple[str, str]]:
    """Return file name and SVG of each badge."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (licence,) = re.findall(r'^license = "(.+)"$', project, re.MULTILINE)
    (logto,) = set(re.findall(r"Logto ([\d.]+) or newer,", (ROOT / "README.md").read_text(encoding="utf-8")))
    python = re.findall(r"Programming Language :: Python :: (\d+\.\d+)", project)
    django = re.findall(r"Framework :: Django :: ([\d.]+)", project)
    assert re.search(r"^\[tool\.mypy\]\n(?:.*\n)*?strict = true", project, re.MULTILINE)
    yield "python.svg", badge("python", f"{python[0]} – {python[-1]}")  # noqa: RUF001
    yield "django.svg", badge("django", f"{django[0]} – {django[-1]}")  # noqa: RUF001
    yield "logto.svg", badge("logto", f"{logto} or newer, Cloud")
    yield "types.svg", badge("types", "mypy strict")
    yield "licence.svg", badge("licence", licence)


def badge(name: str, value: str) -> str:
    name_length, value_length = (round(LETTER * len(text)) for text in (name, value))
    left, right = name_length + SPACE, value_length + SPACE
    return BADGE.format(
        name=name,
        value=value,
        width=left + right,
        left=left - 3,
        name_x=left / 2,
        value_x=left + right / 2,
        name_length=name_length,
        value_length=value_length,
    )


if __name__ == "__main__":
    for file, svg in badges():
        (FOLDER / file).write_text(svg, encoding="utf-8")
