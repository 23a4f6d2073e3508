"""Requests in several threads whose results are handled in order."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import pytest

from logto_auth.sync.in_order import InOrder, in_order

PATIENCE_SECONDS = 10


class Stopped:
    """What `in_order` reported after an error."""

    def __init__(self) -> None:
        self.in_flight: list[int] = []
        self.errors: list[str] = []
        self.prepared: list[list[Any]] = []

    def queue(self, concurrency: int) -> Any:
        return in_order(
            concurrency, prepare=self.prepared.append, on_stop=self.in_flight.append, on_error=self._add_error
        )

    def _add_error(self, error: Exception) -> None:
        self.errors.append(str(error))


@pytest.fixture
def stopped() -> Stopped:
    return Stopped()


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Return an event that requests of a test wait for."""
    gate = threading.Event()
    yield gate
    gate.set()


def after(gate: threading.Event, value: Any) -> Any:
    gate.wait(PATIENCE_SECONDS)
    return value


def fail() -> None:
    raise ValueError("first")


def test_as_many_requests_as_threads_run_at_once(stopped: Stopped) -> None:
    barrier = threading.Barrier(4)
    running, most = 0, 0
    lock = threading.Lock()

    def request() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        barrier.wait(PATIENCE_SECONDS)
        with lock:
            running -= 1

    with stopped.queue(4) as queue:
        for _ in range(12):
            queue.submit(request, lambda _: None)
    assert most == 4


def test_results_are_handled_in_order_by_the_submitting_thread(stopped: Stopped, gate: threading.Event) -> None:
    handled: list[Any] = []

    def handle(value: Any) -> None:
        handled.append((value, threading.current_thread()))

    with stopped.queue(2) as queue:
        queue.submit(partial(after, gate, "slow"), handle)
        queue.submit(lambda: "quick", handle)
        queue.then(partial(handle, "without a request"))
        assert len(queue) == 3
        gate.set()
    here = threading.current_thread()
    assert handled == [("slow", here), ("quick", here), ("without a request", here)]


def test_results_that_are_there_are_prepared_together(stopped: Stopped, gate: threading.Event) -> None:
    with stopped.queue(2) as queue:
        queue.submit(partial(after, gate, "slow"), lambda _: None)
        quick = queue.start(lambda: None)
        for number in range(3):
            queue.submit(partial(int, number), lambda _: None)
        quick.result(PATIENCE_SECONDS)
        _wait_until(lambda: all(future.done() for future, _ in list(queue._waiting)[1:]))
        gate.set()
    assert stopped.prepared == [["slow", 0, 1, 2]]


def test_number_of_unhandled_results_is_limited(stopped: Stopped) -> None:
    handled: list[int] = []
    with stopped.queue(2) as queue:
        for number in range(50):
            queue.submit(partial(int, number), handled.append)
            assert len(queue) <= 4
    assert handled == list(range(50))


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_requests_in_flight_are_handled_after_an_error(
    error: type[BaseException], stopped: Stopped, gate: threading.Event
) -> None:
    handled: list[str] = []
    threading.Timer(0.2, gate.set).start()

    def submit_and_raise() -> None:
        with stopped.queue(1) as queue:
            queue.submit(partial(after, gate, "in flight"), handled.append)
            queue.submit(lambda: "never sent", handled.append)
            _wait_until(lambda: queue._waiting[0][0].running())
            raise error

    with pytest.raises(error):
        submit_and_raise()
    assert handled == ["in flight"]
    assert stopped.in_flight == [1]


def test_first_error_is_raised_and_further_errors_are_reported(stopped: Stopped) -> None:
    def fail_too() -> None:
        raise ValueError("second")

    def submit_both() -> None:
        with stopped.queue(4) as queue:
            queue.submit(fail, lambda _: None)
            queue.submit(fail_too, lambda _: None)
            _wait_until(lambda: all(future.done() for future, _ in queue._waiting))

    with pytest.raises(ValueError, match="first"):
        submit_both()
    assert stopped.errors == ["second"]


def test_handler_that_was_interrupted_is_called_again(stopped: Stopped) -> None:
    handled: list[str] = []

    def handle(value: str) -> None:
        handled.append(value)
        if len(handled) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), stopped.queue(1) as queue:
        queue.submit(lambda: "answer", handle)
    assert handled == ["answer", "answer"]


def test_threads_end_with_the_queue(stopped: Stopped) -> None:
    with ExitStack() as stack:
        queue: InOrder = stack.enter_context(stopped.queue(3))
        for _ in range(3):
            queue.submit(lambda: None, lambda _: None)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("logto-auth")]


def _wait_until(is_true: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not is_true():
        assert time.monotonic() < give_up_at
        time.sleep(0.01)
