"""Calls to other APIs: what puts the right access token on a request of the `requests` library.

    requests.get("https://api.example/books", auth=UserToken(request, resource="https://api.example"), timeout=10)

`requests` takes the token off again should the API send it on to another host.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables
from requests import PreparedRequest, Response
from requests.auth import AuthBase

from logto_auth.clients import machine_client

from .context import SessionPrincipal


class UserToken(AuthBase):
    """The access token of the person who is signed in, for `resource`, for an organization, or for both.

    Renewed when needed. The call raises what `request.logto.access_token` raises.
    """

    def __init__(
        self, request: HttpRequest, *, resource: str | None = None, organization_id: str | None = None
    ) -> None:
        self._logto = SessionPrincipal(request)
        self._resource = resource
        self._organization_id = organization_id

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        return _with_token(request, self._logto.access_token(self._resource, self._organization_id))


class MachineToken(AuthBase):
    """The access token of this site's machine-to-machine application, `LOGTO_M2M_APP_ID`.

    Logto grants only `scopes` that are named. The token is kept until it ends or an API answers 401 to it, and fetched
    once however many threads want it. The call raises ProviderError when Logto does not give one.
    """

    def __init__(
        self, *, resource: str | None = None, organization_id: str | None = None, scopes: Iterable[str] = ()
    ) -> None:
        self._resource = resource
        self._organization_id = organization_id
        self._scopes = tuple(scopes)

    @sensitive_variables()
    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        client = machine_client()
        token = client.token(resource=self._resource, organization_id=self._organization_id, scopes=self._scopes)

        def note_refusal(response: Response, **options: Any) -> None:
            if response.status_code == 401:
                client.forget(token)

        request.register_hook("response", note_refusal)  # type: ignore[no-untyped-call]
        return _with_token(request, token.access_token)


def _with_token(request: PreparedRequest, access_token: str) -> PreparedRequest:
    request.headers["Authorization"] = f"Bearer {access_token}"
    return request
