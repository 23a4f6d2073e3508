"""`SingleFlight`: one fetch for all threads, stale and newer values, cool-down and retries."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest

from logto_auth.oidc.errors import ProviderError, ProviderUnreachable
from logto_auth.oidc.single_flight import SingleFlight


class Source:
    """Count the fetches, and fail while `fails` is set."""

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


def test_first_failure_is_shared_for_retry_seconds(source: Source) -> None:
    value = SingleFlight(
        source.fetch, seconds_fresh=100, cool_down_seconds=10, retry_seconds=2, clock=lambda: source.now
    )
    source.fails = True
    errors = []
    for now in (0, 0, 1.9):
        source.now = now
        with pytest.raises(ProviderError, match="down") as caught:
            value.get()
        errors.append(caught.value)
    assert source.fetched == 1
    # Each caller raises its own error: a shared one would keep the frames of all callers.
    assert len(set(map(id, errors))) == 3
    source.now, source.fails = 2, False
    assert value.get() == 2


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


# Newer values


def in_threads(ask: Callable[[], int], count: int) -> list[object]:
    """Return the results of `count` threads that call `ask` at the same time: values, or texts of errors."""
    results: list[object] = []
    barrier = threading.Barrier(count)

    def call() -> None:
        barrier.wait()
        try:
            results.append(ask())
        except ProviderError as error:
            results.append(str(error))

    threads = [threading.Thread(target=call) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_tries_to_renew_fetch_once_in_the_interval(source: Source, value: SingleFlight[int]) -> None:
    value.get()
    assert [value.try_to_renew(seconds_between=2) for _ in range(1000)] == [2] * 1000
    source.now = 2
    assert value.try_to_renew(seconds_between=2) == 3


def test_tries_to_renew_wait_for_a_fetch_under_way(source: Source, value: SingleFlight[int]) -> None:
    value.get()
    source.seconds = 0.2
    assert in_threads(lambda: value.try_to_renew(seconds_between=2), 20) == [2] * 20
    assert source.fetched == 2


@pytest.fixture
def frequent_switches() -> Iterator[None]:
    """Let Python switch between threads as often as it can."""
    former = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(former)


@pytest.mark.usefixtures("frequent_switches")
def test_tries_to_renew_wait_for_a_fetch_that_begins(source: Source, value: SingleFlight[int]) -> None:
    source.seconds = 0.002
    expected = value.get()
    for source.now in range(10, 90, 4):
        expected += 1
        assert in_threads(lambda: value.try_to_renew(seconds_between=2), 8) == [expected] * 8


def test_try_to_renew_fails_when_a_fetch_takes_too_long(source: Source, value: SingleFlight[int]) -> None:
    value.get()
    source.is_called.clear()
    source.may_return.clear()
    slow = threading.Thread(target=lambda: value.try_to_renew(seconds_between=2))
    slow.start()
    assert source.is_called.wait(30)
    source.now = 2
    with pytest.raises(ProviderUnreachable, match="not answered yet"):
        value.try_to_renew(seconds_between=2)
    assert value.get() == 1
    source.may_return.set()
    slow.join()


def test_failed_try_to_renew_is_shared_during_the_cool_down(source: Source, value: SingleFlight[int]) -> None:
    value.get()
    source.fails = True
    for source.now in (0, 9.9):
        with pytest.raises(ProviderError, match="down"):
            value.try_to_renew(seconds_between=2)
        assert (value.get(), source.fetched) == (1, 2)
    source.fails, source.now = False, 10
    assert value.try_to_renew(seconds_between=2) == 3


def test_renewal_is_fetched_after_each_call(source: Source, value: SingleFlight[int]) -> None:
    value.get()
    for source.now in (1, 2, 3):
        value.renew(seconds_between=1)
    assert source.fetched == 4


def test_renewals_wait_until_the_interval_has_passed() -> None:
    fetched_at: list[float] = []

    def fetch() -> int:
        fetched_at.append(time.monotonic())
        return len(fetched_at)

    value = SingleFlight(fetch, seconds_fresh=100)
    value.get()
    # A thread that starts late may need another fetch.
    assert set(in_threads(lambda: value.renew(seconds_between=0.2), 5)) <= {2, 3}
    assert all(later - earlier >= 0.19 for earlier, later in pairwise(fetched_at))


def test_renewals_share_a_failure(source: Source) -> None:
    value = SingleFlight(source.fetch, seconds_fresh=100)
    value.get()
    source.fails, source.seconds = True, 0.5
    assert in_threads(lambda: value.renew(seconds_between=0), 5) == ["down"] * 5
    assert source.fetched == 2
    assert value.get() == 1


def test_renewal_ignores_the_cool_down(source: Source, value: SingleFlight[int]) -> None:
    value.get()
    source.now, source.fails = 1, True
    with pytest.raises(ProviderError):
        value.renew(seconds_between=0)
    source.now, source.fails = 2, False
    assert value.renew(seconds_between=0) == 3


# Values that are useless once they have aged


@pytest.fixture
def expiring(source: Source) -> SingleFlight[int]:
    """The value n is fresh for 10 n seconds."""
    return SingleFlight(
        source.fetch, seconds_fresh=lambda value: 10 * value, keep_stale=False, clock=lambda: source.now
    )


def test_function_sets_how_long_a_value_is_fresh(source: Source, expiring: SingleFlight[int]) -> None:
    seen = []
    for source.now in (0, 9.9, 10, 29.9, 30):
        seen.append(expiring.get())
    assert seen == [1, 1, 2, 2, 3]


def test_aged_value_is_not_returned_after_a_failure(source: Source, expiring: SingleFlight[int]) -> None:
    expiring.get()
    source.now, source.fails = 10, True
    for _ in range(2):
        with pytest.raises(ProviderError, match="down"):
            expiring.get()
    source.fails = False
    assert expiring.get() == 4


def test_callers_wait_for_the_replacement_of_an_aged_value(source: Source, expiring: SingleFlight[int]) -> None:
    expiring.get()
    source.now, source.seconds = 10, 0.2
    slow = threading.Thread(target=expiring.get)
    slow.start()
    time.sleep(0.05)
    assert (expiring.get(), source.fetched) == (2, 2)
    slow.join()


def test_forgotten_value_is_fetched_again(source: Source, expiring: SingleFlight[int]) -> None:
    expiring.forget(expiring.get())
    assert expiring.get() == 2
    expiring.forget(1)
    assert expiring.get() == 2


def test_value_forgotten_during_the_wait_is_fetched_again(source: Source, expiring: SingleFlight[int]) -> None:
    seen = expiring._outcome
    expiring.forget(expiring.get())
    # A caller that saw no value, and waited for the lock while another one fetched and forgot.
    assert expiring._fetch_once(seen, wait=True) == 2


def test_error_is_not_kept_when_the_clock_is_set_back(source: Source) -> None:
    source.now, source.fails = 7200.0, True
    flight = SingleFlight(source.fetch, seconds_fresh=60, keep_stale=False, clock=lambda: source.now)
    with pytest.raises(ProviderError):
        flight.get()
    source.now, source.fails = 3600.0, False
    assert flight.get() == 2
