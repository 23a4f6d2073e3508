"""Values in the shapes that Logto generates (logto.md, section 12)."""

from __future__ import annotations

import string

from authlib.common.security import generate_token

_LOWER_ALPHANUMERIC = string.digits + string.ascii_lowercase
_ALPHANUMERIC = string.digits + string.ascii_letters
_URL_SAFE = _ALPHANUMERIC + "-_"


def short_id() -> str:
    """Return an id as users, organizations and connectors have."""
    return str(generate_token(12, _LOWER_ALPHANUMERIC))


def standard_id() -> str:
    """Return an id as applications, roles, scopes, resources and signing keys have."""
    return str(generate_token(21, _LOWER_ALPHANUMERIC))


def secret() -> str:
    """Return a client secret, or the signing key of a webhook."""
    return str(generate_token(32, _ALPHANUMERIC))


def internal_secret() -> str:
    """Return what the Management API shows as an application's `secret` and nobody can use."""
    return f"#internal:{secret()}"


def subject_token() -> str:
    """Return a token to act as somebody else with."""
    return f"sub_{generate_token(21, _LOWER_ALPHANUMERIC)}"


def uid() -> str:
    """Return a `jti`, a `sid`, or the uid of a session or an interaction."""
    return str(generate_token(21, _URL_SAFE))


def opaque_token() -> str:
    """Return an authorization code, an opaque access token or a refresh token."""
    return str(generate_token(43, _URL_SAFE))
