"""The class that Logto's guide describes for Django REST framework, written by hand: PyJWT, and keys kept in memory.

It looks up no account, so it does not refuse a deactivated or suspended user.
"""

from __future__ import annotations

from typing import Any

import jwt
from django.conf import settings
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request


class TokenUser:
    """The user of a token, without an account."""

    is_authenticated = True

    def __init__(self, claims: dict[str, Any]) -> None:
        self.sub = claims["sub"]
        self.client_id = claims.get("client_id")
        self.scopes = claims.get("scope", "").split(" ")

    def get_username(self) -> str:
        return str(self.sub)


class ByHandAuthentication(BaseAuthentication):
    """Verify the token of each call."""

    keys = jwt.PyJWKClient(f"{settings.LOGTO_ENDPOINT}/oidc/jwks", cache_keys=True)

    def authenticate(self, request: Request) -> tuple[TokenUser, dict[str, Any]] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != b"bearer":
            return None
        if len(parts) != 2:
            raise AuthenticationFailed("Invalid Authorization header.")
        try:
            token = parts[1].decode()
            claims = jwt.decode(
                token,
                self.keys.get_signing_key_from_jwt(token).key,
                algorithms=["ES384"],
                audience=settings.LOGTO_API_RESOURCE,
                issuer=f"{settings.LOGTO_ENDPOINT}/oidc",
                options={"require": ["exp", "iat", "sub"]},
            )
        except (jwt.PyJWTError, UnicodeError) as error:
            raise AuthenticationFailed("Invalid token.") from error
        return TokenUser(claims), claims

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
