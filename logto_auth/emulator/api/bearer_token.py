"""The access token of a request to an API."""

from __future__ import annotations

from flask import request

from .errors import APIError


def bearer_token() -> str:
    """Return the token of the `Authorization` header, or raise APIError."""
    header = request.headers.get("Authorization")
    if not header:
        raise APIError("auth.authorization_header_missing", 401)
    if not header.startswith("Bearer "):
        raise APIError("auth.authorization_token_type_not_supported", 401, data={"supportedTypes": ["Bearer"]})
    return header.removeprefix("Bearer ")
