"""Fixtures: `deployment` is all servers together, `site` its default site."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from logto_auth.emulator import run_in_thread
from tests.servers import lacking, need

from .deployment import ROOT, Deployment, Site, User, connect


@pytest.fixture(scope="session")
def _deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    need("PostgreSQL", 5432, host=os.environ.get("PGHOST", "127.0.0.1"))
    need("Redis", 6379)
    if importlib.util.find_spec("gunicorn") is None:
        lacking("gunicorn")
    name = f"logto_auth_scale_{os.getpid()}"
    with run_in_thread() as emulator, connect("postgres") as server:
        deployment = Deployment(emulator, name, tmp_path_factory.mktemp("scale"))
        server.execute(f"CREATE DATABASE {name}")
        try:
            migrate = [sys.executable, "-m", "django", "migrate", "--verbosity=0"]
            subprocess.run(migrate, cwd=ROOT, env=deployment.environment(), check=True)
            yield deployment
        finally:
            deployment.close()
            deployment.flush_redis()
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def deployment(_deployment: Deployment) -> Deployment:
    _deployment.reset()
    return _deployment


@pytest.fixture
def site(deployment: Deployment) -> Site:
    return deployment.site()


@pytest.fixture
def reader(deployment: Deployment, site: Site) -> User:
    """Return a signed-in user. No request to Logto has been recorded since."""
    user = User(site, deployment.emulator).sign_in()
    deployment.emulator.requests.clear()
    return user
