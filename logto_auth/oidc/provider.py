"""One Logto: its metadata and its keys, fetched once and shared by everything that signs in, verifies or calls."""

from __future__ import annotations

from collections.abc import Sequence

from .discovery import fetch_metadata
from .http import HTTPClient
from .jwks import RemoteKeySet
from .single_flight import Refreshed
from .types import ProviderMetadata

METADATA_MAX_AGE_SECONDS = 3600
KEYS_MAX_AGE_SECONDS = 900
COOL_DOWN_SECONDS = 30


class Provider:
    """The provider `issuer`. Safe to share between threads; keep one, for it caches."""

    def __init__(self, *, issuer: str, algorithms: Sequence[str], http: HTTPClient) -> None:
        self.issuer = issuer
        self.algorithms = tuple(algorithms)
        self.http = http
        self._metadata = Refreshed(
            lambda: fetch_metadata(http, issuer),
            max_age_seconds=METADATA_MAX_AGE_SECONDS,
            cool_down_seconds=COOL_DOWN_SECONDS,
        )
        self.keys = RemoteKeySet(
            http,
            lambda: self.metadata.jwks_uri,
            algorithms=algorithms,
            max_age_seconds=KEYS_MAX_AGE_SECONDS,
            cool_down_seconds=COOL_DOWN_SECONDS,
        )

    @property
    def metadata(self) -> ProviderMetadata:
        """The provider's metadata, fetched at first use. Raises ProviderError."""
        return self._metadata.get()
