"""Logto as anybody sees it: whether it answers, what it calls itself, its clock and its keys."""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from logto_auth.conf import conf
from logto_auth.exceptions import ProviderError, ProviderUnreachable
from logto_auth.oidc.discovery import ENDPOINTS, parse_metadata
from logto_auth.oidc.errors import single_line
from logto_auth.oidc.http import HTTPClient, Response
from logto_auth.oidc.jwks import KeySet
from logto_auth.oidc.types import ProviderMetadata

from .findings import Finding, failure, ok, warning

# Of the time that it is given.
SLOW = 0.5


class Logto:
    """The Logto of the settings. `metadata` is None as long as it has not been found to be good."""

    def __init__(self, http: HTTPClient) -> None:
        self._http = http
        self.metadata: ProviderMetadata | None = None

    def examine(self) -> Iterator[Finding]:
        """All that its discovery document, its clock and its keys tell."""
        url = f"{conf.issuer}/.well-known/openid-configuration"
        began = time.monotonic()
        try:
            response = self._http.get(url)
        except ProviderError as error:
            yield failure("reachability", str(error), _remedy(error))
            return
        yield from self._reachability(response, time.monotonic() - began)
        if response.status != 200:
            return
        yield clock_of(response)
        try:
            document = response.json_object()
            self.metadata = parse_metadata(document, conf.issuer, endpoint_name="LOGTO_ENDPOINT")
        except ProviderError as error:
            yield failure(
                "discovery", str(error), "Compare LOGTO_ENDPOINT with the ENDPOINT of Logto, letter by letter."
            )
            return
        yield from _discovery(document)
        yield self._keys(self.metadata.jwks_uri)

    def _reachability(self, response: Response, seconds: float) -> Iterator[Finding]:
        if response.status != 200:
            yield failure(
                "reachability",
                f"{response.url} answered {response.status}, expected 200.",
                "Check that LOGTO_ENDPOINT is Logto's own origin, and what stands between it and this machine.",
            )
        elif seconds > SLOW * self._http.total_seconds:
            yield warning(
                "reachability",
                f"{response.url} answered after {seconds:.1f} s of the {self._http.total_seconds} s that it is given.",
                "See why, or give it longer by LOGTO_HTTP_TIMEOUT_SECONDS.",
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
        # Logto lists the key that it signs with first.
        current = next(iter(document["keys"]), None)
        if not keys or keys[0].key_id != _member(current, "kid"):
            return failure(
                "keys",
                f"Logto signs with a key of the type {_kind(current)}, for none of {list(conf.signing_algorithms)}.",
                "Add its algorithm to LOGTO_SIGNING_ALGORITHMS: ES384, or RS256 for an RSA key.",
            )
        return ok("keys", f"Logto signs with {keys[0].algorithm_name}. Keys published: {len(document['keys'])}.")


def _remedy(error: ProviderError) -> str:
    if isinstance(error, ProviderUnreachable):
        return "See whether Logto runs, and whether this machine may connect to it: firewall, DNS, certificates, proxy."
    return "Check that LOGTO_ENDPOINT is Logto's own origin."


def clock_of(response: Response) -> Finding:
    """How far the clock of whoever has sent the response is from that of this machine."""
    try:
        date = parsedate_to_datetime(response.headers["Date"]).timestamp()
    except (KeyError, ValueError):
        return warning("clock", "Logto's answer has no Date to compare with.", "See that NTP keeps the clock here.")
    apart = abs(date - time.time())
    message = f"The clocks of Logto and this machine are {apart:.0f} s apart"
    if apart > conf.clock_skew_seconds:
        return failure(
            "clock",
            f"{message}, more than LOGTO_CLOCK_SKEW_SECONDS, {conf.clock_skew_seconds}: its tokens are refused.",
            "Set the clock, and have NTP keep it.",
        )
    # The header has whole seconds, and the answer took its time.
    if apart > max(conf.clock_skew_seconds / 2, 2):
        return warning(
            "clock",
            f"{message}, of {conf.clock_skew_seconds} that are allowed.",
            "Have NTP keep the clocks.",
        )
    return ok("clock", f"{message}.")


def _discovery(document: dict[str, Any]) -> Iterator[Finding]:
    host = urlsplit(conf.issuer).netloc
    others = sorted({urlsplit(document[name]).netloc for name in ENDPOINTS} - {host})
    if others:
        yield warning(
            "discovery",
            f"Logto calls itself {conf.issuer}, and its endpoints are at {', '.join(others)}.",
            "Behind a proxy, Logto needs TRUST_PROXY_HEADER=1 and the headers Host and X-Forwarded-Proto.",
        )
    else:
        yield ok("discovery", f"The issuer is {conf.issuer}, and the endpoints are there.")


def _member(key: object, name: str) -> object:
    return key.get(name) if isinstance(key, dict) else None


def _kind(key: object) -> str:
    return single_line(" ".join(str(_member(key, name) or "") for name in ("kty", "crv", "alg")), 40) or "no known kind"
