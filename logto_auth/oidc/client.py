"""OIDCClient: the requests of this site to Logto as an OpenID Connect relying party."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any
from urllib.parse import urlencode

from jwt import PyJWT
from jwt.exceptions import PyJWTError

from .access_tokens import check_introspection, is_opaque, validate_issued_access_token
from .authorization_response import AuthorizationResponse
from .errors import ProviderError, TokenError
from .http import BearerAuth
from .id_tokens import check_authentication_age, check_refreshed, validate_id_token
from .logout_tokens import validate_logout_token
from .provider import Provider
from .secrets import Secret, as_secret
from .token_endpoint import (
    CREDENTIALS_HINT,
    ClientSecretBasic,
    expires_in,
    is_token,
    provider_error,
    scopes_of,
    token_request,
)
from .types import AccessTokenClaims, Claims, LogoutTokenClaims, ProviderMetadata, TokenSet

__all__ = ["OIDCClient"]

# Servers and proxies refuse a request line that is much longer.
_MAX_ID_TOKEN_HINT_LENGTH = 4096
# Logto's have 43 characters.
_MAX_OPAQUE_TOKEN_LENGTH = 256


class OIDCClient:
    """A relying party of `provider`. Safe to share between threads.

    `leeway_seconds` is how far the clocks of Logto and the site may differ. `hint` is added to the error when Logto
    rejects the credentials.
    """

    def __init__(
        self,
        provider: Provider,
        *,
        client_id: str,
        client_secret: Secret,
        leeway_seconds: int,
        hint: str = CREDENTIALS_HINT,
    ) -> None:
        self.issuer = provider.issuer
        self.client_id = client_id
        self.keys = provider.keys
        self._provider = provider
        self._http = provider.http
        self._leeway_seconds = leeway_seconds
        self._auth = ClientSecretBasic(client_id, client_secret, hint)

    @property
    def metadata(self) -> ProviderMetadata:
        """The provider's metadata, fetched at first use. Raise ProviderError."""
        return self._provider.metadata

    def authorization_code(self, response: AuthorizationResponse) -> str:
        """Return the code of an authorization response whose `state` the caller has checked.

        Raise CallbackError when the response names another issuer or has no valid code. Raise ProviderError when
        Logto reports an error, see `AuthorizationResponse.authorization_code`. Source: RFC 9207, section 2.4.
        """
        if response.iss is not None or self.metadata.authorization_response_iss_parameter_supported:
            response.check_issuer(self.issuer)
        return response.authorization_code()

    def exchange_code(
        self,
        code: str | Secret,
        *,
        redirect_uri: str,
        code_verifier: str | Secret,
        nonce: str,
        max_age_seconds: int | None = None,
        resource: str | None = None,
    ) -> TokenSet:
        """Return the tokens for an authorization code. The ID token passed every check.

        With `max_age_seconds` the user must have authenticated at most that long ago. With `resource`, which the
        authorization request must have named, the access token is a JWT for that API, else an opaque one.

        Raise TokenError, and ProviderError; its `error` is `invalid_grant` when the code was used before, has expired
        or is for another client. Source: OpenID Connect Core 1.0, section 3.1.3.
        """
        code, code_verifier = as_secret(code), as_secret(code_verifier)
        answer = token_request(
            self._provider,
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": redirect_uri,
                "code_verifier": code_verifier,
                **({} if resource is None else {"resource": resource}),
            },
            auth=self._auth,
        )
        if answer.get("id_token") is None:
            raise TokenError("Logto's response has no ID token. Request the scope openid.", claim="token")
        token_set = self._token_set(answer, nonce=nonce, resource=resource)
        if max_age_seconds is not None:
            check_authentication_age(
                token_set.id_token_claims,
                max_age_seconds=max_age_seconds,
                leeway_seconds=self._leeway_seconds,
                now=time.time(),
            )
        return token_set

    def refresh(
        self,
        refresh_token: str | Secret,
        *,
        claims: Claims,
        resource: str | None = None,
        organization_id: str | None = None,
        scopes: Collection[str] = (),
    ) -> TokenSet:
        """Return new tokens for the user whose ID token at sign-in had `claims`.

        The access token is for `resource` and `organization_id`, if given. With `scopes` it has at most these, and the
        result has no ID token, whose claims would depend on them. Logto limits this access token only: the next refresh
        can request all scopes of the sign-in again. Keep the `refresh_token` of the result; it replaces the one sent.

        Raise TokenError, and ProviderError; its `error` is `invalid_grant` when the user is suspended, deleted or
        signed out everywhere. Source: OpenID Connect Core 1.0, section 12.
        """
        refresh_token = as_secret(refresh_token)
        limited_to = tuple(sorted(set(scopes)))
        optional = {
            "resource": resource,
            "organization_id": organization_id,
            "scope": " ".join(limited_to) or None,
        }
        answer = token_request(
            self._provider,
            {
                "grant_type": "refresh_token",
                "refresh_token": refresh_token,
                **{name: value for name, value in optional.items() if value is not None},
            },
            auth=self._auth,
        )
        if limited_to:
            answer.pop("id_token", None)
        token_set = self._token_set(
            answer, nonce=None, resource=resource, organization_id=organization_id, limited_to=limited_to
        )
        if token_set.id_token is not None:
            check_refreshed(token_set.id_token_claims, claims)
        return token_set

    def validate_id_token(self, id_token: object, *, nonce: str | None, access_token: Secret | None) -> Claims:
        """Return the claims of an ID token for this client that passed every check. Raise TokenError, ProviderError.

        The token comes from Logto itself, not from a browser: if its key is unknown, the keys are fetched again, and a
        key that is still unknown is a ProviderError. See `id_tokens.validate_id_token`.
        """
        return validate_id_token(
            id_token,
            keys=self.keys.trusted,
            algorithms=self._provider.algorithms,
            issuer=self.issuer,
            client_id=self.client_id,
            nonce=nonce,
            access_token=access_token,
            leeway_seconds=self._leeway_seconds,
            now=time.time(),
        )

    def validate_access_token(self, token_set: TokenSet, *, sub: str) -> AccessTokenClaims:
        """Return the claims of the JWT access token that `token_set` has for its resource, and for the user `sub`.

        Raise TokenError naming the first claim that failed, and ProviderError when the key is unknown.
        """
        return validate_issued_access_token(
            token_set.access_token,
            keys=self.keys.trusted,
            algorithms=self._provider.algorithms,
            issuer=self.issuer,
            audience=token_set.resource or "",
            client_id=self.client_id,
            sub=sub,
            leeway_seconds=self._leeway_seconds,
            now=time.time(),
        )

    def validate_logout_token(self, logout_token: object, *, type_required: bool = True) -> LogoutTokenClaims:
        """Return the claims of a back-channel logout token for this client. Raise TokenError, ProviderError.

        Without `type_required` the header may omit `typ`. The claims still distinguish the token from an ID token.
        """
        return validate_logout_token(
            logout_token,
            keys=self.keys,
            algorithms=self._provider.algorithms,
            types={"logout+jwt"} if type_required else {"logout+jwt", "jwt", None},
            issuer=self.issuer,
            former_issuers=self._provider.former_issuers,
            client_id=self.client_id,
            leeway_seconds=self._leeway_seconds,
            now=time.time(),
        )

    def userinfo(self, access_token: str | Secret, *, sub: str) -> dict[str, Any]:
        """Return the claims of Logto's userinfo endpoint about the user `sub`.

        `access_token` is the opaque one; Logto refuses a JWT here. Raise ProviderError, and TokenError when the
        response is about another user. Source: OpenID Connect Core 1.0, section 5.3.
        """
        access_token = as_secret(access_token)
        response = self._http.get(self.metadata.userinfo_endpoint, auth=BearerAuth(access_token))
        if response.status != 200:
            raise provider_error(response, hint=self._auth.hint)
        claims = response.json_object()
        if claims.get("sub") != sub:
            raise TokenError("The userinfo is about another user than the ID token.", claim="sub")
        return claims

    def introspect(self, access_token: str | Secret) -> AccessTokenClaims:
        """Return the claims of an opaque access token, as Logto reports them.

        Raise TokenError when the token is not an active access token, and ProviderError. Source: RFC 7662.
        """
        access_token = as_secret(access_token)
        if not is_opaque(access_token):
            # Logto 1.42 answers 400 for a JWT, which is no failure of Logto.
            raise TokenError("This is a JWT, which is verified without Logto's introspection.", claim="token")
        if len(access_token.reveal()) > _MAX_OPAQUE_TOKEN_LENGTH:
            # Otherwise a client could make the site send text of any length to Logto.
            raise TokenError("The token is longer than Logto's opaque access tokens.", claim="token")
        endpoint = self.metadata.introspection_endpoint
        if not endpoint:
            raise ProviderError("The discovery document names no introspection_endpoint.")
        response = self._http.post_form(
            endpoint,
            {"token": access_token, "token_type_hint": "access_token"},
            auth=self._auth,
            may_repeat=True,
        )
        if response.status != 200:
            raise provider_error(response, hint=self._auth.hint)
        return check_introspection(response.json_object(), issuer=self.issuer, now=time.time())

    def revoke(self, refresh_token: str | Secret) -> None:
        """Revoke a refresh token and its grant. Raise ProviderError. Source: RFC 7009."""
        refresh_token = as_secret(refresh_token)
        response = self._http.post_form(
            self.metadata.revocation_endpoint,
            {"token": refresh_token, "token_type_hint": "refresh_token"},
            auth=self._auth,
            may_repeat=True,
        )
        if response.status != 200:
            raise provider_error(response, hint=self._auth.hint)

    def end_session_url(self, *, post_logout_redirect_uri: str, id_token: Secret | None) -> Secret:
        """Return the URL at which the browser signs out at Logto. It contains `id_token`.

        `id_token` becomes the hint, unless Logto would refuse it. There is no `state`: Logto would add it to the URL of
        the page that the user sees then. Raise ProviderError if the metadata cannot be fetched.
        Source: OpenID Connect RP-Initiated Logout 1.0, section 2.
        """
        parameters = {"client_id": self.client_id, "post_logout_redirect_uri": post_logout_redirect_uri}
        url = f"{self.metadata.end_session_endpoint}?{urlencode(parameters)}"
        has_hint = id_token is not None and self._is_good_hint(id_token)
        return Secret(f"{url}&id_token_hint={id_token.reveal()}" if id_token and has_hint else url)

    def _is_good_hint(self, id_token: Secret) -> bool:
        """Return whether Logto accepts the hint. It answers 400 to another issuer, a removed key or algorithm."""
        if len(id_token.reveal()) > _MAX_ID_TOKEN_HINT_LENGTH:
            return False
        try:
            hint = PyJWT().decode_complete(id_token.reveal(), options={"verify_signature": False})
            header, claims = hint["header"], hint["payload"]
            return claims.get("iss") == self.issuer and self.keys.is_current(header.get("kid"), header.get("alg"))
        except (PyJWTError, ProviderError):
            return False

    def _token_set(
        self,
        answer: dict[str, Any],
        *,
        nonce: str | None,
        resource: str | None = None,
        organization_id: str | None = None,
        limited_to: tuple[str, ...] = (),
    ) -> TokenSet:
        access_token: Secret = answer["access_token"]
        id_token, refresh_token = answer.get("id_token"), answer.get("refresh_token")
        claims: Claims = {}
        if id_token is not None:
            claims = self.validate_id_token(id_token, nonce=nonce, access_token=access_token)
        return TokenSet(
            access_token=access_token,
            expires_at=int(time.time()) + expires_in(answer),
            scopes=scopes_of(answer),
            refresh_token=refresh_token if is_token(refresh_token) else None,
            id_token=id_token,
            id_token_claims=claims,
            resource=resource,
            organization_id=organization_id,
            limited_to=limited_to,
        )
