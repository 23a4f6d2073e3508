"""HTTP requests to Logto, with one deadline for each exchange, a size limit, and errors of this package.

Redirects are not followed, cookies are not kept, and `.netrc` is not read.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import urllib3
from requests.auth import AuthBase

from logto_auth.telemetry import REQUEST_DURATION

from .connections import LimitExceeded, Limits, LimitsAdapter, apply_limits
from .errors import ProviderError, ProviderUnreachable, single_line
from .secrets import Secret, hide_frames

__all__ = ["BearerAuth", "HTTPClient", "Response", "retry_after_seconds"]

_MAX_BODY_BYTES = 1024 * 1024
_MAX_HEADER_BYTES = 256 * 1024
_CHUNK_BYTES = 64 * 1024
_MAX_RETRY_AFTER_SECONDS = 3600
# Node.js, on which Logto runs, closes a connection after 5 idle seconds. NAT gateways forget it after minutes.
_MAX_IDLE_SECONDS = 4
# How many threads keep a connection to the same host.
_MAX_CONNECTIONS = 32

# How the library ssl names an answer that is not TLS. Which one, depends on the versions of Python and OpenSSL.
_SIGNS_OF_HTTP = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "record layer failure", "HTTP_REQUEST")
# What a server that expects TLS does with a request in clear text. Node.js closes the connection.
_SIGNS_OF_HTTPS = ("RemoteDisconnected", "ConnectionResetError", "BadStatusLine")
_NGINX_WITH_HTTPS = b"plain HTTP request was sent to HTTPS"

# The operations in the metrics, by the end of the path, else by a part of it.
_ENDPOINTS = {
    "/.well-known/openid-configuration": "discovery",
    "/oidc/jwks": "keys",
    "/oidc/me": "userinfo",
    "/oidc/token": "token",
    "/oidc/token/introspection": "introspection",
    "/oidc/token/revocation": "revocation",
}
_APIS = {
    "/api/.well-known/": "public_settings",
    "/api/my-account": "account_api",
    "/api/verifications": "account_api",
    "/api/": "management_api",
}

_TIME_OUTS = (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)
# Errors of requests, urllib3 and http.client. Some of them are ValueErrors: of an invalid URL, header or encoding.
_FAILURES = (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError)


class _ConnectionFailed(ProviderUnreachable):
    """There was no connection, or it closed before the response was complete. A time-out is another error."""


class _NoAuth(AuthBase):
    """Send no credentials. Without an `auth`, the library requests would read `.netrc`."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


@dataclass(frozen=True)
class BearerAuth(AuthBase):
    """Send an access token (RFC 6750, section 2.1)."""

    access_token: Secret

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.access_token.reveal()}"
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
        except (ValueError, RecursionError):
            # Without the cause: it and its frames hold the body.
            raise ProviderError(
                f"{self.url} answered {self.status} with something that is not JSON "
                f"({self.headers.get('Content-Type', 'no content type')}, {len(self.body)} bytes)."
            ) from None

    def json_object(self) -> dict[str, Any]:
        """Return the body, parsed as a JSON object. Raise ProviderError when it is something else."""
        value = self.json()
        if not isinstance(value, dict):
            raise ProviderError(f"{self.url} answered {self.status} with a JSON {type(value).__name__}, not an object.")
        return value


class _Session(requests.Session):
    def get_redirect_target(self, response: requests.Response) -> None:
        """Return None. The library would parse the redirect and read its body, even if it does not follow it."""


class HTTPClient:
    """Send requests to Logto. Safe to share between threads.

    `total_seconds` limits the whole exchange, from the connection to the last byte of the response; `connect_seconds`
    limits the connection to each address of the host, with the TLS handshake. A response of more than `max_body_bytes`
    is refused. A connection that was idle for `max_idle_seconds` is not used again.

    A request with `may_repeat` is sent once more when the connection fails before the response is complete. Set it only
    if a second request does no harm: never for a code or a refresh token, which may be used up. A GET is repeated.

    Every method raises ProviderUnreachable when there is no response in time, and ProviderError for a redirect or a
    response that is too large. Other statuses are for the caller to check.
    """

    def __init__(
        self,
        *,
        connect_seconds: float,
        total_seconds: float,
        max_body_bytes: int = _MAX_BODY_BYTES,
        max_idle_seconds: float = _MAX_IDLE_SECONDS,
    ) -> None:
        self.connect_seconds = connect_seconds
        self.total_seconds = total_seconds
        self.max_body_bytes = max_body_bytes
        self.max_idle_seconds = max_idle_seconds
        self._environments: dict[str, dict[str, Any]] = {}
        self._session = _Session()
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, LimitsAdapter(pool_maxsize=_MAX_CONNECTIONS))
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        # A compressed response could unpack to any size. Logto's responses are small.
        self._session.headers.update({"Accept": "application/json", "Accept-Encoding": "identity"})

    def get(
        self, url: str, *, auth: AuthBase | None = None, headers: Mapping[str, str | Secret] | None = None
    ) -> Response:
        """Return the response to a GET. The values of `headers` may be secrets."""
        return self._send("GET", url, auth=auth, headers=headers, may_repeat=True)

    def get_allowing_redirect(self, url: str) -> Response:
        """Return the response to a GET, which may be a redirect with a `Location`."""
        return self._send("GET", url, may_repeat=True, may_redirect=True)

    def post_form(
        self, url: str, data: Mapping[str, str | Secret], *, auth: AuthBase | None = None, may_repeat: bool = False
    ) -> Response:
        """Return the response to a POST of a form, whose values may be secrets."""
        return self._send("POST", url, data=data, auth=auth, may_repeat=may_repeat)

    def send_json(
        self,
        method: str,
        url: str,
        payload: Any = None,
        *,
        auth: AuthBase | None = None,
        headers: Mapping[str, str | Secret] | None = None,
    ) -> Response:
        """Return the response to a request with a JSON body, or without a body when `payload` is None.

        Values of the payload and of `headers` may be secrets.
        """
        return self._send(method, url, json=payload, auth=auth, headers=headers)

    def post_file(
        self, url: str, content: bytes, *, name: str, filename: str, content_type: str, auth: AuthBase | None = None
    ) -> Response:
        """Return the response to a POST of a form with one file, in the field `name` (RFC 7578)."""
        return self._send("POST", url, files={name: (filename, content, content_type)}, auth=auth)

    def _send(
        self, method: str, url: str, *, may_repeat: bool = False, may_redirect: bool = False, **content: Any
    ) -> Response:
        limits = Limits(
            deadline=time.monotonic() + self.total_seconds,
            max_idle_seconds=self.max_idle_seconds,
            # A body in small chunks is several times as long on the wire.
            bytes_left=_MAX_HEADER_BYTES + 8 * self.max_body_bytes,
        )
        with (
            apply_limits(limits),
            REQUEST_DURATION.measured(
                **{"http.request.method": method, "logto_auth.operation": _operation(url)}
            ) as measured,
        ):
            try:
                response = self._send_once(method, url, content)
            except _ConnectionFailed:
                if not may_repeat:
                    raise
                response = self._send_once(method, url, content)
            measured["http.response.status_code"] = response.status
        if response.status == 400 and url.startswith("http:") and _NGINX_WITH_HTTPS in response.body:
            raise ProviderError(
                f"{response.url} answered 400. The server speaks https: the URL must begin with https://."
            )
        if not may_redirect and 300 <= response.status < 400:
            raise ProviderError(f"{response.url} answered with a redirect ({response.status}), which is not followed.")
        return response

    def _send_once(self, method: str, url: str, content: dict[str, Any]) -> Response:
        """Return the response. The errors of the libraries are not attached: they hold URLs, headers and answers."""
        plain_url = url.partition("?")[0]
        try:
            response = self._exchange(method, url, **content)
        except LimitExceeded:
            raise ProviderError(self._too_long(plain_url)) from None
        except _TIME_OUTS:
            raise ProviderUnreachable(
                f"{plain_url} did not answer within {self.total_seconds} s.", code="provider_timeout", status=504
            ) from None
        except _FAILURES as error:
            cause = _cause(error)
            raise _ConnectionFailed(f"{plain_url} is out of reach: {cause}.{_scheme_hint(plain_url, cause)}") from None
        if len(response.body) > self.max_body_bytes:
            raise ProviderError(self._too_long(plain_url))
        return response

    def _too_long(self, url: str) -> str:
        return f"{url} answered with more than {self.max_body_bytes} bytes, or with endless headers."

    @hide_frames
    def _exchange(
        self,
        method: str,
        url: str,
        *,
        auth: AuthBase | None = None,
        headers: Mapping[str, str | Secret] | None = None,
        data: Mapping[str, str | Secret] | None = None,
        json: Any = None,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
    ) -> Response:
        request = requests.Request(
            method,
            url,
            headers=_revealed(headers),
            data=_revealed(data),
            json=_revealed(json),
            files=files,
            auth=auth or _NoAuth(),
        )
        with self._session.send(
            self._session.prepare_request(request),
            timeout=(self.connect_seconds, self.total_seconds),
            allow_redirects=False,
            **self._environment_of(url),
        ) as response:
            body = bytearray()
            while len(body) <= self.max_body_bytes and (chunk := response.raw.read(_CHUNK_BYTES)):
                body += chunk
            return Response(response.status_code, response.headers, bytes(body), url.partition("?")[0])

    def _environment_of(self, url: str) -> dict[str, Any]:
        """Return the proxies and certificates that the environment sets for `url`.

        It is read once for each origin. To read it takes a twentieth of the CPU time of a sign-in.
        """
        scheme, _, rest = url.partition("://")
        origin = f"{scheme}://{rest.partition('/')[0]}"
        if origin not in self._environments:
            self._environments[origin] = dict(self._session.merge_environment_settings(origin, {}, True, None, None))
        return self._environments[origin]


def _operation(url: str) -> str:
    """Return what the request is for. The URL itself has ids, so that it is no attribute of a metric."""
    path = url.partition("?")[0]
    for ending, name in _ENDPOINTS.items():
        if path.endswith(ending):
            return name
    return next((name for part, name in _APIS.items() if part in path), "other")


def retry_after_seconds(response: Response) -> int | None:
    """Return the header `Retry-After` in seconds, at most an hour; None when it is missing or a date.

    Source: RFC 9110, section 10.2.3.
    """
    value = response.headers.get("Retry-After", "").strip()
    return min(int(value), _MAX_RETRY_AFTER_SECONDS) if re.fullmatch(r"[0-9]{1,6}", value) else None


def _revealed(value: Any) -> Any:
    """Return JSON, a form or headers with the texts of the secrets in it."""
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Mapping):
        return {key: _revealed(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_revealed(each) for each in value]
    return value


def _scheme_hint(url: str, cause: str) -> str:
    """Return a sentence if the server probably speaks http where the URL says https, or the reverse."""
    if url.startswith("https:") and any(sign in cause for sign in _SIGNS_OF_HTTP):
        return " The server seems to speak http there. If it does, the URL must begin with http://."
    if url.startswith("http:") and any(sign in cause for sign in _SIGNS_OF_HTTPS):
        return " The server closed the connection. If it speaks https, the URL must begin with https://."
    return ""


def _cause(error: BaseException) -> str:
    """Return the kinds of failure and what the system says, without messages that repeat URLs, headers or answers."""
    kinds = []
    cause: Any = error
    while isinstance(cause, BaseException):
        text = cause.strerror or (cause if type(cause) is OSError else "") if isinstance(cause, OSError) else ""
        kinds.append(f"{type(cause).__name__} {single_line(str(text))}".rstrip())
        inner = [getattr(cause, "reason", None), *cause.args]
        cause = next((value for value in inner if isinstance(value, Exception)), None)
    return ", ".join(dict.fromkeys(kinds))
