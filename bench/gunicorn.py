"""A site on gunicorn, with one worker process."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

WAIT_SECONDS = 30


@contextmanager
def gunicorn(application: str, environment: Mapping[str, str], log_path: Path, ready: str) -> Iterator[int]:
    """Run `application`, written as for gunicorn, and yield its port once the path `ready` is answered.

    `environment` is added to that of this process. If the site does not start, its log is shown.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    command = ["--workers", "1", "--bind", f"fd://{listener.fileno()}", "--no-control-socket"]
    with listener, log_path.open("w+") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *command, application],
            env={**os.environ, **environment},
            pass_fds=[listener.fileno()],
            stdout=log,
            stderr=log,
        )
        try:
            port = listener.getsockname()[1]
            get(port, ready, timeout=WAIT_SECONDS)
            yield port
        except Exception:
            log.seek(0)
            sys.stderr.write(log.read())
            raise
        finally:
            process.terminate()
            process.wait(WAIT_SECONDS)


def get(port: int, path: str, cookie: str = "", timeout: float = 10) -> bytes:
    """Return the body of a page."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
        response = connection.getresponse()
        body = response.read()
        assert response.status == 200, (response.status, body)
        return body
    finally:
        connection.close()
