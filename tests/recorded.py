"""HTTP recorded from a real Logto 1.41."""

import json
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "recordings"


@cache
def recording(name: str) -> Any:
    """The exchange, or list of exchanges, in `tests/recordings/<name>.json`."""
    return json.loads((FOLDER / f"{name}.json").read_text())
