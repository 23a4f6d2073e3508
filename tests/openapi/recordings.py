"""The recorded exchanges with the Management API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from tests.recorded import FOLDER, recording

from .contract import Exchange

__all__ = ["exchanges_of", "names_of_recordings"]

# The APIs of Logto's own pages, and those of users. They have documents of their own.
OTHER_APIS = ("/api/experience", "/api/interaction", "/api/my-account", "/api/verifications")


def names_of_recordings(version: str) -> list[str]:
    """Return the names of the recordings that have exchanges with the API, such as `errors/user_bad_email`."""
    folder = FOLDER / version
    names = [str(path.relative_to(folder).with_suffix("")) for path in sorted(folder.rglob("*.json"))]
    return [name for name in names if exchanges_of(f"{version}/{name}")]


@cache
def exchanges_of(name: str) -> list[Exchange]:
    """Return the exchanges with the API in a recording. `name` begins with the version: `1.42/mgmt_users_page`."""
    version, _, rest = name.partition("/")
    return [_exchange(each) for each in _objects(recording(rest, version)) if _is_exchange(each)]


def _is_exchange(value: dict[str, Any]) -> bool:
    request = value.get("request")
    if not isinstance(request, dict) or "status" not in value:
        return False
    path = urlsplit(request.get("url", "")).path
    return path.startswith("/api/") and not path.startswith(OTHER_APIS)


def _exchange(value: dict[str, Any]) -> Exchange:
    request, url = value["request"], urlsplit(value["request"]["url"])
    headers = {name.lower(): each for name, each in value.get("headers", {}).items()}
    return Exchange(
        method=request["method"],
        url=f"{url.path}?{url.query}",
        payload=_decoded(request.get("body")),
        status=value["status"],
        answer=value.get("body"),
        answer_type=headers.get("content-type", "").partition(";")[0],
    )


def _decoded(body: Any) -> Any:
    """Return the body, which some recordings have as text."""
    try:
        return json.loads(body) if isinstance(body, str) else body
    except ValueError:
        return body


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from _objects(each)
