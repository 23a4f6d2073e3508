"""The examples in the reference of the emulator."""

from __future__ import annotations

import pytest

from .pages import the_block

PAGE = "docs/reference/emulator.md"


@pytest.mark.parametrize(
    ("kind", "callback"),
    [
        ("emulator", "http://localhost:8000/callback"),
        ("emulator on a phone", "io.bookstore.app://callback"),
        ("emulator's second factor", "http://localhost:8000/callback"),
    ],
)
def test_examples_end_at_the_callback(kind: str, callback: str) -> None:
    block = the_block("docs/reference/emulator.md", kind)
    assert block.run()["callback"].startswith(f"{callback}?code=")


@pytest.mark.parametrize("kind", ["emulator's Account API", "emulator's Management API", "emulator's webhooks"])
def test_examples_pass_their_assertions(kind: str) -> None:
    the_block("docs/reference/emulator.md", kind).run()
