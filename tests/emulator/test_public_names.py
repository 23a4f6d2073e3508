import re
from pathlib import Path

import logto_auth.emulator

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "emulator.md"


def test_public_names_are_in_the_reference():
    (table,) = re.findall(r"^\| Name \| \|\n.*?\n\n", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"`(\w+)`", table)) == set(logto_auth.emulator.__all__)
