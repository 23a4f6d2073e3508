"""`stage` has all parts; `site` is the usual one of its sites."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from logto_auth.emulator import run_in_thread
from tests.servers import lacking, need

from .stage import ROOT, Person, Site, Stage, connect


@pytest.fixture(scope="session")
def _stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    need("PostgreSQL", 5432, host=os.environ.get("PGHOST", "127.0.0.1"))
    need("Redis", 6379)
    if importlib.util.find_spec("gunicorn") is None:
        lacking("gunicorn")
    name = f"logto_auth_scale_{os.getpid()}"
    with run_in_thread() as emulator, connect("postgres") as server:
        stage = Stage(emulator, name, tmp_path_factory.mktemp("scale"))
        server.execute(f"CREATE DATABASE {name}")
        try:
            migrate = [sys.executable, "-m", "django", "migrate", "--verbosity=0"]
            subprocess.run(migrate, cwd=ROOT, env=stage.environment(), check=True)
            yield stage
        finally:
            stage.close()
            stage.flush_redis()
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def stage(_stage: Stage) -> Stage:
    _stage.reset()
    return _stage


@pytest.fixture
def site(stage: Stage) -> Site:
    return stage.site()


@pytest.fixture
def reader(stage: Stage, site: Site) -> Person:
    """Somebody who is signed in; nothing has been asked of Logto since."""
    person = Person(site, stage.emulator).sign_in()
    stage.emulator.requests.clear()
    return person
