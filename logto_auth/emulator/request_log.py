"""The log of received requests, for tests that count calls to Logto."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from threading import Lock

_SECRET_PARAMETERS = frozenset(
    {
        "access_token",
        "actor_token",
        "auth_code",
        "client_assertion",
        "client_secret",
        "code",
        "code_verifier",
        "confirm_password",
        "id_token_hint",
        "one_time_token",
        "password",
        "refresh_token",
        "subject_token",
        "token",
    }
)
_SECRET_HEADERS = frozenset({"cookie", "logto-verification-id"})


@dataclass(frozen=True)
class RecordedRequest:
    """A request. `endpoint` is a name such as `token`, or "" for pages. Secret values are replaced by "[hidden]"."""

    method: str
    path: str
    endpoint: str
    query: Mapping[str, list[str]]
    form: Mapping[str, list[str]]
    headers: Mapping[str, str]


class RequestLog:
    """The requests in order of arrival."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._requests: list[RecordedRequest] = []

    def __iter__(self) -> Iterator[RecordedRequest]:
        with self._lock:
            return iter(list(self._requests))

    def __len__(self) -> int:
        with self._lock:
            return len(self._requests)

    def __getitem__(self, index: int) -> RecordedRequest:
        with self._lock:
            return self._requests[index]

    def append(self, request: RecordedRequest) -> None:
        with self._lock:
            self._requests.append(request)

    def to(self, endpoint: str) -> list[RecordedRequest]:
        """Return the requests to one endpoint, such as `token`."""
        return [request for request in self if request.endpoint == endpoint]

    def clear(self) -> None:
        with self._lock:
            self._requests.clear()


def without_secrets(parameters: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Return a copy with the values of secrets replaced."""
    return {
        name: ["[hidden]" for _ in values] if name in _SECRET_PARAMETERS else list(values)
        for name, values in parameters.items()
    }


def headers_without_secrets(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the headers without secrets. Of credentials the scheme remains."""
    return {name: _without_secret(name.lower(), value) for name, value in headers}


def _without_secret(name: str, value: str) -> str:
    if name == "authorization":
        return f"{value.split(' ')[0]} [hidden]" if " " in value else "[hidden]"
    return "[hidden]" if name in _SECRET_HEADERS else value
