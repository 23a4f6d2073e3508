"""Access tokens of a machine-to-machine application, by the grant `client_credentials`."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from .provider import Provider
from .secrets import Secret
from .single_flight import SingleFlight
from .token_endpoint import CREDENTIALS_HINT, ClientSecretBasic, expires_in, scopes_of, token_request
from .types import IssuedToken

__all__ = ["ClientCredentialsToken", "MachineClient"]


@dataclass(frozen=True, kw_only=True)
class ClientCredentialsToken(IssuedToken):
    """An access token of a machine-to-machine application."""


class MachineClient:
    """A machine-to-machine application of `provider`. Safe to share between threads; keep one, because it caches.

    `hint` is added to the error when Logto rejects the credentials.
    """

    def __init__(
        self, provider: Provider, *, client_id: str, client_secret: Secret, hint: str = CREDENTIALS_HINT
    ) -> None:
        self.client_id = client_id
        self._provider = provider
        self._auth = ClientSecretBasic(client_id, client_secret, hint)
        self._tokens: dict[tuple[str, ...], SingleFlight[ClientCredentialsToken]] = {}

    def token(
        self, *, resource: str | None = None, organization_id: str | None = None, scopes: Iterable[str] = ()
    ) -> ClientCredentialsToken:
        """Return a usable token for `resource`, for `organization_id`, or for the resource in the organization.

        Tokens are kept until shortly before they expire; several threads share one request. Logto grants only `scopes`
        that are requested by name.

        Raise ProviderError. Its `error` is `invalid_target` for an unknown resource, and `access_denied` when the
        application has no role in the organization. Source: RFC 6749, section 4.4.
        """
        purpose = (resource or "", organization_id or "", " ".join(sorted(set(scopes))))
        token = self._tokens.get(purpose)
        if token is None:
            token = self._tokens.setdefault(purpose, self._single_flight(*purpose))
        return token.get()

    def forget(self, token: ClientCredentialsToken) -> None:
        """Fetch another token at the next use, because an API has refused this one."""
        for kept in list(self._tokens.values()):
            kept.forget(token)

    def _single_flight(self, resource: str, organization_id: str, scope: str) -> SingleFlight[ClientCredentialsToken]:
        parameters = {"resource": resource, "organization_id": organization_id, "scope": scope}
        return SingleFlight(
            lambda: self._fetch({name: value for name, value in parameters.items() if value}),
            seconds_fresh=ClientCredentialsToken.seconds_usable,
            keep_stale=False,
            # The clock of `expires_at`. A monotonic clock may stop while the machine sleeps.
            clock=_now,
        )

    def _fetch(self, parameters: dict[str, str]) -> ClientCredentialsToken:
        answer = token_request(
            self._provider,
            {"grant_type": "client_credentials", **parameters},
            auth=self._auth,
            may_repeat=True,
        )
        return ClientCredentialsToken(
            access_token=answer["access_token"],
            expires_at=time.time() + expires_in(answer),
            scopes=scopes_of(answer),
        )


def _now() -> float:
    return time.time()
