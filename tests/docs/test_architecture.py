"""The page on architecture agrees with the code: its picture shows the layers, and the files that it names exist."""

from __future__ import annotations

import re
import sys

import pytest

import logto_auth

from .pages import DOCS, ROOT, text_of

sys.path.insert(0, str(DOCS / "_ext"))

import layers_picture

PACKAGE = ROOT / logto_auth.__name__
# Files of the package, and those below `tests/`.
FILE = re.compile(r"`((?!docs/|logto_auth/|tests/`)\w+(?:/\w+)*(?:/|\.py))`")
NAMED = sorted(set(FILE.findall(text_of("docs/explanation/architecture.md"))))


def test_picture_shows_the_layers() -> None:
    assert layers_picture.PICTURE.read_text(encoding="utf-8") == layers_picture.draw(), (
        "Run python docs/_ext/layers_picture.py"
    )


def test_every_box_has_a_description() -> None:
    names = {name for layer in layers_picture.layers() for name in layer} | {"emulator"}
    assert set(layers_picture.DESCRIPTIONS) == names


@pytest.mark.parametrize("path", NAMED)
def test_named_files_exist(path: str) -> None:
    assert (ROOT if path.startswith("tests/") else PACKAGE).joinpath(path).exists()
