"""Sign-in and sign-out with every session engine that stores sessions on the server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache.backends.redis import RedisCache

from logto_auth.emulator import Emulator
from logto_auth.models import LogtoSession
from logto_auth.sessions.store import as_stored
from logto_auth.testing import Browser
from tests.servers import listens, need
from tests.support import row_of

pytestmark = pytest.mark.django_db
REDIS_URL = "redis://127.0.0.1:6379/15"


@pytest.fixture
def prefix() -> Iterator[str]:
    """A prefix for the keys of this test. Its keys in Redis are deleted after the test."""
    prefix = f"logto_auth_{uuid4().hex}"
    yield prefix
    if listens("127.0.0.1", 6379):
        server = RedisCache(REDIS_URL, {})._cache.get_client()
        for key in server.scan_iter(match=f"{prefix}:*"):
            server.delete(key)


@pytest.mark.parametrize(
    ("engine", "cache"),
    [
        ("db", "locmem.LocMemCache"),
        ("cached_db", "locmem.LocMemCache"),
        ("cache", "locmem.LocMemCache"),
        ("file", "locmem.LocMemCache"),
        pytest.param("cache", "redis.RedisCache", marks=pytest.mark.redis),
        pytest.param("cached_db", "redis.RedisCache", marks=pytest.mark.redis),
    ],
)
def test_sign_in_and_sign_out_on_engine(
    browser: Browser, logto: Emulator, settings, tmp_path: Path, prefix: str, engine: str, cache: str
) -> None:
    if cache.startswith("redis"):
        need("Redis", 6379)
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    settings.SESSION_FILE_PATH = str(tmp_path)
    backend = f"django.core.cache.backends.{cache}"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": REDIS_URL, "KEY_PREFIX": prefix}}
    logto.tenant.add_user(username="reader")
    assert browser.sign_in("reader", next_url="/orders/")["Location"] == "/orders/"
    session = browser.client.session
    assert LogtoSession.objects.get() == row_of(browser)
    assert browser.client.get("/orders/").status_code == 200
    assert browser.sign_out().startswith("http://testserver/")
    assert not session.exists(session.session_key)
    assert LogtoSession.objects.count() == 0


def test_session_as_stored_keeps_what_its_class_needs() -> None:
    session = SessionStore()
    # As packages do that list the sessions of a user.
    session.ip = "127.0.0.1"
    session["page"] = 1
    session.save()
    parallel = SessionStore(session.session_key)
    parallel["page"] = 2
    parallel.save()
    stored = as_stored(session)
    assert (stored["page"], stored.ip, stored.session_key) == (2, "127.0.0.1", session.session_key)
    assert session["page"] == 1
