"""Fixtures: `deployment` is all servers together, `site` its default site."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator

import pytest

from tests.servers import lacking, need

from .deployment import Deployment, Site, User, running


@pytest.fixture(scope="session")
def _deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    need("PostgreSQL", 5432, host=os.environ.get("PGHOST", "127.0.0.1"))
    need("Redis", 6379)
    if importlib.util.find_spec("gunicorn") is None:
        lacking("gunicorn")
    with running(tmp_path_factory.mktemp("scale")) as deployment:
        yield deployment


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
