"""The script that refuses phrases finds them, and only them."""

from __future__ import annotations

import pytest

from tests.check_phrases import faults


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One line.\nThis is shut\nout.", [(2, "shut out")]),
        ("A WHOEVER in capitals", [(1, "WHOEVER")]),
        ("shutouts, howsoever and the last words", []),
    ],
)
def test_phrases_are_found_with_their_line(text: str, expected: list[tuple[int, str]]) -> None:
    assert list(faults(text)) == expected
