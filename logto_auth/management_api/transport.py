"""Send requests to the Management API: access token, paging, rate limit, retries and errors.

Source: Logto's Management API, versions 1.41 and 1.42.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeVar, get_origin, overload
from urllib.parse import urlencode, urlsplit

from logto_auth.oidc.client_credentials import ClientCredentialsToken, MachineClient
from logto_auth.oidc.errors import ProviderError, ProviderUnreachable, single_line
from logto_auth.oidc.http import BearerAuth, HTTPClient, Response, retry_after_seconds

from .errors import ManagementAPIError
from .rate_limiter import RateLimiter

__all__ = [
    "CLOUD_DOMAIN",
    "MAX_TRIES",
    "OPEN_SOURCE_RESOURCE",
    "PAGE_SIZE",
    "Method",
    "Payload",
    "QueryValue",
    "Transport",
    "resource_indicator",
]

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
# A TypedDict is such a mapping too.
Payload = Mapping[str, object]
# A list repeats the parameter, and None omits it.
QueryValue = str | int | Sequence[str | int] | None

R = TypeVar("R")

# The resource indicator of a self-hosted tenant. A cloud tenant's indicator is its own URL.
OPEN_SOURCE_RESOURCE = "https://default.logto.app/api"
CLOUD_DOMAIN = ".logto.app"
# Logto Cloud accepts 200 requests in 10 seconds from all clients of a tenant. This leaves some for the others.
CLOUD_REQUESTS_PER_SECOND = 18.0
SCOPE = "all"
PAGE_SIZE = 100
MAX_TRIES = 5
# Logto sends no more messages to an address for some minutes. Another try soon would not succeed.
MESSAGE_LIMIT = "request.message_rate_limited"
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0
# Repeating these requests has no further effect (RFC 9110, section 9.2.2).
IDEMPOTENT_METHODS = frozenset({"GET", "PUT", "DELETE"})
TEMPORARY_STATUSES = frozenset({500, 502, 503, 504})


class Transport:
    """Send authenticated requests to the Management API of the Logto at `endpoint`.

    `resource` is the resource indicator of the API. If it is empty, it is derived from `endpoint`. A cloud tenant with
    a custom domain has to pass it: `https://<tenant>.logto.app/api`. `credentials_hint` is a sentence that is added to
    the error when Logto rejects the credentials of `machine`; it says where the caller configures them.
    `resource_hint` is the same for a resource that the tenant does not have. `max_tries` is how often a request is sent
    before its error is raised.

    Every method raises ManagementAPIError if Logto answers with an error, and ProviderUnreachable if it does not
    answer. Thread-safe.
    """

    def __init__(
        self,
        *,
        endpoint: str,
        machine: MachineClient,
        http: HTTPClient,
        resource: str = "",
        credentials_hint: str = "",
        resource_hint: str = "",
        max_tries: int = MAX_TRIES,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.base_url = endpoint.rstrip("/") + "/api"
        self.resource = resource or resource_indicator(endpoint)
        self._machine = machine
        self._http = http
        self._credentials_hint = credentials_hint
        self._resource_hint = resource_hint
        self._max_tries = max_tries
        self._sleep = sleep
        self._rate_limiter = RateLimiter(sleep)

    def limit(self, requests_per_second: float | None) -> None:
        """Send at most this many requests per second from now on, counted over all threads. None removes the limit."""
        self._rate_limiter.requests_per_second = requests_per_second

    def limit_batch(self, requests_per_second: float | None = None) -> float | None:
        """Limit the requests of a long run, as `limit` does, and return the limit.

        The default is 18 requests per second for Logto Cloud, and no limit for a self-hosted Logto.
        """
        if requests_per_second is None and self.resource != OPEN_SOURCE_RESOURCE:
            requests_per_second = CLOUD_REQUESTS_PER_SECOND
        self.limit(requests_per_second)
        return requests_per_second

    @overload
    def request(
        self,
        method: Method,
        path: str,
        *,
        json: Payload | None = None,
        query: Mapping[str, QueryValue] | None = None,
    ) -> Any: ...

    @overload
    def request(
        self,
        method: Method,
        path: str,
        *,
        json: Payload | None = None,
        query: Mapping[str, QueryValue] | None = None,
        returns: type[R],
    ) -> R: ...

    def request(
        self,
        method: Method,
        path: str,
        *,
        json: Payload | None = None,
        query: Mapping[str, QueryValue] | None = None,
        returns: type[Any] | None = None,
    ) -> Any:
        """Return the decoded body of the response, or None if it has no JSON body.

        `path` is relative to `/api`. `json` uses Logto's camelCase keys. In `query`, a list repeats the parameter and
        None omits it.

        `returns` is the type of the body: a TypedDict, or a list of one, such as `list[User]`, or `type(None)`. Type
        checkers then know what the call returns. A body that is no object, no list or not empty, as the type says,
        raises ManagementAPIError with the code `unexpected_body`. The keys are not checked.

        A request is repeated with growing pauses if Logto is too busy (status 429). An idempotent request is also
        repeated if Logto fails (status 500, 502, 503 or 504) or cannot be reached.
        """
        response = self._send_with_retries(method, path, json, query)
        body = _json_body(response)
        if returns is not None:
            _check_kind(body, returns, response)
        return body

    def pages(
        self, path: str, *, query: Mapping[str, QueryValue] | None = None, first_page: int = 1
    ) -> Iterator[list[Any]]:
        """Yield the rows of `path` page by page, at most 100 rows each, starting with `first_page` (1 or greater).

        Pages are counted because the links that Logto sends omit `/api`. Rows that are added in the meantime may make
        others appear twice. Rows that are deleted in the meantime may make others be skipped.
        """
        page = first_page
        while True:
            page_query = {**(query or {}), "page": page, "page_size": PAGE_SIZE}
            response = self._send_with_retries("GET", path, None, page_query)
            rows = _rows(response)
            if rows:
                yield rows
            if len(rows) < PAGE_SIZE or response.headers.get("Total-Number") == str(page * PAGE_SIZE):
                return
            page += 1

    def count(self, path: str, *, query: Mapping[str, QueryValue] | None = None) -> int:
        """Return the number of rows of `path`, from the header `Total-Number`."""
        return _total(self._send_with_retries("GET", path, None, {**(query or {}), "page": 1, "page_size": 1}))

    def first_page(self, path: str, *, query: Mapping[str, QueryValue] | None = None) -> tuple[list[Any], int]:
        """Return up to 100 rows of `path`, and the number of all rows."""
        return self.page(path, 1, query=query)

    def page(
        self, path: str, number: int, *, page_size: int = PAGE_SIZE, query: Mapping[str, QueryValue] | None = None
    ) -> tuple[list[Any], int]:
        """Return the rows of one page of `path`, and the number of all rows. The first page is 1."""
        page_query = {**(query or {}), "page": number, "page_size": page_size}
        response = self._send_with_retries("GET", path, None, page_query)
        return _rows(response), _total(response)

    def _send_with_retries(
        self, method: str, path: str, json: Payload | None, query: Mapping[str, QueryValue] | None
    ) -> Response:
        token, may_renew, has_waited = self._token(), True, False
        tries_left = self._max_tries
        while True:
            tries_left -= 1
            wait_seconds = _backoff_seconds(self._max_tries - tries_left)
            self._rate_limiter.wait(ignores_pause=has_waited)
            try:
                response = self._send(method, path, json, query, token)
            except ProviderUnreachable:
                if method not in IDEMPOTENT_METHODS or not tries_left:
                    raise
                self._sleep(wait_seconds)
                continue
            if response.status == 401 and may_renew:
                # Logto may have rotated its keys, or the clocks may differ. Try a new token once, which counts as no
                # repetition.
                self._machine.forget(token)
                token, may_renew = self._token(), False
                tries_left += 1
                continue
            if not tries_left or not _may_retry(method, response):
                break
            wait_seconds = min(retry_after_seconds(response) or wait_seconds, LONGEST_WAIT_SECONDS)
            if response.status == 429:
                self._rate_limiter.pause(wait_seconds)
            self._sleep(wait_seconds)
            has_waited = True
        if response.status >= 400:
            raise _error_from(response)
        return response

    def _send(
        self,
        method: str,
        path: str,
        json: Payload | None,
        query: Mapping[str, QueryValue] | None,
        token: ClientCredentialsToken,
    ) -> Response:
        url = f"{self.base_url}/{path.lstrip('/')}"
        if pairs := _query_pairs(query or {}):
            url += "?" + urlencode(pairs)
        return self._http.send_json(method, url, json, auth=BearerAuth(token.access_token))

    def _token(self) -> ClientCredentialsToken:
        try:
            token = self._machine.token(resource=self.resource, scopes=(SCOPE,))
        except ProviderUnreachable:
            raise
        except ProviderError as error:
            raise ManagementAPIError(
                f"Logto issued no token for the Management API {self.resource}: {self._token_error_text(error)}",
                code=error.error or "no_token",
                status=error.status,
            ) from error
        if SCOPE not in token.scopes:
            raise ManagementAPIError(
                f"The application {self._machine.client_id} may not use the Management API. Give it the role "
                '"Logto Management API access", or another machine-to-machine role with the permission "all".',
                code="no_permission",
                status=403,
            )
        return token

    def _token_error_text(self, error: ProviderError) -> str:
        if error.error == "invalid_target":
            return f"the tenant has no such API resource. {self._resource_hint}".rstrip()
        if error.error not in ("invalid_client", "invalid_request"):
            return str(error)
        reason = error.error_description or error.error
        text = f"the application {self._machine.client_id} was rejected, {reason}. {self._credentials_hint}"
        return text.rstrip()


def resource_indicator(endpoint: str) -> str:
    """Return the resource indicator of the Management API of the tenant at `endpoint`."""
    try:
        host = urlsplit(endpoint).hostname or ""
    except ValueError:  # such as "http://[::1"; the first request reports it
        host = ""
    return endpoint.rstrip("/") + "/api" if host.endswith(CLOUD_DOMAIN) else OPEN_SOURCE_RESOURCE


def _error_from(response: Response) -> ManagementAPIError:
    """Return the error for a response with a status of 400 or more, with Logto's message."""
    try:
        body = response.json_object()
    except ProviderError:
        body = {}
    code, message, details = (single_line(body.get(name), 1000) for name in ("code", "message", "details"))
    explanation = " ".join(part for part in (code and f"{code}:", message, details) if part)
    return ManagementAPIError(
        f"{response.url} answered {response.status}: {explanation or 'no explanation'}",
        code=code or f"http_{response.status}",
        status=response.status,
        message=message,
        data=body.get("data"),
        retry_after_seconds=retry_after_seconds(response),
    )


def _total(response: Response) -> int:
    total = response.headers.get("Total-Number", "")
    if not total.isdecimal():
        raise ManagementAPIError(
            f"The answer of {response.url} has no header Total-Number. Expected the number of rows in it; "
            "check that no proxy removes the header.",
            code="no_total",
            status=response.status,
        )
    return int(total)


def _json_body(response: Response) -> Any:
    # Where Logto has no data to return, it sends "Created" or similar as plain text.
    is_text = response.headers.get("Content-Type", "").startswith("text/plain")
    return None if is_text or not response.body else response.json()


def _rows(response: Response) -> list[Any]:
    """Return the rows of a page. Raise ManagementAPIError if the body is no list."""
    rows = _json_body(response)
    _check_kind(rows, list, response)
    return rows  # type: ignore[no-any-return]


def _check_kind(body: object, returns: type[Any], response: Response) -> None:
    """Raise ManagementAPIError unless the body is a list or None, if `returns` is one, and else an object."""
    kind = get_origin(returns) or returns
    kind = kind if kind in (list, type(None)) else dict
    if not isinstance(body, kind):
        names = {list: "a list", dict: "an object", type(None): "nothing"}
        raise ManagementAPIError(
            f"{response.url} answered {response.status} with {names.get(type(body), type(body).__name__)}. "
            f"Expected {names[kind]}; check the path and the endpoint.",
            code="unexpected_body",
            status=response.status,
        )


def _query_pairs(query: Mapping[str, QueryValue]) -> list[tuple[str, str]]:
    return [
        (name, str(item).lower() if isinstance(item, bool) else str(item))
        for name, value in query.items()
        if value is not None
        for item in (value if isinstance(value, list | tuple) else [value])
    ]


def _may_retry(method: str, response: Response) -> bool:
    if response.status == 429:
        return _error_from(response).code != MESSAGE_LIMIT
    return response.status in TEMPORARY_STATUSES and method in IDEMPOTENT_METHODS


def _backoff_seconds(tries: int) -> float:
    """Return a wait that doubles with each try. It is random, so that workers do not retry at the same moment."""
    return min(FIRST_WAIT_SECONDS * 2.0 ** (tries - 1), LONGEST_WAIT_SECONDS) * random.uniform(0.5, 1.0)  # noqa: S311
