"""Requests to the token endpoint, and what similar endpoints share: client authentication, responses and errors."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeGuard
from urllib.parse import quote

import requests
from requests.auth import AuthBase

from .errors import ProviderError, single_line
from .http import Response, retry_after_seconds
from .oauth_errors import Fault, Meaning, meaning_of, with_remedy
from .provider import Provider
from .secrets import Secret

__all__ = [
    "CREDENTIALS_HINT",
    "ClientSecretBasic",
    "Meanings",
    "expires_in",
    "is_token",
    "provider_error",
    "scopes_of",
    "token_request",
]

CREDENTIALS_HINT = "Check the App ID, the App secret and the type of the application."
_MAX_EXPIRES_IN_SECONDS = 366 * 24 * 3600
_DEFAULT_EXPIRES_IN_SECONDS = 60
_TOKENS = frozenset({"access_token", "refresh_token", "id_token"})

Meanings = Mapping[tuple[str, str], Meaning]
"""Meanings of OAuth errors, by `error` and `error_description`."""

_NO_MEANINGS: Meanings = MappingProxyType({})


@dataclass(frozen=True)
class ClientSecretBasic(AuthBase):
    """The credentials of this client. Both parts are form-encoded first (RFC 6749, section 2.3.1)."""

    client_id: str
    client_secret: Secret
    hint: str = field(default=CREDENTIALS_HINT, repr=False)
    """What the operator should check when Logto rejects the credentials."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        credentials = f"{quote(self.client_id, safe='')}:{quote(self.client_secret.reveal(), safe='')}"
        request.headers["Authorization"] = "Basic " + b64encode(credentials.encode()).decode()
        return request


def token_request(
    provider: Provider,
    data: Mapping[str, str | Secret],
    *,
    auth: ClientSecretBasic,
    may_repeat: bool = False,
    meanings: Meanings = _NO_MEANINGS,
) -> dict[str, Any]:
    """Send `data` to the token endpoint and return the response. Its `access_token` is a bearer token.

    The tokens in the response are secrets. With `may_repeat` the request is sent again when the connection fails. Set
    it only for a grant that Logto accepts many times: it treats a repeated authorization code or refresh token as
    stolen, and ends the grant. `meanings` are those of errors that mean something else for this grant.

    Raise ProviderError when Logto answers with an error or with something else.
    Source: RFC 6749, sections 5.1 and 5.2.
    """
    response = provider.http.post_form(provider.metadata.token_endpoint, data, auth=auth, may_repeat=may_repeat)
    if response.status != 200:
        raise provider_error(response, hint=auth.hint, meanings=meanings)
    answer = _with_secrets(response.json_object())
    if not is_token(answer.get("access_token")):
        raise ProviderError("The response of the token endpoint has no access token.")
    token_type = answer.get("token_type")
    if not isinstance(token_type, str) or token_type.lower() != "bearer":
        raise ProviderError(f"The token endpoint answered with the type {token_type!r:.40}, expected Bearer.")
    return answer


def expires_in(answer: Mapping[str, Any]) -> int:
    """Return the lifetime of the access token in seconds; a minute when Logto reports none, so that it is renewed."""
    value = answer.get("expires_in")
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MAX_EXPIRES_IN_SECONDS:
        return _DEFAULT_EXPIRES_IN_SECONDS
    return value


def scopes_of(answer: Mapping[str, Any]) -> frozenset[str]:
    """Return the scopes of a token response. A machine without permissions gets a response without them."""
    scope = answer.get("scope")
    return frozenset(scope.split()) if isinstance(scope, str) else frozenset()


def is_token(value: object) -> TypeGuard[Secret]:
    """Return whether `value` can be an access or refresh token (RFC 6749, appendices A.12 and A.17)."""
    return isinstance(value, Secret) and bool(value) and value.reveal().isascii() and value.reveal().isprintable()


def _with_secrets(answer: dict[str, Any]) -> dict[str, Any]:
    for name in _TOKENS & answer.keys():
        if isinstance(answer[name], str):
            answer[name] = Secret(answer[name])
    return answer


def provider_error(
    response: Response, *, hint: str = CREDENTIALS_HINT, meanings: Meanings = _NO_MEANINGS
) -> ProviderError:
    """Return the error for a response with a status other than 200. Its text is short and printable for any body.

    `hint` is added when Logto rejects the credentials of the application. `meanings`, by `error` and
    `error_description`, replace those of `oauth_errors`. The error has `code` `provider_busy`,
    `client_rejected` (the operator has to act), `code_rejected`, `access_denied` or `provider_error`.
    Source: RFC 6749, section 5.2.
    """
    try:
        body = response.json_object()
    except ProviderError:
        body = {}
    error, description = single_line(body.get("error")), single_line(body.get("error_description"))
    message = f"{response.url} answered {response.status}: {error or 'no OAuth error'} {description}".rstrip()
    if response.status in (429, 503):
        retry_after = retry_after_seconds(response)
        return ProviderError(message, error=error, code="provider_busy", status=503, retry_after_seconds=retry_after)
    if error == "invalid_client" or (response.status == 401 and not error):
        message += f". {hint}"
        return ProviderError(message, error=error, error_description=description, code="client_rejected", status=503)
    meaning = meanings.get((error, description)) or meaning_of(error, description)
    if error == "invalid_grant":
        code, status = "code_rejected", 400
    elif error == "access_denied" and meaning.fault is Fault.USER:
        code, status = "access_denied", 403
    elif meaning.fault is Fault.OPERATOR:
        code, status = "client_rejected", 503
    else:
        code, status = "provider_error", 502
    message = with_remedy(message, meaning)
    return ProviderError(message, error=error, error_description=description, code=code, status=status)
