"""Tokens of an application itself, by the grant `client_credentials`: kept until they end, one call for all threads."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from .provider import Provider
from .token_endpoint import ClientSecretBasic, expires_in, scopes_of, token_request

# A token this close to its end might not live through the call it is meant for.
EXPIRY_MARGIN_SECONDS = 15


@dataclass(frozen=True, kw_only=True)
class MachineToken:
    """An access token of an application itself."""

    access_token: str = field(repr=False)
    expires_at: float
    """In seconds since the epoch."""
    scopes: frozenset[str]
    """What was granted of the scopes that were asked for."""

    def is_usable(self) -> bool:
        return time.time() < self.expires_at - EXPIRY_MARGIN_SECONDS


class MachineClient:
    """A machine-to-machine application of `provider`. Safe to share between threads; keep one, for it caches."""

    def __init__(self, provider: Provider, *, client_id: str, client_secret: str) -> None:
        self.client_id = client_id
        self._provider = provider
        self._auth = ClientSecretBasic(client_id, client_secret)
        self._tokens: dict[tuple[str, ...], MachineToken] = {}
        self._locks: defaultdict[tuple[str, ...], threading.Lock] = defaultdict(threading.Lock)

    def token(
        self, *, resource: str | None = None, organization_id: str | None = None, scopes: Iterable[str] = ()
    ) -> MachineToken:
        """A usable token for `resource`, for `organization_id`, or for the resource in the organization's name.

        Logto grants only scopes that are asked for by name. Raises ProviderError: `invalid_target` for an unknown
        resource, `access_denied` when the application is no member of the organization. Source: RFC 6749, section 4.4.
        """
        wanted = {"resource": resource, "organization_id": organization_id, "scope": " ".join(sorted(set(scopes)))}
        slot = tuple(value or "" for value in wanted.values())
        token = self._tokens.get(slot)
        if token is not None and token.is_usable():
            return token
        with self._locks[slot]:
            token = self._tokens.get(slot)
            if token is None or not token.is_usable():
                token = self._tokens[slot] = self._fetch({name: value for name, value in wanted.items() if value})
            return token

    def forget(self, token: MachineToken) -> None:
        """Fetch another one at the next use: somebody has refused this one."""
        for slot, kept in list(self._tokens.items()):
            if kept == token:
                self._tokens.pop(slot, None)

    def _fetch(self, wanted: dict[str, str]) -> MachineToken:
        answer = token_request(self._provider, {"grant_type": "client_credentials", **wanted}, auth=self._auth)
        return MachineToken(
            access_token=answer["access_token"],
            expires_at=time.time() + expires_in(answer),
            scopes=scopes_of(answer),
        )
