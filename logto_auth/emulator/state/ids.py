"""Random ids, secrets and token values in Logto's formats."""

from __future__ import annotations

import string

from authlib.common.security import generate_token

_LOWER_ALPHANUMERIC = string.digits + string.ascii_lowercase
_ALPHANUMERIC = string.digits + string.ascii_letters
_URL_SAFE = _ALPHANUMERIC + "-_"


def short_id() -> str:
    """Return an id for a user, an organization or a connector."""
    return str(generate_token(12, _LOWER_ALPHANUMERIC))


def standard_id() -> str:
    """Return an id for an application, role, scope, resource or signing key."""
    return str(generate_token(21, _LOWER_ALPHANUMERIC))


def secret() -> str:
    """Return a client secret, or the signing key of a webhook."""
    return str(generate_token(32, _ALPHANUMERIC))


def internal_secret() -> str:
    """Return the placeholder that the Management API shows as `secret` of an application. It does not authenticate."""
    return f"#internal:{secret()}"


def subject_token() -> str:
    """Return the value of a subject token, used for impersonation."""
    return f"sub_{generate_token(21, _LOWER_ALPHANUMERIC)}"


def personal_access_token() -> str:
    """Return the value of a personal access token."""
    return f"pat_{secret()}"


def uid(length: int) -> str:
    """Return a `jti`, a `sid`, or the id of a session, an interaction or a grant."""
    return str(generate_token(length, _URL_SAFE))


def opaque_token() -> str:
    """Return an authorization code, an opaque access token or a refresh token."""
    return str(generate_token(43, _URL_SAFE))
