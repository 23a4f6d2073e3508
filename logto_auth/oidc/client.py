"""OIDCClient: what this site asks of Logto as an OpenID Connect relying party."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

from jwt import PyJWS
from jwt.exceptions import PyJWTError

from logto_auth.exceptions import ProviderError, TokenError

from .access_tokens import check_introspection
from .http import BearerAuth
from .id_tokens import check_refreshed, validate_id_token, validate_logout_token
from .provider import Provider
from .token_endpoint import ClientSecretBasic, expires_in, is_token_text, provider_error, scopes_of, token_request
from .types import AccessTokenClaims, Claims, LogoutTokenClaims, ProviderMetadata, TokenSet

# A request line much longer than this is refused by servers and proxies on the way.
MAX_ID_TOKEN_HINT_LENGTH = 4096
# Logto's have 43 characters.
MAX_OPAQUE_TOKEN_LENGTH = 256


class OIDCClient:
    """A relying party at `provider`. Safe to share between threads."""

    def __init__(self, provider: Provider, *, client_id: str, client_secret: str, leeway_seconds: int) -> None:
        self.issuer = provider.issuer
        self.client_id = client_id
        self.keys = provider.keys
        self._provider = provider
        self._http = provider.http
        self._leeway_seconds = leeway_seconds
        self._auth = ClientSecretBasic(client_id, client_secret)

    @property
    def metadata(self) -> ProviderMetadata:
        """The provider's metadata, fetched at first use. Raises ProviderError."""
        return self._provider.metadata

    def exchange_code(self, code: str, *, redirect_uri: str, code_verifier: str, nonce: str) -> TokenSet:
        """The tokens for an authorization code, the ID token fully checked.

        Raises ProviderError (its `error` is `invalid_grant` for a code that is used, old or foreign), TokenError.
        Source: OpenID Connect Core 1.0, section 3.1.3.
        """
        answer = token_request(
            self._provider,
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": redirect_uri,
                "code_verifier": code_verifier,
            },
            auth=self._auth,
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
        answer = token_request(
            self._provider,
            {
                "grant_type": "refresh_token",
                "refresh_token": refresh_token,
                **{name: value for name, value in wanted.items() if value is not None},
            },
            auth=self._auth,
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
            algorithms=self._provider.algorithms,
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
            algorithms=self._provider.algorithms,
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
            raise provider_error(response)
        claims = response.json_object()
        if claims.get("sub") != sub:
            raise TokenError("The userinfo is about somebody else than the ID token.", claim="sub")
        return claims

    def introspect(self, access_token: str) -> AccessTokenClaims:
        """What Logto says of an opaque access token. Raises TokenError when it is none that is good, ProviderError.

        Source: RFC 7662.
        """
        if len(access_token) > MAX_OPAQUE_TOKEN_LENGTH:
            # Else whatever anybody sends to an API would be sent on to Logto.
            raise TokenError("The token is longer than any opaque access token of Logto's.", claim="token")
        endpoint = self.metadata.introspection_endpoint
        if not endpoint:
            raise ProviderError("The discovery document names no introspection_endpoint.")
        response = self._http.post_form(
            endpoint,
            {"token": access_token, "token_type_hint": "access_token"},
            auth=self._auth,
        )
        if response.status != 200:
            raise provider_error(response)
        return check_introspection(response.json_object(), issuer=self.issuer, now=time.time())

    def revoke(self, refresh_token: str) -> None:
        """End a refresh token and its grant. Raises ProviderError. Source: RFC 7009."""
        response = self._http.post_form(
            self.metadata.revocation_endpoint,
            {"token": refresh_token, "token_type_hint": "refresh_token"},
            auth=self._auth,
        )
        if response.status != 200:
            raise provider_error(response)

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

    def _token_set(self, answer: dict[str, Any], *, nonce: str | None) -> TokenSet:
        access_token: str = answer["access_token"]
        id_token, refresh_token = answer.get("id_token"), answer.get("refresh_token")
        claims: Claims = {}
        if id_token is not None:
            claims = self.validate_id_token(id_token, nonce=nonce, access_token=access_token)
        return TokenSet(
            access_token=access_token,
            expires_at=int(time.time()) + expires_in(answer),
            scopes=scopes_of(answer),
            refresh_token=refresh_token if is_token_text(refresh_token) else None,
            id_token=id_token,
            id_token_claims=claims,
        )
