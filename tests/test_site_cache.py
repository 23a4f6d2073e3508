"""The site's cache: what has been handled is remembered, and a failing cache fails no request."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.core.cache.backends.locmem import LocMemCache
from django.core.management import call_command
from freezegun import freeze_time

from logto_auth.site_cache import ReplayMemory, cache_failures_ignored, cached, count, forget


class FailingCache(LocMemCache):
    """A cache that cannot be reached."""

    def get(self, *args: Any, **kwargs: Any) -> Any:
        raise ConnectionError("The cache is down.")

    set = get


@pytest.fixture
def failing_cache(settings: Any) -> None:
    settings.CACHES = {"default": {"BACKEND": f"{__name__}.FailingCache"}}


def test_added_message_is_remembered() -> None:
    memory = ReplayMemory("test")
    assert "first" not in memory
    memory.add("first", timeout_seconds=60)
    assert "first" in memory
    assert "second" not in memory


def test_kinds_of_messages_are_separate() -> None:
    ReplayMemory("test-one").add("message", timeout_seconds=60)
    assert "message" not in ReplayMemory("test-two")


def test_message_is_forgotten_after_timeout() -> None:
    memory = ReplayMemory("test")
    memory.add("expired", timeout_seconds=0)
    assert "expired" not in memory


def test_message_with_half_a_surrogate_pair_is_remembered() -> None:
    memory = ReplayMemory("test")
    memory.add("\ud800", timeout_seconds=60)
    assert "\ud800" in memory


def test_failing_cache_remembers_nothing(failing_cache: None, caplog: Any) -> None:
    memory = ReplayMemory("test")
    memory.add("message", timeout_seconds=60)
    assert "message" not in memory
    assert caplog.text.count("The cache cannot be reached.") == 2


def test_error_inside_the_block_is_logged(caplog: Any) -> None:
    with cache_failures_ignored():
        raise ConnectionError("The cache is down.")
    assert "The cache cannot be reached." in caplog.text


def test_value_is_fetched_once() -> None:
    values = iter([1, 2])
    name = uuid4().hex
    assert [cached("test", name, lambda: next(values), timeout_seconds=60) for _ in range(2)] == [1, 1]


def test_failing_cache_fetches_each_time(failing_cache: None, caplog: Any) -> None:
    values = iter([1, 2])
    assert [cached("test", "name", lambda: next(values), timeout_seconds=60) for _ in range(2)] == [1, 2]
    assert "The cache cannot be reached." in caplog.text


@pytest.mark.django_db
@pytest.mark.parametrize("backend", ["locmem.LocMemCache", "db.DatabaseCache", "filebased.FileBasedCache"])
@pytest.mark.parametrize("period_seconds", [60, 3600])
def test_period_of_counter_begins_with_the_first_event(
    settings: Any, tmp_path: Any, backend: str, period_seconds: int
) -> None:
    location = str(tmp_path) if backend.startswith("file") else "counters"
    # As many sites have it: nothing expires by itself.
    settings.CACHES = {
        "default": {"BACKEND": f"django.core.cache.backends.{backend}", "LOCATION": location, "TIMEOUT": None}
    }
    call_command("createcachetable")
    name = uuid4().hex
    with freeze_time(tick=False) as clock:
        numbers = []
        for _ in range(5):
            numbers.append(count("test", name, period_seconds=period_seconds))
            clock.tick(period_seconds * 0.4)
        assert numbers == [1, 2, 3, 1, 2]
        forget("test", name)
        assert count("test", name, period_seconds=period_seconds) == 1
    cache.clear()
