"""Examine what Logto publishes: whether it answers, its discovery document, its clock and its keys."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from django.utils.http import parse_http_date

from logto_auth.conf import conf
from logto_auth.exceptions import ProviderError, ProviderUnreachable
from logto_auth.oidc.addresses import Addresses
from logto_auth.oidc.discovery import parse_metadata
from logto_auth.oidc.errors import single_line
from logto_auth.oidc.http import HTTPClient, Response
from logto_auth.oidc.jwks import KeySet
from logto_auth.oidc.types import ProviderMetadata

from .findings import Finding, failure, ok, warning

__all__ = ["LogtoExamination", "clock_finding"]

# As a share of the time-out.
SLOW = 0.5


class LogtoExamination:
    """The examination of the Logto in the settings. `metadata` is None until a valid discovery document was read.

    `discovery` is the whole document.
    """

    def __init__(self, http: HTTPClient, addresses: Addresses) -> None:
        self._http = http
        self._addresses = addresses
        self.metadata: ProviderMetadata | None = None
        self.discovery: dict[str, Any] = {}

    def examine(self) -> Iterator[Finding]:
        """Yield the findings about the discovery document, the clock and the keys."""
        began = time.monotonic()
        try:
            response = self._http.get(self._addresses.discovery_url)
        except ProviderError as error:
            yield failure("reachability", str(error), _remedy(error))
            return
        yield from self._reachability(response, time.monotonic() - began)
        if response.status != 200:
            return
        yield clock_finding(response)
        try:
            document = self.discovery = response.json_object()
            self.metadata = parse_metadata(document, self._addresses, endpoint_name="LOGTO_ENDPOINT")
        except ProviderError as error:
            yield failure(
                "discovery", str(error), "LOGTO_ENDPOINT must equal the ENDPOINT of Logto exactly. Compare them."
            )
            return
        which = "are at one of the two addresses" if self._addresses.is_split else "have the same origin"
        yield ok("discovery", f"The issuer is {conf.issuer}, and the endpoints {which}.")
        yield self._keys(self.metadata.jwks_uri)

    def _reachability(self, response: Response, seconds: float) -> Iterator[Finding]:
        if response.status != 200:
            yield failure(
                "reachability",
                f"{response.url} answered {response.status}, expected 200.",
                "Check that LOGTO_ENDPOINT is the origin of Logto, and check proxies between Logto and this machine.",
            )
        elif seconds > SLOW * self._http.total_seconds:
            yield warning(
                "reachability",
                f"{response.url} answered after {seconds:.1f} s. The time-out is {self._http.total_seconds} s.",
                "Find out why Logto is slow, or increase LOGTO_HTTP_TIMEOUT_SECONDS.",
            )
        else:
            yield ok("reachability", f"{response.url} answered within {max(seconds, 0.01):.2f} s.")

    def _keys(self, jwks_uri: str) -> Finding:
        try:
            response = self._http.get(jwks_uri)
            if response.status != 200:
                raise ProviderError(f"{response.url} answered {response.status}, expected 200 and a key set.")
            document = response.json_object()
            keys = KeySet.parse(document, conf.signing_algorithms).keys
        except ProviderError as error:
            return failure("keys", str(error), _remedy(error))
        # The first key of the set is the one that Logto signs with.
        current = next(iter(document["keys"]), None)
        if not keys or keys[0].key_id != _member(current, "kid"):
            return failure(
                "keys",
                f"Logto signs with a key of the type {_kind(current)}, expected {list(conf.signing_algorithms)}.",
                "Add the algorithm of the key to LOGTO_SIGNING_ALGORITHMS: RS256 for RSA, for EC that of the curve.",
            )
        return ok("keys", f"Logto signs with {keys[0].algorithm_name}. Keys published: {len(document['keys'])}.")


def _remedy(error: ProviderError) -> str:
    if isinstance(error, ProviderUnreachable):
        return "Check that Logto runs and that this machine can connect to it: firewall, DNS, certificates, proxy."
    return "Check that LOGTO_ENDPOINT is the origin of Logto."


def clock_finding(response: Response) -> Finding:
    """Return the difference between the clock of this machine and the header `Date` of the response."""
    try:
        date = parse_http_date(response.headers["Date"])
    except (KeyError, ValueError):
        return warning(
            "clock",
            "Logto's answer has no header Date with a time, so the clocks were not compared.",
            "Use NTP on this machine.",
        )
    apart = abs(date - time.time())
    message = f"The clocks of Logto and this machine differ by {apart:.0f} s"
    if apart > conf.clock_skew_seconds:
        return failure(
            "clock",
            f"{message}. LOGTO_CLOCK_SKEW_SECONDS is {conf.clock_skew_seconds}, so tokens of Logto are rejected.",
            "Set the clock and use NTP.",
        )
    # The header has whole seconds, and the answer took some time to arrive.
    if apart > max(conf.clock_skew_seconds / 2, 2):
        return warning(
            "clock",
            f"{message}. LOGTO_CLOCK_SKEW_SECONDS allows {conf.clock_skew_seconds}.",
            "Use NTP on both machines.",
        )
    return ok("clock", f"{message}.")


def _member(key: object, name: str) -> object:
    return key.get(name) if isinstance(key, dict) else None


def _kind(key: object) -> str:
    return single_line(" ".join(str(_member(key, name) or "") for name in ("kty", "crv", "alg")), 40) or "unknown"
