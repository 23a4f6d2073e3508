"""Sites with other packages, as the guides set them up. `nox -s packages` runs each settings module.

A run has the tests of `tests/profiles/flows`, and those of `own/test_<name of the module>.py`. The packages are not in
`requirements.txt`.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.docs.pages import blocks_of, the_block

FOLDER = Path(__file__).parent
MODULE = "package module "
# They are deleted at the end of the process.
GUIDE_FOLDERS: list[TemporaryDirectory[str]] = []


def settings_of(page: str) -> dict[str, object]:
    """Return the settings in the block `package settings` of a guide."""
    block = the_block(page, "package settings")
    return {name: value for name, value in block.run().items() if name.isupper()}


def import_modules_of(page: str, *apps_with_models: str) -> None:
    """Let the modules of a guide be importable: its blocks `package module <name>`.

    Readers make the first migrations of the apps with `makemigrations`. Here they are in the folder `migrations`.
    """
    GUIDE_FOLDERS.append(TemporaryDirectory(prefix="logto_auth_guide_"))
    folder = Path(GUIDE_FOLDERS[-1].name)
    for block in blocks_of(page):
        if block.kind.startswith(MODULE):
            file = folder.joinpath(*block.kind.removeprefix(MODULE).split(".")).with_suffix(".py")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.code, encoding="utf-8")
    for app in apps_with_models:
        (folder / app / "migrations").mkdir(exist_ok=True)
        shutil.copy(FOLDER / "migrations" / f"{app}.py", folder / app / "migrations" / "0001_initial.py")
    for package in [file for file in folder.rglob("*") if file.is_dir()]:
        (package / "__init__.py").touch()
    sys.path.append(str(folder))
