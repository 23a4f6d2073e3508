"""The script for custom claims that a tenant has for its access tokens, and our block in it.

Logto has one script for all access tokens of a tenant, so a script of the tenant may already add other claims. Our
block stands between two marker lines. Only what is between them is ever replaced.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from logto_auth.exceptions import ConfigurationError
from logto_auth.oidc.authentication_methods import CLAIM

__all__ = ["CALL", "FUNCTION", "VERSION", "block", "merged_script", "misfit", "version_in"]

FUNCTION: Final = "logtoAuthClaims"
CALL: Final = f"...{FUNCTION}({{ token, context }})"
FILE = f"{CLAIM}.js"
NEW_FUNCTION = f"const getCustomJwtClaims = async (parameters) => ({{ ...{FUNCTION}(parameters) }});\n"
# A marker is alone on its line. JavaScript ends a line at each of these characters.
MARKER = re.compile(
    rf"(?:\A|(?<=[\n\r\u2028\u2029]))(?P<indent>[ \t]*)//[ \t]*logto_auth:[ \t]*(?P<kind>begin|end)[ \t]+{CLAIM}"
    r"(?:,[ \t]*version[ \t]+(?P<version>\d{1,9}))?[ \t]*(?P<newline>\r\n|[\n\r\u2028\u2029]|\Z)"
)


@dataclass(frozen=True)
class Block:
    """Our block in a script: where it is, with its last newline, and how it is written."""

    start: int
    end: int
    indent: str
    newline: str
    last_newline: str
    """Empty if the block ends the script."""
    version: int


@cache
def block() -> str:
    """Return our block, with its markers. It ends with a newline."""
    return (files("logto_auth.tenant") / FILE).read_text(encoding="utf-8")


def merged_script(script: str) -> str:
    """Return `script` with our block, or a new script if it is empty. All other text stays as it is.

    A block of a newer version stays too: another site of the tenant has installed it. Raise ConfigurationError if the
    script has no block that could be replaced, with what to add to it.
    """
    if not script.strip():
        return f"{block()}{NEW_FUNCTION}"
    found = _block_in(script)
    if isinstance(found, str):
        raise ConfigurationError(
            f"{found} Add this block to it, outside of any function, and add {CALL} to the object that "
            f"getCustomJwtClaims returns. Then run manage.py logto_setup again.\n\n{block()}"
        )
    if found.version > VERSION:
        return script
    return f"{script[: found.start]}{_written_like(found)}{script[found.end :]}"


def misfit(script: str) -> str:
    """Return in a sentence or two why our block does not fit into `script`, or an empty text."""
    found = _block_in(script) if script.strip() else None
    return found if isinstance(found, str) else ""


def version_in(script: str) -> int | None:
    """Return the version of our block in `script`, or None if it has no block that could be replaced."""
    found = _block_in(script)
    return None if isinstance(found, str) else found.version


def _block_in(script: str) -> Block | str:
    """Return our block in `script`, or why it has none."""
    markers = list(MARKER.finditer(script))
    if not markers:
        return (
            "The tenant has a script for the custom claims of access tokens without the block of logto_auth. A tenant "
            "has only one script, so it is not replaced."
        )
    if [each["kind"] for each in markers] != ["begin", "end"]:
        places = ", ".join(f"{each['kind']} in line {_line(script, each.start())}" for each in markers)
        return (
            "The script for the custom claims of access tokens has markers of logto_auth that do not fit together: "
            f"{places}. Expected one begin, and after it one end. Remove them in the Logto Console, on the page Custom "
            "JWT."
        )
    begin, end = markers
    version = int(begin["version"] or 0)
    return Block(begin.start(), end.end(), begin["indent"], begin["newline"], end["newline"], version)


def _written_like(found: Block) -> str:
    """Return our block with the newlines and the indentation that the block in the script has."""
    lines = (f"{found.indent}{line}" if line else "" for line in block().splitlines())
    return found.newline.join(lines) + found.last_newline


def _line(script: str, position: int) -> int:
    return len(re.findall(r"\r\n|[\n\r\u2028\u2029]", script[:position])) + 1


def _version() -> int:
    first = MARKER.match(block())
    assert first is not None
    return int(first["version"])


VERSION: Final = _version()
