"""OIDCClient: what this site asks of Logto as an OpenID Connect relying party."""

from __future__ import annotations

import re
import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard
from urllib.parse import quote, urlencode

import requests
from jwt import PyJWS
from jwt.exceptions import PyJWTError
from requests.auth import AuthBase

from logto_auth.exceptions import ProviderError, TokenError

from .caching import Refreshed
from .discovery import fetch_metadata
from .http import BearerAuth, HTTPClient, Response, retry_after_seconds
from .jwks import RemoteKeySet
from .tokens import check_refreshed, validate_id_token, validate_logout_token
from .types import Claims, LogoutTokenClaims, ProviderMetadata, TokenSet

METADATA_MAX_AGE_SECONDS = 3600
KEYS_MAX_AGE_SECONDS = 900
COOL_DOWN_SECONDS = 30
# A request line much longer than this is refused by servers and proxies on the way.
MAX_ID_TOKEN_HINT_LENGTH = 4096


@dataclass(frozen=True)
class ClientSecretBasic(AuthBase):
    """Authenticates this client; both parts are form-encoded first (RFC 6749, section 2.3.1)."""

    client_id: str
    client_secret: str = field(repr=False)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        credentials = f"{quote(self.client_id, safe='')}:{quote(self.client_secret, safe='')}"
        request.headers["Authorization"] = "Basic " + b64encode(credentials.encode()).decode()
        return request


class OIDCClient:
    """A relying party at one provider. Safe to share between threads; keep one, for it caches metadata and keys."""

    def __init__(
        self,
        *,
        issuer: str,
        client_id: str,
        client_secret: str,
        algorithms: Sequence[str],
        leeway_seconds: int,
        http: HTTPClient,
    ) -> None:
        self.issuer = issuer
        self.client_id = client_id
        self._algorithms = tuple(algorithms)
        self._leeway_seconds = leeway_seconds
        self._http = http
        self._auth = ClientSecretBasic(client_id, client_secret)
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

    def exchange_code(self, code: str, *, redirect_uri: str, code_verifier: str, nonce: str) -> TokenSet:
        """The tokens for an authorization code, the ID token fully checked.

        Raises ProviderError (its `error` is `invalid_grant` for a code that is used, old or foreign), TokenError.
        Source: OpenID Connect Core 1.0, section 3.1.3.
        """
        answer = self._token_request(
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": redirect_uri,
                "code_verifier": code_verifier,
            }
        )
        if answer.get("id_token") is None:
            raise TokenError("Logto's answer holds no ID token; is openid among LOGTO_SCOPES?", claim="token")
        return self._token_set(answer, nonce=nonce)

    def refresh(
        self, refresh_token: str, *, claims: Claims, resource: str | None = None, organization_id: str | None = None
    ) -> TokenSet:
        """Fresh tokens of the person whose sign-in brought an ID token with `claims`.

        The access token is for `resource` and `organization_id` where given. The answer's `refresh_token` replaces the
        one sent. Raises ProviderError (`invalid_grant`: the person is suspended, deleted or signed out everywhere),
        TokenError. Source: OpenID Connect Core 1.0, section 12.
        """
        wanted = {"resource": resource, "organization_id": organization_id}
        answer = self._token_request(
            {
                "grant_type": "refresh_token",
                "refresh_token": refresh_token,
                **{name: value for name, value in wanted.items() if value is not None},
            }
        )
        token_set = self._token_set(answer, nonce=None)
        if token_set.id_token is not None:
            check_refreshed(token_set.id_token_claims, claims)
        return token_set

    def validate_id_token(self, id_token: object, *, nonce: str | None, access_token: str | None) -> Claims:
        """The claims of an ID token for this client that passed every check. Raises TokenError, ProviderError."""
        return validate_id_token(
            id_token,
            keys=self.keys,
            algorithms=self._algorithms,
            issuer=self.issuer,
            client_id=self.client_id,
            nonce=nonce,
            access_token=access_token,
            leeway_seconds=self._leeway_seconds,
            now=time.time(),
        )

    def validate_logout_token(self, logout_token: object, *, type_required: bool = True) -> LogoutTokenClaims:
        """The claims of a back-channel logout token for this client. Raises TokenError, ProviderError.

        Without `type_required` the header may leave out that it is one; its claims still tell it from an ID token.
        """
        return validate_logout_token(
            logout_token,
            keys=self.keys,
            algorithms=self._algorithms,
            types={"logout+jwt"} if type_required else {"logout+jwt", "jwt", None},
            issuer=self.issuer,
            client_id=self.client_id,
            leeway_seconds=self._leeway_seconds,
            now=time.time(),
        )

    def userinfo(self, access_token: str, *, sub: str) -> dict[str, Any]:
        """The claims that Logto's userinfo holds about the person `sub`.

        `access_token` is the opaque one; Logto refuses a JWT here. Raises ProviderError, and TokenError when the
        answer is about somebody else. Source: OpenID Connect Core 1.0, section 5.3.
        """
        response = self._http.get(self.metadata.userinfo_endpoint, auth=BearerAuth(access_token))
        if response.status != 200:
            raise _provider_error(response)
        claims = response.json_object()
        if claims.get("sub") != sub:
            raise TokenError("The userinfo is about somebody else than the ID token.", claim="sub")
        return claims

    def revoke(self, refresh_token: str) -> None:
        """End a refresh token and its grant. Raises ProviderError. Source: RFC 7009."""
        response = self._http.post_form(
            self.metadata.revocation_endpoint,
            {"token": refresh_token, "token_type_hint": "refresh_token"},
            auth=self._auth,
        )
        if response.status != 200:
            raise _provider_error(response)

    def end_session_url(self, *, post_logout_redirect_uri: str, state: str, id_token: str | None) -> str:
        """Where to send the browser to sign out at Logto. Raises ProviderError when metadata is not to be had.

        Source: OpenID Connect RP-Initiated Logout 1.0, section 2.
        """
        parameters = {
            "client_id": self.client_id,
            "post_logout_redirect_uri": post_logout_redirect_uri,
            "state": state,
        }
        if id_token is not None and self._is_good_hint(id_token):
            parameters["id_token_hint"] = id_token
        return f"{self.metadata.end_session_endpoint}?{urlencode(parameters)}"

    def _is_good_hint(self, id_token: str) -> bool:
        """Whether Logto will take the hint: it answers 400 to one of a removed key, or of the former algorithm."""
        if len(id_token) > MAX_ID_TOKEN_HINT_LENGTH:
            return False
        try:
            header = PyJWS().get_unverified_header(id_token)
            return self.keys.is_current(header.get("kid"), header.get("alg"))
        except (PyJWTError, ProviderError):
            return False

    def _token_request(self, data: Mapping[str, str]) -> dict[str, Any]:
        response = self._http.post_form(self.metadata.token_endpoint, data, auth=self._auth)
        if response.status != 200:
            raise _provider_error(response)
        return response.json_object()

    def _token_set(self, answer: dict[str, Any], *, nonce: str | None) -> TokenSet:
        access_token, token_type = answer.get("access_token"), answer.get("token_type")
        if not _is_opaque_token(access_token):
            raise ProviderError("The token endpoint's answer holds no access token.")
        if not isinstance(token_type, str) or token_type.lower() != "bearer":
            raise ProviderError(f"The token endpoint's answer is of type {token_type!r:.40}, expected Bearer.")
        id_token, refresh_token = answer.get("id_token"), answer.get("refresh_token")
        claims: Claims = {}
        if id_token is not None:
            claims = self.validate_id_token(id_token, nonce=nonce, access_token=access_token)
        return TokenSet(
            access_token=access_token,
            expires_at=int(time.time()) + _expires_in(answer),
            scopes=_scopes(answer),
            refresh_token=refresh_token if _is_opaque_token(refresh_token) else None,
            id_token=id_token,
            id_token_claims=claims,
        )


def _expires_in(answer: Mapping[str, Any]) -> int:
    """The life of the access token in seconds; short when Logto does not say, so that it is soon renewed."""
    value = answer.get("expires_in")
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 366 * 24 * 3600:
        return 60
    return value


def _scopes(answer: Mapping[str, Any]) -> frozenset[str]:
    scope = answer.get("scope")
    return frozenset(scope.split()) if isinstance(scope, str) else frozenset()


def _is_opaque_token(value: object) -> TypeGuard[str]:
    """Whether `value` is what an access or refresh token may consist of (RFC 6749, appendices A.12 and A.17)."""
    return isinstance(value, str) and bool(value) and value.isascii() and value.isprintable()


def _provider_error(response: Response) -> ProviderError:
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
        message += ". Check LOGTO_APP_ID, LOGTO_APP_SECRET and that the application is a Traditional Web one."
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
