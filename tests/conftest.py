from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

pytest_plugins = ["logto_auth.testing.pytest_plugin", "tests.fixtures"]


@pytest.fixture(autouse=True)
def no_collection() -> Iterator[None]:
    """Keeps Python's garbage collector from running while a deeply nested document is read: a finalizer that happens
    to be called down there has no stack left, and pytest reports that as an error of the test."""
    gc.disable()
    yield
    gc.enable()
