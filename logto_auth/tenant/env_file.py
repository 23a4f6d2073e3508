"""Files of settings for the environment, a line `NAME=value` for each, that hold secrets."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

# What needs no quotes in any shell or reader of such files; every value that Logto makes is like that.
PLAIN = re.compile(r"[A-Za-z0-9._~:/@\[\]-]*")
ASSIGNMENT = re.compile(r"\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=")


def check(path: Path) -> None:
    """Raise OSError where `write` could not write."""
    folder = path.resolve().parent
    if path.is_dir() or not os.access(folder, os.W_OK):
        raise OSError(errno.EACCES, "it is a folder" if path.is_dir() else f"no right to write in {folder}")


def write(path: Path, values: Mapping[str, str]) -> None:
    """Set the values in the file, which is made where it is not there. Other lines stay as they are.

    Only its owner may read it afterwards. It is replaced as a whole: nobody ever sees half of it. Raises
    ValueError for a value that would need quotes, and OSError.
    """
    for name, value in values.items():
        if not PLAIN.fullmatch(value):
            raise ValueError(f"The value of {name} holds a character that would need quotes in {path}.")
    # A link goes on being one.
    path = path.resolve()
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    _replace(path, "".join(f"{line}\n" for line in _with(lines, values)))


def _with(lines: list[str], values: Mapping[str, str]) -> list[str]:
    """The lines with each value in the place of its last line, or at the end."""
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
    # mkstemp's files are for their owner alone.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
