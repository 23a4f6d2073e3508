"""`Refreshed`: fetched once however many want it, stale rather than none, and not too often."""

from __future__ import annotations

import threading
import time

import pytest

from logto_auth.exceptions import ProviderError
from logto_auth.oidc.single_flight import Refreshed


class Source:
    """Counts how often it is fetched, and fails when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0
        self.fetched = 0
        self.fails = False
        self.seconds = 0.0
        self.is_called = threading.Event()
        self.may_return = threading.Event()
        self.may_return.set()

    def fetch(self) -> int:
        self.is_called.set()
        time.sleep(self.seconds)
        self.may_return.wait(30)
        self.fetched += 1
        if self.fails:
            raise ProviderError("down")
        return self.fetched


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def value(source: Source) -> Refreshed[int]:
    return Refreshed(source.fetch, max_age_seconds=100, cool_down_seconds=10, clock=lambda: source.now)


def test_it_is_kept_until_it_has_aged(source: Source, value: Refreshed[int]) -> None:
    assert [value.get(), value.get()] == [1, 1]
    source.now = 100
    assert value.get() == 2


def test_an_old_value_is_better_than_none_and_the_next_try_waits(source: Source, value: Refreshed[int]) -> None:
    value.get()
    source.now, source.fails = 100, True
    assert [value.get(), value.get()] == [1, 1]
    assert source.fetched == 2
    source.now, source.fails = 110, False
    assert value.get() == 3


def test_without_a_value_the_error_is_told_and_the_next_one_asks_again(source: Source, value: Refreshed[int]) -> None:
    source.fails = True
    for _ in range(2):
        with pytest.raises(ProviderError):
            value.get()
    source.fails = False
    assert value.get() == 3


@pytest.mark.parametrize("ask", ["get", "demand"])
def test_a_first_failure_is_shared_for_a_moment_and_no_longer(source: Source, ask: str) -> None:
    value = Refreshed(
        source.fetch, max_age_seconds=100, cool_down_seconds=10, retry_seconds=2, clock=lambda: source.now
    )
    source.fails = True
    errors = []
    for now in (0, 0, 1.9):
        source.now = now
        with pytest.raises(ProviderError, match="down") as caught:
            getattr(value, ask)()
        errors.append(caught.value)
    assert source.fetched == 1
    # Each raises its own: an error that all had raised would hold on to what each of them was doing.
    assert len(set(map(id, errors))) == 3
    source.now, source.fails = 2, False
    assert getattr(value, ask)() == 2


def test_D4_a_demand_fetches_anew_once_per_cool_down(source: Source, value: Refreshed[int]) -> None:
    value.get()
    assert [value.demand() for _ in range(1000)] == [2] * 1000
    source.now = 10
    assert value.demand() == 3


@pytest.mark.parametrize("fails", [False, True])
def test_whoever_waits_for_the_first_value_shares_what_comes(
    source: Source, value: Refreshed[int], fails: bool
) -> None:
    source.seconds, source.fails = 0.1, fails
    results: list[object] = []

    def want() -> None:
        try:
            results.append(value.get())
        except ProviderError as error:
            results.append(str(error))

    threads = [threading.Thread(target=want) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == ["down" if fails else 1] * 20
    assert source.fetched == 1


def test_with_an_old_value_nobody_waits_for_the_one_who_fetches(source: Source, value: Refreshed[int]) -> None:
    value.get()
    source.now = 100
    source.is_called.clear()
    source.may_return.clear()
    slow = threading.Thread(target=value.get)
    slow.start()
    assert source.is_called.wait(30)
    assert value.get() == 1
    assert slow.is_alive()
    source.may_return.set()
    slow.join()
    assert value.get() == 2
