"""Tokens of an application itself, by the grant `client_credentials`: kept until they end, one call for all threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import dataclass, field

from logto_auth.exceptions import ProviderError

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


class Slot:
    """The token for one purpose. One thread fetches it; all who wait meanwhile get its result, an error included."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights = 0
        self._result: MachineToken | ProviderError | None = None

    def get(self, fetch: Callable[[], MachineToken]) -> MachineToken:
        """The token that is kept, or a new one. Raises ProviderError."""
        flights_seen, result = self._flights, self._result
        if not isinstance(result, MachineToken) or not result.is_usable():
            result = self._fetched(fetch, flights_seen)
        if isinstance(result, ProviderError):
            # Each gets an error of its own: one that is raised holds on to what it has passed through.
            raise copy(result) from result
        return result

    def _fetched(self, fetch: Callable[[], MachineToken], flights_seen: int) -> MachineToken | ProviderError:
        with self._lock:
            result = self._result
            if result is None or self._flights == flights_seen:
                try:
                    result = fetch()
                except ProviderError as error:
                    result = error
                self._result = result
                self._flights += 1
            return result

    def forget(self, token: MachineToken) -> None:
        """Keep `token` no longer, unless another has taken its place."""
        if self._result == token:
            self._result = None


class MachineClient:
    """A machine-to-machine application of `provider`. Safe to share between threads; keep one, for it caches."""

    def __init__(self, provider: Provider, *, client_id: str, client_secret: str) -> None:
        self.client_id = client_id
        self._provider = provider
        self._auth = ClientSecretBasic(client_id, client_secret)
        self._slots: dict[tuple[str, ...], Slot] = {}

    def token(
        self, *, resource: str | None = None, organization_id: str | None = None, scopes: Iterable[str] = ()
    ) -> MachineToken:
        """A usable token for `resource`, for `organization_id`, or for the resource in the organization's name.

        Logto grants only scopes that are asked for by name. Raises ProviderError: `invalid_target` for an unknown
        resource, `access_denied` when the application has no role in the organization. Source: RFC 6749, section 4.4.
        """
        wanted = {"resource": resource, "organization_id": organization_id, "scope": " ".join(sorted(set(scopes)))}
        slot = self._slots.setdefault(tuple(value or "" for value in wanted.values()), Slot())
        return slot.get(lambda: self._fetch({name: value for name, value in wanted.items() if value}))

    def forget(self, token: MachineToken) -> None:
        """Fetch another one at the next use: somebody has refused this one."""
        for slot in list(self._slots.values()):
            slot.forget(token)

    def _fetch(self, wanted: dict[str, str]) -> MachineToken:
        answer = token_request(self._provider, {"grant_type": "client_credentials", **wanted}, auth=self._auth)
        return MachineToken(
            access_token=answer["access_token"],
            expires_at=time.time() + expires_in(answer),
            scopes=scopes_of(answer),
        )
