"""The flows, the attacks, syncs and the custom user model once more on the servers that sites run on.

The database is fixed when Django starts, so each runs in a process of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import need

ROOT = Path(__file__).parent.parent
SUITE = ["tests/flows", "tests/attacks", "tests/sync", "tests/test_custom_user.py"]


@pytest.mark.postgresql
def test_everything_holds_on_postgresql() -> None:
    need("PostgreSQL", 5432, host=os.environ.get("PGHOST", "127.0.0.1"))
    run_suite("postgresql")


@pytest.mark.mysql
def test_everything_holds_on_mysql_or_mariadb() -> None:
    need("MySQL or MariaDB", 3306, host=os.environ.get("MYSQL_HOST", "127.0.0.1"))
    run_suite("mysql")


def run_suite(database: str) -> None:
    if os.environ.get("TEST_DATABASE"):
        pytest.skip("runs from the SQLite run only")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *SUITE],
        cwd=ROOT,
        env={**os.environ, "TEST_DATABASE": database},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr
