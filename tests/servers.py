"""Servers that some tests need: skipped with a reason where they are missing, failed where CI promises them."""

from __future__ import annotations

import os
import random
import socket

import pytest

# The database servers by the value of `TEST_DATABASE`: name, host and port.
DATABASE_SERVERS = {
    "postgresql": ("PostgreSQL", os.environ.get("PGHOST", "127.0.0.1"), 5432),
    "mysql": ("MySQL or MariaDB", os.environ.get("MYSQL_HOST", "127.0.0.1"), 3306),
}


def need(name: str, port: int, *, host: str = "127.0.0.1") -> None:
    """Skip or fail the test unless something listens there."""
    if not listens(host, port):
        lacking(f"{name} on {host}:{port}")


def lacking(what: str) -> None:
    """Skip, or fail where CI promises that it is there."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(f"needs {what}")


def require_database_server() -> None:
    """End the run unless the server that `TEST_DATABASE` names listens: with success, or with failure in CI."""
    server = DATABASE_SERVERS.get(os.environ.get("TEST_DATABASE", ""))
    if server is None:
        return
    name, host, port = server
    if not listens(host, port):
        pytest.exit(f"SKIPPED: needs {name} on {host}:{port}", returncode=1 if os.environ.get("CI") else 0)


def listens(host: str, port: int) -> bool:
    """Return whether a TCP server accepts connections there."""
    with socket.socket() as caller:
        caller.settimeout(1)
        return caller.connect_ex((host, port)) == 0


def free_port() -> int:
    """Return a free port for a server in another process.

    The port is outside the range from which the kernel gives ports to others, and is chosen at random: another test
    worker does not take it before the server starts.
    """
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
