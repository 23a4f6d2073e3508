"""Child processes of tests."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def child(command: list[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Start a process that Ctrl-C (SIGINT) ends, and kill it if it still runs when the block ends.

    A shell that starts the tests in the background lets them ignore SIGINT, and child processes inherit that.
    A signal with a handler has its default effect in a child process.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, **{"stdout": pipe, "stderr": pipe, "text": True, **options})
    finally:
        signal.signal(signal.SIGINT, before)
    # The `with` statement of a process waits until the process has ended, without a limit.
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
