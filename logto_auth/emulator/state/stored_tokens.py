"""Codes and tokens that the provider stores. JWT access tokens are not stored.

Times are in seconds; the lifetimes are Logto's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from . import ids

CODE_TTL = 60
OPAQUE_TOKEN_TTL = 3600
PUSHED_REQUEST_TTL = 60
SUBJECT_TOKEN_TTL = 600
REFRESH_REUSE_LEEWAY = 3
# After this time a refresh token is no longer rotated.
REFRESH_TOTAL_LIFE = int(365.25 * 86400)


@dataclass(kw_only=True)
class StoredToken:
    """Common fields of codes, opaque access tokens and refresh tokens."""

    value: str = field(default_factory=ids.opaque_token, repr=False)
    client_id: str
    account_id: str
    grant_id: str
    session_uid: str
    expires_with_session: bool
    scopes: list[str]
    sid: str | None
    issued_at: int
    expires_at: int


@dataclass(kw_only=True)
class RenewableToken(StoredToken):
    """Fields that a refresh token inherits from the code."""

    nonce: str | None
    auth_time: int | None
    resources: list[str]
    consumed_at: float | None = None


@dataclass(kw_only=True)
class AuthorizationCode(RenewableToken):
    redirect_uri: str
    code_challenge: str | None


@dataclass(kw_only=True)
class AccessToken(StoredToken):
    """An opaque access token. `custom_claims` are in its introspection."""

    custom_claims: dict[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True)
class RefreshToken(RenewableToken):
    """`first_issued_at` is that of the first token of the rotation."""

    first_issued_at: int


@dataclass(kw_only=True)
class PushedRequest:
    client_id: str
    params: dict[str, Any]
    expires_at: int
    consumed: bool = False


@dataclass
class SubjectToken:
    """A token for impersonation of a user, valid for one exchange. Scripts for custom claims see its `context`."""

    account_id: str
    expires_at: int
    context: dict[str, Any] = field(default_factory=dict)
    value: str = field(default_factory=ids.subject_token, repr=False)
