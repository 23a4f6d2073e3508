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
# A refresh token is not rotated any more after this long: it ends for good.
REFRESH_TOTAL_LIFE = int(365.25 * 86400)


@dataclass(kw_only=True)
class Stored:
    """What codes, opaque access tokens and refresh tokens have in common."""

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
class Renewable(Stored):
    """What a code hands on to the refresh token made from it."""

    nonce: str | None
    auth_time: int | None
    resources: list[str]
    consumed_at: float | None = None


@dataclass(kw_only=True)
class AuthorizationCode(Renewable):
    redirect_uri: str
    code_challenge: str | None


@dataclass(kw_only=True)
class AccessToken(Stored):
    """An opaque access token; JWTs are not stored."""


@dataclass(kw_only=True)
class RefreshToken(Renewable):
    """`first_issued_at` is that of the token that this one descends from."""

    first_issued_at: int


@dataclass(kw_only=True)
class PushedRequest:
    client_id: str
    params: dict[str, Any]
    expires_at: int
    consumed: bool = False


@dataclass
class SubjectToken:
    """A token to act as a user with, once."""

    account_id: str
    expires_at: int
    value: str = field(default_factory=ids.subject_token, repr=False)
