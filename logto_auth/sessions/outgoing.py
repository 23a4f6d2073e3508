"""Calls to other APIs: authentication classes for the `requests` library that add an access token to each request.

    requests.get("https://api.example/books", auth=UserToken(request, resource="https://api.example"), timeout=10)

`requests` removes the token if the API redirects to another host.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables
from requests import PreparedRequest, Response
from requests.auth import AuthBase

from logto_auth.clients import machine_client

from .principal import session_principal

__all__ = ["MachineToken", "UserToken"]


class UserToken(AuthBase):
    """The access token of the signed-in user for `resource`, for an organization, or for both.

    The token is refreshed if necessary. A call raises the errors of `request.logto.access_token`.
    """

    def __init__(
        self, request: HttpRequest, *, resource: str | None = None, organization_id: str | None = None
    ) -> None:
        self._logto = session_principal(request)
        self._resource = resource
        self._organization_id = organization_id

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the access token to `request`."""
        return _with_token(request, self._logto.access_token(self._resource, self._organization_id))


class MachineToken(AuthBase):
    """The access token of this site's machine-to-machine application, `LOGTO_M2M_APP_ID`.

    Logto grants only the `scopes` that are named. The token is fetched once for all threads, and kept until it expires
    or an API responds with 401. A call raises ProviderError if Logto does not grant a token, and ConfigurationError if
    the settings are missing.
    """

    def __init__(
        self, *, resource: str | None = None, organization_id: str | None = None, scopes: Iterable[str] = ()
    ) -> None:
        self._resource = resource
        self._organization_id = organization_id
        self._scopes = tuple(scopes)

    @sensitive_variables()
    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the access token to `request`."""
        client = machine_client()
        token = client.token(resource=self._resource, organization_id=self._organization_id, scopes=self._scopes)

        def forget_refused_token(response: Response, **options: Any) -> None:
            if response.status_code == 401:
                client.forget(token)

        request.register_hook("response", forget_refused_token)  # type: ignore[no-untyped-call]
        return _with_token(request, token.access_token.reveal())


def _with_token(request: PreparedRequest, access_token: str) -> PreparedRequest:
    request.headers["Authorization"] = f"Bearer {access_token}"
    return request
