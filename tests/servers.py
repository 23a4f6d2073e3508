"""Servers that some tests need: skipped with a reason where they are missing, failed where CI promises them."""

from __future__ import annotations

import os
import socket

import pytest


def need(name: str, port: int, *, host: str = "127.0.0.1") -> None:
    """Skip or fail the test unless something listens there."""
    with socket.socket() as caller:
        caller.settimeout(1)
        if caller.connect_ex((host, port)) == 0:
            return
    lacking(f"{name} on {host}:{port}")


def lacking(what: str) -> None:
    """Skip, or fail where CI promises that it is there."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(f"needs {what}")
