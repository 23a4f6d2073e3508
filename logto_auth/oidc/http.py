"""HTTP requests to Logto, with time-outs, a size limit, and errors of this package.

Redirects are not followed, cookies are not kept, and `.netrc` is not read.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError as Urllib3Error

from .errors import ProviderError, ProviderUnreachable

__all__ = ["BearerAuth", "HTTPClient", "Response", "retry_after_seconds"]

_MAX_BODY_BYTES = 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_MAX_RETRY_AFTER_SECONDS = 3600


class _ConnectionFailed(ProviderUnreachable):
    """There was no connection, or it closed before the response was complete. A time-out is another error."""


class _NoAuth(AuthBase):
    """Send no credentials. Without an `auth`, the library requests would read `.netrc`."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


@dataclass(frozen=True)
class BearerAuth(AuthBase):
    """Send an access token (RFC 6750, section 2.1)."""

    access_token: str = field(repr=False)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.access_token}"
        return request


@dataclass(frozen=True)
class Response:
    """A complete response. `body` is left out of the representation, because it may hold tokens."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    url: str

    def json(self) -> Any:
        """Return the body, parsed as JSON. Raise ProviderError when it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise ProviderError(
                f"{self.url} answered {self.status} with something that is not JSON "
                f"({self.headers.get('Content-Type', 'no content type')}, {len(self.body)} bytes)."
            ) from error

    def json_object(self) -> dict[str, Any]:
        """Return the body, parsed as a JSON object. Raise ProviderError when it is something else."""
        value = self.json()
        if not isinstance(value, dict):
            raise ProviderError(f"{self.url} answered {self.status} with a JSON {type(value).__name__}, not an object.")
        return value


class HTTPClient:
    """Send requests to Logto. Safe to share between threads.

    `connect_seconds` limits the wait for a connection. `total_seconds` limits each wait for data, and the time until a
    slow response must be complete. A response of more than `max_body_bytes` is refused.

    Every method raises ProviderUnreachable when there is no response in time, and ProviderError for a redirect or a
    response that is too large. Other statuses are for the caller to check.
    """

    def __init__(self, *, connect_seconds: float, total_seconds: float, max_body_bytes: int = _MAX_BODY_BYTES) -> None:
        self.connect_seconds = connect_seconds
        self.total_seconds = total_seconds
        self.max_body_bytes = max_body_bytes
        self._session = requests.Session()
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        # A compressed response could unpack to any size. Logto's responses are small.
        self._session.headers.update({"Accept": "application/json", "Accept-Encoding": "identity"})

    def get(self, url: str, *, auth: AuthBase | None = None) -> Response:
        """Return the response to a GET.

        The request is repeated once when the connection fails, because the server may have closed an idle connection.
        A POST is not repeated: it may have taken effect.
        """
        try:
            return self._send("GET", url, auth=auth)
        except _ConnectionFailed:
            return self._send("GET", url, auth=auth)

    def get_allowing_redirect(self, url: str) -> Response:
        """Return the response to a GET, which may be a redirect with a `Location`."""
        return self._send("GET", url, may_redirect=True)

    def post_form(self, url: str, data: Mapping[str, str], *, auth: AuthBase | None = None) -> Response:
        """Return the response to a POST of a form."""
        return self._send("POST", url, data=data, auth=auth)

    def send_json(self, method: str, url: str, payload: Any = None, *, auth: AuthBase | None = None) -> Response:
        """Return the response to a request with a JSON body, or without a body when `payload` is None."""
        return self._send(method, url, json=payload, auth=auth)

    def _send(
        self, method: str, url: str, *, auth: AuthBase | None = None, may_redirect: bool = False, **content: Any
    ) -> Response:
        deadline = time.monotonic() + self.total_seconds
        try:
            with self._session.request(
                method,
                url,
                **content,
                auth=auth or _NoAuth(),
                timeout=(self.connect_seconds, self.total_seconds),
                allow_redirects=False,
                stream=True,
            ) as response:
                body = self._read(response, url, deadline)
        except (requests.Timeout, TimeoutError) as error:
            raise ProviderUnreachable(
                f"{_without_query(url)} did not answer within {self.total_seconds} s.",
                code="provider_timeout",
                status=504,
            ) from error
        except (requests.RequestException, Urllib3Error, OSError) as error:
            raise _ConnectionFailed(f"{_without_query(url)} is out of reach: {_cause(error)}.") from error
        if not may_redirect and (response.is_redirect or 300 <= response.status_code < 400):
            raise ProviderError(
                f"{_without_query(url)} answered with a redirect ({response.status_code}), which is not followed."
            )
        return Response(response.status_code, response.headers, body, _without_query(url))

    def _read(self, response: requests.Response, url: str, deadline: float) -> bytes:
        body = bytearray()
        # read1() returns after one receive, so that a slow body cannot outlast the deadline.
        while chunk := response.raw.read1(_CHUNK_BYTES):
            body += chunk
            if len(body) > self.max_body_bytes:
                raise ProviderError(f"{_without_query(url)} answered with more than {self.max_body_bytes} bytes.")
            if time.monotonic() > deadline:
                raise TimeoutError
        return bytes(body)


def retry_after_seconds(response: Response) -> int | None:
    """Return the header `Retry-After` in seconds, at most an hour; None when it is missing or a date.

    Source: RFC 9110, section 10.2.3.
    """
    value = response.headers.get("Retry-After", "").strip()
    return min(int(value), _MAX_RETRY_AFTER_SECONDS) if re.fullmatch(r"[0-9]{1,6}", value) else None


def _without_query(url: str) -> str:
    """Return the URL without its query, which may hold a token."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def _cause(error: BaseException) -> str:
    """Return the kind of failure, without the URL that the messages of requests and urllib3 repeat."""
    names = [type(error).__name__]
    inner = error.args[0] if error.args else None
    reason = getattr(inner, "reason", None)
    if reason is not None:
        names.append(type(reason).__name__)
    return ", ".join(names)
