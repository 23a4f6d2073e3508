"""Servers of sockets in processes of their own, in front of the database of the tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from websockets.sync.client import ClientConnection, connect

from tests.processes import child
from tests.servers import free_port, listens

ROOT = Path(__file__).parents[2]
REDIS_URL = "redis://127.0.0.1:6379/13"
REDIS_LAYER = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        # redis-py 8 would otherwise end the waiting of channels_redis.
        "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": None}], "prefix": "sockets"},
    }
}
WAIT_SECONDS = 30


@contextmanager
def server(folder: Path, *, layers: Any = None, urlconf: str = "") -> Iterator[str]:
    """Start uvicorn with the site of `server.py`, and yield its address, such as `localhost:20000`."""
    port = free_port()
    database = {key: connection.settings_dict[key] for key in ("NAME", "HOST", "PORT", "USER", "PASSWORD")}
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.sockets.server_settings",
        "LOGTO_ENDPOINT": settings.LOGTO_ENDPOINT,
        "LOGTO_APP_ID": settings.LOGTO_APP_ID,
        "LOGTO_APP_SECRET": settings.LOGTO_APP_SECRET,
        "SOCKETS_DATABASE": json.dumps({**database, "NAME": str(database["NAME"])}),
        "SOCKETS_BASE_URL": f"http://localhost:{port}",
        "SOCKETS_URLCONF": urlconf,
        "SOCKETS_CHANNEL_LAYERS": json.dumps(layers or {}),
    }
    command = [sys.executable, "-m", "uvicorn", "tests.sockets.server:application", "--port", str(port)]
    log = folder / f"uvicorn-{port}"
    with log.open("w") as output:
        options: Any = {"stdout": output, "stderr": subprocess.STDOUT}
        with child(command, cwd=ROOT, env=environment, **options) as process:
            deadline = time.monotonic() + WAIT_SECONDS
            while not listens("127.0.0.1", port):
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(log.read_text())
                time.sleep(0.1)
            yield f"localhost:{port}"
            assert "Traceback" not in log.read_text(), log.read_text()


@contextmanager
def open_socket(address: str, cookie: tuple[bytes, bytes] | None = None, **options: Any) -> Iterator[ClientConnection]:
    """Open a socket as a page of the site does."""
    headers = {"Cookie": cookie[1].decode()} if cookie else {}
    headers |= options.pop("headers", {})
    options.setdefault("origin", f"http://{address}")
    url = f"ws://{address}/ws/"
    with connect(url, additional_headers=headers, open_timeout=10, proxy=None, **options) as socket:
        yield socket
