"""ManagementAPI: the token, the request, paging, patience and errors; what there is to call stands in `resources`.

Source: Logto's Management API, version 1.41.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import urlencode, urlsplit

from logto_auth.exceptions import ManagementAPIError, ProviderError, ProviderUnreachable
from logto_auth.oidc.client_credentials import MachineClient, MachineToken
from logto_auth.oidc.http import BearerAuth, HTTPClient, Response, retry_after_seconds
from logto_auth.oidc.token_endpoint import clean

from . import resources

# The name of a self-hosted tenant's Management API; a cloud tenant's is its own address.
OPEN_SOURCE_RESOURCE = "https://default.logto.app/api"
CLOUD_DOMAIN = ".logto.app"
SCOPE = "all"
PAGE_SIZE = 100
MAX_TRIES = 5
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0
# What may be asked again without doing anything twice (RFC 9110, section 9.2.2).
IDEMPOTENT_METHODS = frozenset({"GET", "PUT", "DELETE"})
PASSING_STATUSES = frozenset({500, 502, 503, 504})


class ManagementAPI:
    """The Management API of the Logto at `endpoint`. Safe to share between threads; keep one, for its token is cached.

    `resource` is its indicator, found by the endpoint when empty; a cloud tenant with a domain of its own has to name
    it: `https://<tenant>.logto.app/api`. Every method raises ManagementAPIError for what Logto answers with an error,
    and ProviderUnreachable when it does not answer. What is too much for Logto's cloud (429) is asked again later.
    """

    def __init__(
        self,
        *,
        endpoint: str,
        machine: MachineClient,
        http: HTTPClient,
        resource: str = "",
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.base_url = endpoint.rstrip("/") + "/api"
        self.resource = resource or indicator_of(endpoint)
        self._machine = machine
        self._http = http
        self._sleep = sleep
        self._pace = Pace(sleep)

    # What there is

    @cached_property
    def applications(self) -> resources.Applications:
        return resources.Applications(self)

    @cached_property
    def users(self) -> resources.Users:
        return resources.Users(self)

    @cached_property
    def roles(self) -> resources.Roles:
        return resources.Roles(self)

    @cached_property
    def api_resources(self) -> resources.Resources:
        return resources.Resources(self)

    @cached_property
    def organizations(self) -> resources.Organizations:
        return resources.Organizations(self)

    @cached_property
    def organization_roles(self) -> resources.OrganizationRoles:
        return resources.OrganizationRoles(self)

    @cached_property
    def organization_scopes(self) -> resources.OrganizationScopes:
        return resources.OrganizationScopes(self)

    @cached_property
    def invitations(self) -> resources.Invitations:
        return resources.Invitations(self)

    @cached_property
    def connectors(self) -> resources.Connectors:
        return resources.Connectors(self)

    @cached_property
    def sign_in_experience(self) -> resources.SignInExperience:
        return resources.SignInExperience(self)

    @cached_property
    def hooks(self) -> resources.Hooks:
        return resources.Hooks(self)

    @cached_property
    def signing_keys(self) -> resources.SigningKeys:
        return resources.SigningKeys(self)

    @cached_property
    def one_time_tokens(self) -> resources.OneTimeTokens:
        return resources.OneTimeTokens(self)

    @cached_property
    def subject_tokens(self) -> resources.SubjectTokens:
        return resources.SubjectTokens(self)

    # How it is spoken

    def limit(self, requests_per_second: float | None) -> None:
        """Send no more requests than this in a second from now on, over all threads; None: as many as there are."""
        self._pace.requests_per_second = requests_per_second

    def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        query: Mapping[str, Any] | None = None,
    ) -> Any:
        """The body of the answer, None when there is none. `path` comes after `/api`; `json` keeps Logto's camelCase.

        Asked again, with growing pauses, when Logto is too busy (429), and for what may safely be asked twice also when
        it fails or cannot be reached.
        """
        return _body(self._patiently(method, path, json, query))

    def pages(
        self, path: str, *, query: Mapping[str, Any] | None = None, first_page: int = 1
    ) -> Iterator[list[dict[str, Any]]]:
        """The lists of `path`, a page at a time, each of a hundred at most.

        Pages are counted, for the links that Logto sends leave out `/api`. Rows that are added meanwhile may make some
        appear twice; rows that are deleted meanwhile may make others slip through.
        """
        page = first_page
        while True:
            paged = {**(query or {}), "page": page, "page_size": PAGE_SIZE}
            rows: list[dict[str, Any]] = self.request("GET", path, query=paged)
            if rows:
                yield rows
            if len(rows) < PAGE_SIZE:
                return
            page += 1

    def count(self, path: str, *, query: Mapping[str, Any] | None = None) -> int:
        """How many rows `path` has, by the header `Total-Number`."""
        response = self._patiently("GET", path, None, {**(query or {}), "page": 1, "page_size": 1})
        total = response.headers.get("Total-Number", "")
        if not total.isdigit():
            raise ManagementAPIError(f"{response.url} says no Total-Number.", code="no_total", status=response.status)
        return int(total)

    def _patiently(self, method: str, path: str, json: Any, query: Mapping[str, Any] | None) -> Response:
        token, may_renew = self._token(), True
        for tries_left in reversed(range(MAX_TRIES)):
            wait_seconds = _wait_seconds(MAX_TRIES - tries_left)
            try:
                response = self._send(method, path, json, query, token)
            except ProviderUnreachable:
                if method not in IDEMPOTENT_METHODS or not tries_left:
                    raise
                self._sleep(wait_seconds)
                continue
            if response.status == 401 and may_renew:
                # The keys of Logto may have changed, or the clock may be off: once, with a token that is new.
                self._machine.forget(token)
                token, may_renew = self._token(), False
                continue
            if not tries_left or not _is_worth_another_try(method, response.status):
                break
            self._sleep(min(retry_after_seconds(response) or wait_seconds, LONGEST_WAIT_SECONDS))
        if response.status >= 400:
            raise error_of(response)
        return response

    def _send(
        self, method: str, path: str, json: Any, query: Mapping[str, Any] | None, token: MachineToken
    ) -> Response:
        self._pace.wait()
        url = f"{self.base_url}/{path.lstrip('/')}"
        if pairs := _query_pairs(query or {}):
            url += "?" + urlencode(pairs)
        return self._http.send_json(method, url, json, auth=BearerAuth(token.access_token))

    def _token(self) -> MachineToken:
        try:
            token = self._machine.token(resource=self.resource, scopes=(SCOPE,))
        except ProviderUnreachable:
            raise
        except ProviderError as error:
            raise ManagementAPIError(
                f"Logto gives no token for the Management API {self.resource}: {self._cause(error)}",
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

    def _cause(self, error: ProviderError) -> str:
        if error.error not in ("invalid_client", "invalid_request"):
            return str(error)
        return (
            f"it refuses the application {self._machine.client_id}, {error.error_description or error.error}. Check "
            "LOGTO_M2M_APP_ID and LOGTO_M2M_APP_SECRET: they are of a machine-to-machine application of this tenant."
        )


class Pace:
    """Keeps requests apart, over all threads."""

    def __init__(self, sleep: Callable[[float], None], clock: Callable[[], float] = time.monotonic) -> None:
        self.requests_per_second: float | None = None
        self._sleep = sleep
        self._clock = clock
        self._lock = threading.Lock()
        self._next_at = float("-inf")

    def wait(self) -> None:
        """Return when the next request may go out."""
        if not self.requests_per_second:
            return
        with self._lock:
            now = self._clock()
            at = max(now, self._next_at)
            self._next_at = at + 1 / self.requests_per_second
        self._sleep(at - now)


def indicator_of(endpoint: str) -> str:
    """The resource indicator of the Management API of the tenant at `endpoint`."""
    host = urlsplit(endpoint).hostname or ""
    return endpoint.rstrip("/") + "/api" if host.endswith(CLOUD_DOMAIN) else OPEN_SOURCE_RESOURCE


def error_of(response: Response) -> ManagementAPIError:
    """What an answer of 400 or more means, in Logto's words."""
    try:
        body = response.json_object()
    except ProviderError:
        body = {}
    code, message, details = (clean(body.get(name), 1000) for name in ("code", "message", "details"))
    said = " ".join(part for part in (code and f"{code}:", message, details) if part)
    return ManagementAPIError(
        f"{response.url} answered {response.status}: {said or 'nothing that explains it'}",
        code=code or f"http_{response.status}",
        status=response.status,
        message=message,
        data=body.get("data"),
    )


def _body(response: Response) -> Any:
    # Where there is nothing to say, Logto says "Created" or the like, in plain text.
    is_text = response.headers.get("Content-Type", "").startswith("text/plain")
    return None if is_text or not response.body else response.json()


def _query_pairs(query: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Lists are parameters that are repeated, and None is one that is left out."""
    return [
        (name, str(item).lower() if isinstance(item, bool) else str(item))
        for name, value in query.items()
        if value is not None
        for item in (value if isinstance(value, list | tuple) else [value])
    ]


def _is_worth_another_try(method: str, status: int) -> bool:
    return status == 429 or (status in PASSING_STATUSES and method in IDEMPOTENT_METHODS)


def _wait_seconds(tries: int) -> float:
    """Twice as long each time, and never the same for all workers."""
    return min(FIRST_WAIT_SECONDS * 2.0 ** (tries - 1), LONGEST_WAIT_SECONDS) * random.uniform(0.5, 1.0)  # noqa: S311
