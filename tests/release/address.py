"""Put the public address of the repository into every file that names it.

`make address URL=https://github.com/acme/logto-auth` runs this. `Repository` in `[project.urls]` of `pyproject.toml`
defines the address. Every other copy is replaced together with it, so the command also works after a move.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = "README.md"
# The workflows, the links to files and the private reports of vulnerabilities are those of GitHub.
ADDRESS = re.compile(r"https://github\.com/[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9][A-Za-z0-9._-]*(?<!\.git)")
DEFINITION = re.compile(r'^Repository = "([^"]+)"$', re.MULTILINE)
# The title, and whether other badges follow it.
TITLE_OF_README = re.compile(r"\A(# .+\n\n)(?=(!\[)?)")
BADGE = "[![Tests]({address}/actions/workflows/tests.yml/badge.svg)]({address}/actions/workflows/tests.yml)\n"


# Not the beginning of a longer name, such as logto-auth-js or logto-auth.js.
_END = r"(?![\w-])(?!\.(?!git\b)\w)"


class AddressError(ValueError):
    """The address cannot be used, or the files do not say where it is defined."""


def defined_address(folder: Path) -> str:
    """Return the address that `pyproject.toml` in this folder defines. Raise AddressError unless it defines one."""
    found = DEFINITION.findall((folder / "pyproject.toml").read_text(encoding="utf-8"))
    if len(found) != 1:
        raise AddressError(f"pyproject.toml has {len(found)} lines `Repository = ...`, expected one.")
    return found[0]


def is_placeholder(address: str) -> bool:
    """Return whether the repository has no public address yet."""
    return address.split("/")[3] == "OWNER"


def _name(address: str) -> str:
    """Return the address without `https://github.com/`."""
    return address.removeprefix("https://github.com/")


def copies_of(address: str) -> re.Pattern[str]:
    """Return a pattern of owner and name, also without `https://github.com/`, and not of a longer name."""
    return re.compile(rf"(?:(?<=https://github\.com/)|(?<![\w./-])){re.escape(_name(address))}{_END}")


def text_files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Return path and text of each text file that git tracks or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=folder, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        path = folder / name
        if path.is_symlink() or not path.is_file():
            continue
        data = path.read_bytes()
        if b"\0" not in data:
            yield path, data.decode("utf-8", errors="surrogateescape")


def _with_badge(readme: str, address: str) -> str:
    """Return the README with the badge below its title, in one paragraph with other badges."""
    title = TITLE_OF_README.match(readme)
    if title is None:
        raise AddressError("README.md does not begin with a title and an empty line.")
    return title[1] + BADGE.format(address=address) + ("" if title[2] else "\n") + readme[title.end() :]


def replace_address(folder: Path, address: str) -> list[str]:
    """Replace the defined address by this one in all files, and return the names of the files that changed.

    A public address adds the badges of the workflows to the README. Raise AddressError, without a change, if this is
    not the address of a repository on GitHub, or if the README has no title.
    """
    address = address.rstrip("/").removesuffix(".git")
    if not ADDRESS.fullmatch(address):
        raise AddressError(f"{address!r} is not an address such as https://github.com/acme/logto-auth.")
    former = copies_of(defined_address(folder))
    changed = {}
    for path, text in text_files(folder):
        new = former.sub(lambda _match: _name(address), text)
        if path == folder / README and not is_placeholder(address) and "/badge.svg)" not in new:
            new = _with_badge(new, address)
        if new != text:
            changed[path] = new
    for path, text in changed.items():
        path.write_bytes(text.encode("utf-8", errors="surrogateescape"))
    return [path.relative_to(folder).as_posix() for path in changed]


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or not arguments[0]:
        print("Usage: make address URL=https://github.com/acme/logto-auth", file=sys.stderr)
        return 2
    try:
        changed = replace_address(ROOT, arguments[0])
    except AddressError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join([*changed, f"{len(changed)} files changed."]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
