"""Sign-in and sign-out with every session engine that stores sessions on the server."""

from __future__ import annotations

from pathlib import Path

import pytest

from logto_auth.emulator import Emulator
from logto_auth.models import LogtoSession
from logto_auth.testing import Browser
from tests.servers import need

pytestmark = pytest.mark.django_db
REDIS_URL = "redis://127.0.0.1:6379/15"


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
    browser: Browser, logto: Emulator, settings, tmp_path: Path, engine: str, cache: str
) -> None:
    if cache.startswith("redis"):
        need("Redis", 6379)
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    settings.SESSION_FILE_PATH = str(tmp_path)
    settings.CACHES = {"default": {"BACKEND": f"django.core.cache.backends.{cache}", "LOCATION": REDIS_URL}}
    logto.tenant.add_user(username="reader")
    assert browser.sign_in("reader", next_url="/orders/")["Location"] == "/orders/"
    session = browser.client.session
    assert LogtoSession.objects.get().session_key == session.session_key
    assert browser.client.get("/orders/").status_code == 200
    assert browser.sign_out().startswith("http://testserver/")
    assert not session.exists(session.session_key)
    assert LogtoSession.objects.count() == 0
