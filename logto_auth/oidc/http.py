"""The one way out: HTTP to Logto with time-outs, a size limit, and errors of ours.

Redirects are never followed, cookies never kept, and nothing is ever added to a request from `.netrc`.
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

from logto_auth.exceptions import ProviderError, ProviderUnreachable

MAX_BODY_BYTES = 1024 * 1024
CHUNK_BYTES = 64 * 1024


class ConnectionBroke(ProviderUnreachable):
    """There was no connection, or it ended before the answer did; a time-out is not this."""


class NoAuth(AuthBase):
    """Sends no credentials; its presence also stops requests from looking for some in `.netrc`."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


@dataclass(frozen=True)
class BearerAuth(AuthBase):
    """Sends an access token (RFC 6750, section 2.1)."""

    access_token: str = field(repr=False)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.access_token}"
        return request


@dataclass(frozen=True)
class Response:
    """An answer read in full. `body` stays out of the representation: it may hold tokens."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    url: str

    def json(self) -> Any:
        """The body as JSON. Raises ProviderError when it is anything else."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise ProviderError(
                f"{self.url} answered {self.status} with something that is not JSON "
                f"({self.headers.get('Content-Type', 'no content type')}, {len(self.body)} bytes)."
            ) from error

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object. Raises ProviderError when it is anything else."""
        value = self.json()
        if not isinstance(value, dict):
            raise ProviderError(f"{self.url} answered {self.status} with a JSON {type(value).__name__}, not an object.")
        return value


class HTTPClient:
    """Makes calls to Logto. Safe to share between threads.

    `connect_seconds` bounds the connection, `total_seconds` each wait for data and, when an answer drips in slowly,
    the time after which no more of it is waited for. An answer of more than `max_body_bytes` is not read.
    """

    def __init__(self, *, connect_seconds: float, total_seconds: float, max_body_bytes: int = MAX_BODY_BYTES) -> None:
        self.connect_seconds = connect_seconds
        self.total_seconds = total_seconds
        self.max_body_bytes = max_body_bytes
        self._session = requests.Session()
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        # A compressed answer could unpack to any size; what Logto sends here is small.
        self._session.headers.update({"Accept": "application/json", "Accept-Encoding": "identity"})

    def get(self, url: str, *, auth: AuthBase | None = None) -> Response:
        """The answer to a GET. Raises ProviderUnreachable.

        It is tried a second time when the connection broke, as one does that the server has meanwhile closed. A POST is
        not: it may have taken effect.
        """
        try:
            return self._send("GET", url, auth=auth)
        except ConnectionBroke:
            return self._send("GET", url, auth=auth)

    def look(self, url: str) -> Response:
        """The answer to a GET, which may be a redirect with its `Location`. Raises ProviderUnreachable."""
        return self._send("GET", url, may_redirect=True)

    def post_form(self, url: str, data: Mapping[str, str], *, auth: AuthBase | None = None) -> Response:
        """The answer to a POST of a form. Raises ProviderUnreachable."""
        return self._send("POST", url, data=data, auth=auth)

    def send_json(self, method: str, url: str, payload: Any = None, *, auth: AuthBase | None = None) -> Response:
        """The answer to a request of any method with a JSON body, or with none. Raises ProviderUnreachable."""
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
                auth=auth or NoAuth(),
                timeout=(self.connect_seconds, self.total_seconds),
                allow_redirects=False,
                stream=True,
            ) as response:
                body = self._read(response, url, deadline)
        except (requests.Timeout, TimeoutError) as error:
            raise ProviderUnreachable(
                f"{_place(url)} gave no answer within {self.total_seconds} s.", code="provider_timeout", status=504
            ) from error
        except (requests.RequestException, Urllib3Error, OSError) as error:
            raise ConnectionBroke(f"{_place(url)} is out of reach: {_cause(error)}.") from error
        if not may_redirect and (response.is_redirect or 300 <= response.status_code < 400):
            raise ProviderError(
                f"{_place(url)} answered with a redirect ({response.status_code}), which is not followed."
            )
        return Response(response.status_code, response.headers, body, _place(url))

    def _read(self, response: requests.Response, url: str, deadline: float) -> bytes:
        body = bytearray()
        # read1() returns what one receive brought, so that a dripping body cannot outlast the deadline.
        while chunk := response.raw.read1(CHUNK_BYTES):
            body += chunk
            if len(body) > self.max_body_bytes:
                raise ProviderError(f"{_place(url)} answered with more than {self.max_body_bytes} bytes.")
            if time.monotonic() > deadline:
                raise TimeoutError
        return bytes(body)


def retry_after_seconds(response: Response) -> int | None:
    """The `Retry-After` of an answer in seconds, None when absent or a date (RFC 9110, section 10.2.3)."""
    value = response.headers.get("Retry-After", "").strip()
    return min(int(value), 3600) if re.fullmatch(r"[0-9]{1,6}", value) else None


def _place(url: str) -> str:
    """The URL without its query, which may hold a token."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def _cause(error: BaseException) -> str:
    """The kind of failure, without the URL that messages of requests and urllib3 repeat."""
    names = [type(error).__name__]
    inner = error.args[0] if error.args else None
    reason = getattr(inner, "reason", None)
    if reason is not None:
        names.append(type(reason).__name__)
    return ", ".join(names)
