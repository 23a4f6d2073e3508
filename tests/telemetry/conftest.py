from __future__ import annotations

from tests.api.conftest import app  # noqa: F401
