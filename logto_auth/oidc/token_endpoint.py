"""The token endpoint, and what its neighbours have in common with it: client authentication, answers, errors."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard
from urllib.parse import quote

import requests
from requests.auth import AuthBase

from logto_auth.exceptions import ProviderError

from .http import Response, retry_after_seconds
from .provider import Provider


@dataclass(frozen=True)
class ClientSecretBasic(AuthBase):
    """Authenticates this client; both parts are form-encoded first (RFC 6749, section 2.3.1)."""

    client_id: str
    client_secret: str = field(repr=False)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        credentials = f"{quote(self.client_id, safe='')}:{quote(self.client_secret, safe='')}"
        request.headers["Authorization"] = "Basic " + b64encode(credentials.encode()).decode()
        return request


def token_request(provider: Provider, data: Mapping[str, str], *, auth: AuthBase) -> dict[str, Any]:
    """The answer to a token request; its `access_token` is one, of the type Bearer. Raises ProviderError."""
    response = provider.http.post_form(provider.metadata.token_endpoint, data, auth=auth)
    if response.status != 200:
        raise provider_error(response)
    answer = response.json_object()
    if not is_token_text(answer.get("access_token")):
        raise ProviderError("The token endpoint's answer holds no access token.")
    token_type = answer.get("token_type")
    if not isinstance(token_type, str) or token_type.lower() != "bearer":
        raise ProviderError(f"The token endpoint's answer is of type {token_type!r:.40}, expected Bearer.")
    return answer


def expires_in(answer: Mapping[str, Any]) -> int:
    """The life of an answer's access token in seconds; short when Logto does not say, so that it is soon renewed."""
    value = answer.get("expires_in")
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 366 * 24 * 3600:
        return 60
    return value


def scopes_of(answer: Mapping[str, Any]) -> frozenset[str]:
    """The scopes that an answer names; none when it names none, as for a machine without permissions."""
    scope = answer.get("scope")
    return frozenset(scope.split()) if isinstance(scope, str) else frozenset()


def is_token_text(value: object) -> TypeGuard[str]:
    """Whether `value` is what an access or refresh token may consist of (RFC 6749, appendices A.12 and A.17)."""
    return isinstance(value, str) and bool(value) and value.isascii() and value.isprintable()


def provider_error(response: Response) -> ProviderError:
    """What an answer other than 200 means. The body may be anything; what of it reaches a log is cleaned and short."""
    try:
        body = response.json_object()
    except ProviderError:
        body = {}
    error, description = clean(body.get("error")), clean(body.get("error_description"))
    message = f"{response.url} answered {response.status}: {error or 'no OAuth error'} {description}".rstrip()
    retry_after = retry_after_seconds(response)
    if response.status in (429, 503):
        return ProviderError(message, error=error, code="provider_busy", status=503, retry_after_seconds=retry_after)
    if error == "invalid_client" or (response.status == 401 and not error):
        message += (
            ". Check LOGTO_APP_ID, LOGTO_APP_SECRET and that the application is a Traditional Web one; for a token of "
            "the site itself LOGTO_M2M_APP_ID, LOGTO_M2M_APP_SECRET and that it is a Machine-to-machine one."
        )
        return ProviderError(message, error=error, error_description=description, code="client_rejected", status=503)
    if error == "invalid_grant":
        return ProviderError(message, error=error, error_description=description, code="code_rejected", status=400)
    return ProviderError(message, error=error, error_description=description)


def clean(value: object, limit: int = 200) -> str:
    """Foreign text made fit for a log line or a page: one short line of printable characters."""
    if not isinstance(value, str):
        return ""
    printable = "".join(character if character.isprintable() else " " for character in value)
    return re.sub(r"\s+", " ", printable)[:limit].strip()
