"""HTTP recorded from real Logtos: 1.41, and 1.42 (`tests/recordings/<version>/`)."""

import json
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "recordings"
VERSIONS = ("1.41", "1.42")
DEFAULT = "1.41"


@cache
def recording(name: str, version: str = DEFAULT) -> Any:
    """The exchange, or list of exchanges, in `tests/recordings/<version>/<name>.json`."""
    return json.loads((FOLDER / version / f"{name}.json").read_text())
