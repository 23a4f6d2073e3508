"""One Logto: its metadata and its keys, fetched once and shared by sign-in, verification and API calls."""

from __future__ import annotations

from collections.abc import Sequence

from .addresses import Addresses
from .discovery import ENDPOINT_NAME, fetch_metadata
from .http import HTTPClient
from .jwks import RemoteKeySet
from .single_flight import SingleFlight
from .types import ProviderMetadata

__all__ = ["Provider"]

# How long old metadata and old keys are used after a failure, before the next attempt.
_COOL_DOWN_SECONDS = 30
_METADATA_MAX_AGE_SECONDS = 3600
_KEYS_MAX_AGE_SECONDS = 900


class Provider:
    """The provider `issuer`. Safe to share between threads; keep one, because it caches.

    `internal_endpoint` is the origin to which requests are sent, if it is another one than that of the issuer.
    `former_issuers` are other names of the same provider. It signs the tokens of each name with the same keys.
    `algorithms` are the accepted signing algorithms. Error messages call the configured URL of the provider
    `endpoint_name`.
    """

    def __init__(
        self,
        *,
        issuer: str,
        former_issuers: Sequence[str] = (),
        algorithms: Sequence[str],
        http: HTTPClient,
        internal_endpoint: str = "",
        endpoint_name: str = ENDPOINT_NAME,
    ) -> None:
        self.issuer = issuer
        self.addresses = Addresses(issuer, internal_endpoint)
        self.former_issuers = tuple(former_issuers)
        self.algorithms = tuple(algorithms)
        self.http = http
        self._metadata = SingleFlight(
            lambda: fetch_metadata(http, self.addresses, endpoint_name=endpoint_name),
            seconds_fresh=_METADATA_MAX_AGE_SECONDS,
            cool_down_seconds=_COOL_DOWN_SECONDS,
        )
        self.keys = RemoteKeySet(
            http,
            lambda: self.metadata.jwks_uri,
            algorithms=algorithms,
            max_age_seconds=_KEYS_MAX_AGE_SECONDS,
            cool_down_seconds=_COOL_DOWN_SECONDS,
        )

    @property
    def metadata(self) -> ProviderMetadata:
        """The provider's metadata, fetched at first use and kept for an hour. Raise ProviderError."""
        return self._metadata.get()
