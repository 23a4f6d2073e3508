"""A page that is followed literally: its commands run in one shell, and its files are written between them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from .pages import ROOT, Block, blocks_of

# These need the network, or never end.
NOT_RUN = ("python -m pip install", "python manage.py runserver")
MARK = "#### "


def commands(block: Block) -> list[tuple[str, str]]:
    """Return the commands of a block, each with the output that the page shows."""
    parts = re.split(r"^\$ ", block.code, flags=re.MULTILINE)
    assert parts[0] == "", f"{block} does not begin with a command."
    return [(command.strip(), output.strip()) for command, _, output in (part.partition("\n") for part in parts[1:])]


def follow(page: str, files: dict[str, str], folder: Path, environment: dict[str, str]) -> list[tuple[str, str]]:
    """Follow the page in the folder. Return each command with what it has printed.

    `files` has the file for each kind of snippet. `>>` before its name adds the snippet to the file. A line
    `$ export NAME=...` of the page gets its value from `environment`. Raise `AssertionError` if a command fails.
    """
    lines = ["set -eo pipefail"]
    ran = []
    for block in blocks_of(page):
        if block.kind in files:
            name = files[block.kind].removeprefix(">>")
            redirect = ">>" if files[block.kind] != name else ">"
            lines.append(
                f"mkdir -p {Path(name).parent}; cat {redirect} {name} <<'END OF SNIPPET'\n{block.code}END OF SNIPPET"
            )
        if block.language != "console":
            continue
        for command, _ in commands(block):
            if command.startswith(NOT_RUN):
                continue
            if variable := re.match(r"export (\w+)=", command):
                command = f"export {variable[1]}={environment[variable[1]]}"
            ran.append(command)
            lines += [f"echo '{MARK}'", command]
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("LOGTO_", "DJANGO_", "TEST_"))
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", "\n".join(lines)],
        cwd=folder,
        env={**inherited, "PATH": path, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout
    return list(zip(ran, [each.strip() for each in done.stdout.split(f"{MARK}\n")[1:]], strict=True))
