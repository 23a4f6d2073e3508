"""Sites with other packages, as the guides set them up. Each module is a settings module; `nox -s packages` runs it.

A run has the tests of `tests/profiles/flows`, and those of `own/test_<name of the module>.py`. The packages are not in
`requirements.txt`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from tests.docs.pages import Block, blocks_of, the_block

MODULE = "package module "


def settings_of(page: str) -> dict[str, object]:
    """Return the settings in the block `package settings` of a guide."""
    block = the_block(page, "package settings")
    return {name: value for name, value in block.run().items() if name.isupper()}


class GuideModules(MetaPathFinder, Loader):
    """Imports the modules of a guide, its blocks `package module <name>`."""

    def __init__(self, page: str) -> None:
        blocks = [block for block in blocks_of(page) if block.kind.startswith(MODULE)]
        self._blocks: dict[str, Block | None] = {block.kind.removeprefix(MODULE): block for block in blocks}
        self._blocks |= {name.rpartition(".")[0]: None for name in self._blocks}

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name not in self._blocks:
            return None
        return ModuleSpec(name, self, origin="a guide", is_package=self._blocks[name] is None)

    def exec_module(self, module: ModuleType) -> None:
        block = self._blocks[module.__name__]
        if block is not None:
            exec(compile(block.code, str(block), "exec"), vars(module))


def import_modules_of(page: str) -> None:
    """Let the modules of a guide be importable."""
    sys.meta_path.append(GuideModules(page))
