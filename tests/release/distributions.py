"""Check the wheel and the source distribution in a folder. `make build` runs this.

The wheel contains exactly the files of `logto_auth/` that git tracks, so neither tests nor files of the machine. The
page of PyPI has no relative link. A second build, in another folder and under another umask and time zone, is the same
byte for byte.
"""

from __future__ import annotations

import email
import email.message
import hashlib
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# What the wheel has beside the package. The names are those of the build backend.
METADATA = re.compile(r"[^/]+\.dist-info/(METADATA|RECORD|WHEEL|licenses/LICENSE)")
# What the build backend adds to the source distribution.
GENERATED = {"PKG-INFO"}
RELATIVE_LINK = re.compile(
    r"\]\((?!\w+:|#)[^)]*\)|\b(?:src|href|srcset)=\"(?!\w+:|#)[^\"]*\"|^\[[^\]]+\]: +(?!\w+:|#)\S+", re.MULTILINE
)
# A key or a token that a file of the package should not contain, with enough text to be a real one.
SECRET = re.compile(
    rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{40}"
    rb"|\b(?:ghp|gho|github_pat|pypi|glpat|xox[bp]|sk_live)[-_][A-Za-z0-9_-]{20,}|\bAKIA[A-Z0-9]{16}\b"
)


def one(folder: Path, pattern: str) -> Path:
    """Return the only file with such a name. Raise SystemExit if there is none, or more than one."""
    found = list(folder.glob(pattern))
    if len(found) != 1:
        raise SystemExit(f"{folder} has {len(found)} files {pattern}, expected one.")
    return found[0]


def tracked(folder: str = ".") -> set[str]:
    """Return the names of the files that git tracks in a folder of the repository."""
    listed = subprocess.run(["git", "ls-files", "-z", folder], cwd=ROOT, check=True, capture_output=True, text=True)
    return set(filter(None, listed.stdout.split("\0")))


def metadata_faults(metadata: email.message.Message, version: str) -> Iterator[str]:
    """Return what is wrong with the metadata, as text."""
    if metadata["Version"] != version:
        yield f"The version is {metadata['Version']}, expected {version}."
    if not (urls := metadata.get_all("Project-URL")):
        yield "There is no Project-URL."
    description = str(metadata.get_payload())
    for match in RELATIVE_LINK.finditer(description):
        yield f"The page of PyPI has a relative link: {match[0]}"
    if urls and len({url.split("/")[3] for url in urls}) != 1:
        yield f"The URLs belong to several owners: {urls}"


def wheel_faults(wheel: zipfile.ZipFile, expected: set[str]) -> Iterator[str]:
    """Return what is wrong with the files of the wheel, as text."""
    names = {name for name in wheel.namelist() if not METADATA.fullmatch(name)}
    yield from (f"The wheel lacks {name}." for name in sorted(expected - names))
    yield from (f"The wheel has {name}, which git does not track." for name in sorted(names - expected))
    yield from (f"{name} contains a secret." for name in sorted(names) if SECRET.search(wheel.read(name)))


def source_faults(source: tarfile.TarFile, expected: set[str]) -> Iterator[str]:
    """Return what is wrong with the files of the source distribution, as text."""
    names = {member.name.partition("/")[2] for member in source.getmembers() if member.isfile()}
    for name in sorted(names - expected - GENERATED):
        yield f"The source distribution has {name}, which git does not track."
    for name in sorted({name for name in expected if name.startswith(("logto_auth/", "tests/"))} - names):
        yield f"The source distribution lacks {name}."


def differences(folder: Path, again: Path) -> Iterator[str]:
    """Return the distributions of the first build that the second one did not repeat, as text."""
    for file in sorted(folder.iterdir()):
        if not (again / file.name).is_file() or file.read_bytes() != (again / file.name).read_bytes():
            yield f"A second build made another {file.name}."


def sizes(wheel: zipfile.ZipFile) -> str:
    """Return the size of the wheel, and what the emulator adds to it, as text."""
    emulator = [info for info in wheel.infolist() if info.filename.startswith("logto_auth/emulator/")]
    size = Path(str(wheel.filename)).stat().st_size
    installed = sum(info.file_size for info in wheel.infolist())
    return (
        f"{size / 1000:.0f} kB, {installed / 1000:.0f} kB installed; of these the emulator "
        f"{sum(info.compress_size for info in emulator) / 1000:.0f} kB and "
        f"{sum(info.file_size for info in emulator) / 1000:.0f} kB"
    )


def main(folder: Path, again: Path) -> int:
    """Print each fault, or the sizes and hashes. Return the exit code."""
    wheel_path, source_path = one(folder, "*.whl"), one(folder, "*.tar.gz")
    version = wheel_path.name.split("-")[1]
    with zipfile.ZipFile(wheel_path) as wheel, tarfile.open(source_path) as source:
        metadata = email.message_from_bytes(
            wheel.read(next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")))
        )
        faults = [*metadata_faults(metadata, version), *differences(folder, again)]
        # A source distribution is built where git is not at hand.
        if (ROOT / ".git").exists():
            faults += [*wheel_faults(wheel, tracked("logto_auth")), *source_faults(source, tracked())]
        report = sizes(wheel)
    if faults:
        print("\n".join(faults), file=sys.stderr)
        return 1
    for path in (wheel_path, source_path):
        print(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}")
    print(f"The wheel has {report}. A second build was the same.")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:3])))
