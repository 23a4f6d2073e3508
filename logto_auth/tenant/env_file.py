"""Environment files: settings with secrets, one `NAME=value` per line."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

__all__ = ["check_writable", "write_values"]

# Values that need no quotes in any shell or parser of such files. All values that Logto generates match.
PLAIN = re.compile(r"[A-Za-z0-9._~:/@\[\]-]*")
ASSIGNMENT = re.compile(r"\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=")


def check_writable(path: Path) -> None:
    """Raise OSError if `write_values` could not write this file."""
    folder = path.resolve().parent
    if path.is_dir() or not os.access(folder, os.W_OK):
        raise OSError(errno.EACCES, "it is a folder" if path.is_dir() else f"no right to write in {folder}")


def write_values(path: Path, values: Mapping[str, str]) -> None:
    """Set the values in the file, and keep its other lines. The file is created if it does not exist.

    Afterwards only the owner can read it. It is replaced atomically, so a reader never sees half of it.
    Raise ValueError for a value that would need quotes. Raise OSError.
    """
    for name, value in values.items():
        if not PLAIN.fullmatch(value):
            raise ValueError(f"The value of {name} contains a character that would need quotes in {path}.")
    # A symbolic link is kept; the file it points to is replaced.
    path = path.resolve()
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    _replace(path, "".join(f"{line}\n" for line in _updated(lines, values)))


def _updated(lines: list[str], values: Mapping[str, str]) -> list[str]:
    """Return the lines with each value in the last line that sets it, or else at the end."""
    places = {
        found["name"]: number for number, line in enumerate(lines) if (found := ASSIGNMENT.match(line)) is not None
    }
    result: list[str] = []
    for number, line in enumerate(lines):
        found = ASSIGNMENT.match(line)
        if found is None or found["name"] not in values:
            result.append(line)
        elif places[found["name"]] == number:
            result.append(line[: found.end()] + values[found["name"]])
    return [*result, *(f"{name}={value}" for name, value in values.items() if name not in places)]


def _replace(path: Path, text: str) -> None:
    # mkstemp creates files that only the owner can read.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
