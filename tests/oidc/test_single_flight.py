"""`SingleFlight`: fetched once however many want it, stale rather than none, and not too often."""

from __future__ import annotations

import threading
import time

import pytest

from logto_auth.oidc.errors import ProviderError
from logto_auth.oidc.single_flight import SingleFlight


class Source:
    """Counts how often it is fetched, and fails when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0
        self.fetched = 0
        self.fails = False
        self.seconds = 0.0

    def fetch(self) -> int:
        time.sleep(self.seconds)
        self.fetched += 1
        if self.fails:
            raise ProviderError("down")
        return self.fetched


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def value(source: Source) -> SingleFlight[int]:
    return SingleFlight(source.fetch, seconds_fresh=100, cool_down_seconds=10, clock=lambda: source.now)


def test_value_is_kept_until_it_has_aged(source: Source, value: SingleFlight[int]) -> None:
    assert [value.get(), value.get()] == [1, 1]
    source.now = 100
    assert value.get() == 2


def test_stale_value_is_used_after_a_failure(source: Source, value: SingleFlight[int]) -> None:
    value.get()
    source.now, source.fails = 100, True
    assert [value.get(), value.get()] == [1, 1]
    assert source.fetched == 2
    source.now, source.fails = 110, False
    assert value.get() == 3


def test_error_is_raised_without_a_value(source: Source, value: SingleFlight[int]) -> None:
    source.fails = True
    for _ in range(2):
        with pytest.raises(ProviderError):
            value.get()
    source.fails = False
    assert value.get() == 3


@pytest.mark.parametrize("ask", ["get", "renew"])
def test_first_failure_is_shared_for_retry_seconds(source: Source, ask: str) -> None:
    value = SingleFlight(
        source.fetch, seconds_fresh=100, cool_down_seconds=10, retry_seconds=2, clock=lambda: source.now
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


def test_renew_fetches_once_in_a_cool_down(source: Source, value: SingleFlight[int]) -> None:
    value.get()
    assert [value.renew() for _ in range(1000)] == [2] * 1000
    source.now = 10
    assert value.renew() == 3


@pytest.mark.parametrize("fails", [False, True])
def test_waiting_threads_share_the_first_result(source: Source, value: SingleFlight[int], fails: bool) -> None:
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


def test_stale_value_is_returned_during_a_fetch(source: Source, value: SingleFlight[int]) -> None:
    value.get()
    source.now, source.seconds = 100, 0.3
    slow = threading.Thread(target=value.get)
    slow.start()
    time.sleep(0.05)
    assert value.get() == 1
    assert slow.is_alive()
    slow.join()
    assert value.get() == 2
