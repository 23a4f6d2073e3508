"""Send requests in several threads, and handle their results in one thread, in order.

The threads only send requests. The results are handled by the thread that submits, so all queries are on its database
connection, and a run has the same result as one that sends a request at a time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from itertools import takewhile
from typing import Any, TypeVar

T = TypeVar("T")

# As many as the HTTP client keeps connections.
MAX_CONCURRENCY = 32


class InOrder:
    """A queue of requests. See `in_order`, which creates it."""

    def __init__(self, concurrency: int, prepare: Callable[[Sequence[Any]], object]) -> None:
        self._prepare = prepare
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="logto-auth")
        # While the oldest request is slow, the other threads have others to send.
        self._length = 2 * concurrency
        self._waiting: deque[tuple[Future[Any], Callable[[Any], object]]] = deque()

    def __len__(self) -> int:
        """Return how many results have not been handled."""
        return len(self._waiting)

    def start(self, request: Callable[[], T]) -> Future[T]:
        """Send a request whose result the caller waits for."""
        return self._pool.submit(request)

    def submit(self, request: Callable[[], T], handle: Callable[[T], object]) -> None:
        """Send a request, and call `handle` with its result after all earlier results have been handled.

        Wait if there are many unhandled results. Raise what a request or `handle` raises.
        """
        self._add(self._pool.submit(request), handle)

    def then(self, handle: Callable[[], object]) -> None:
        """Call `handle` after all earlier results have been handled."""
        done: Future[None] = Future()
        done.set_result(None)
        self._add(done, lambda _: handle())

    def handle_all(self) -> None:
        """Wait for all results and handle them. Raise what a request or `handle` raises."""
        while self._waiting:
            self._handle_finished()

    def _add(self, future: Future[Any], handle: Callable[[Any], object]) -> None:
        self._waiting.append((future, handle))
        while len(self._waiting) > self._length:
            self._handle_finished()

    def _handle_finished(self) -> None:
        """Wait for the oldest result, and handle it together with the following results that have arrived."""
        wait([self._waiting[0][0]])
        finished = list(takewhile(lambda entry: entry[0].done(), self._waiting))
        self._prepare([future.result() for future, _ in finished if future.exception() is None])
        for future, handle in finished:
            try:
                handle(future.result())
            except Exception:
                self._waiting.popleft()
                raise
            # Not earlier: if Ctrl-C interrupts `handle`, `stop` calls it again.
            self._waiting.popleft()

    def stop(self, on_stop: Callable[[int], object], on_error: Callable[[Exception], object]) -> None:
        """Send no more requests, wait for those that are in flight, and handle their results."""
        started = [(future, handle) for future, handle in self._waiting if not future.cancel()]
        self._waiting.clear()
        on_stop(sum(not future.done() for future, _ in started))
        for future, handle in started:
            try:
                handle(future.result())
            except Exception as error:
                on_error(error)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(cancel_futures=True)


@contextmanager
def in_order(
    concurrency: int,
    *,
    prepare: Callable[[Sequence[Any]], object],
    on_stop: Callable[[int], object],
    on_error: Callable[[Exception], object],
) -> Iterator[InOrder]:
    """Return a queue with this number of threads. At the end, all results have been handled.

    `prepare` is called with all results that have arrived, before each of them is handled.

    After an error or Ctrl-C, no more requests are sent. The results of requests in flight are still handled: `on_stop`
    is called before with their number, which may be 0, and `on_error` with each further error.
    """
    queue = InOrder(concurrency, prepare)
    try:
        yield queue
        queue.handle_all()
    except BaseException:
        queue.stop(on_stop, on_error)
        raise
    finally:
        queue.close()
