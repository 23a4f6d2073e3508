"""What the provider remembers between requests: sessions, interactions, grants, codes and tokens.

Life times are those of logto.md, 3.4, in seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar

from . import ids
from .clock import Clock
from .store import AlipayAccount

if TYPE_CHECKING:
    from .authorization_request import AuthorizationRequest

CODE_TTL = 60
OPAQUE_TOKEN_TTL = 3600
INTERACTION_TTL = 3600
GRANT_TTL = 180 * 86400
PUSHED_REQUEST_TTL = 60
SUBJECT_TOKEN_TTL = 600
REFRESH_REUSE_LEEWAY = 3
# A refresh token is not rotated any more after this long: it ends for good.
REFRESH_TOTAL_LIFE = int(365.25 * 86400)


@dataclass
class Authorization:
    """What one client has in a session. `persists_logout` is set once a code carried `offline_access`."""

    sid: str = field(default_factory=ids.uid)
    grant_id: str | None = None
    persists_logout: bool = False


@dataclass
class LogoutDetails:
    """What `/session/end` leaves for its confirm step."""

    xsrf: str
    client_id: str | None = None
    post_logout_redirect_uri: str | None = None
    state: str | None = None


@dataclass
class Session:
    """A browser's session with Logto. `id` is in the cookie and changes; `uid` stays."""

    expires_at: int
    id: str = field(default_factory=ids.uid)
    uid: str = field(default_factory=ids.uid)
    account_id: str | None = None
    login_at: int = 0
    authorizations: dict[str, Authorization] = field(default_factory=dict)
    logout: LogoutDetails | None = None

    def authorization_for(self, client_id: str) -> Authorization:
        return self.authorizations.setdefault(client_id, Authorization())


@dataclass
class Interaction:
    """A sign-in that waits for the person. `solved` names the prompts already answered, `account_id` by whom.

    `social_state` is the state of a sign-in that is under way at a provider.
    """

    request: AuthorizationRequest
    prompt: str
    session_uid: str | None
    expires_at: int
    uid: str = field(default_factory=ids.uid)
    csrf_token: str = field(default_factory=ids.opaque_token)
    solved: frozenset[str] = frozenset()
    account_id: str | None = None
    social_state: str | None = None
    missing_scopes: list[str] = field(default_factory=list)
    missing_resource_scopes: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Grant:
    """What a user let a client have: OIDC scopes, and permissions by resource indicator, in the order granted."""

    account_id: str
    client_id: str
    expires_at: int
    created_at: int
    id: str = field(default_factory=ids.opaque_token)
    oidc_scopes: list[str] = field(default_factory=list)
    resource_scopes: dict[str, list[str]] = field(default_factory=dict)

    def add(self, oidc_scopes: Iterable[str], resource_scopes: dict[str, list[str]]) -> None:
        self.oidc_scopes += [scope for scope in oidc_scopes if scope not in self.oidc_scopes]
        for indicator, scopes in resource_scopes.items():
            granted = self.resource_scopes.setdefault(indicator, [])
            granted += [scope for scope in scopes if scope not in granted]

    def granted_oidc_scopes(self, wanted: Iterable[str]) -> list[str]:
        """Return the wanted scopes that are granted, in the order of the grant (as recorded)."""
        wanted = set(wanted)
        return [scope for scope in self.oidc_scopes if scope in wanted]

    def granted_resource_scopes(self, indicator: str, wanted: Iterable[str]) -> list[str]:
        wanted = set(wanted)
        return [scope for scope in self.resource_scopes.get(indicator, []) if scope in wanted]


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


_StoredT = TypeVar("_StoredT", bound=Stored)


class Instances:
    """All of it, with the rules of what ends together."""

    def __init__(self, clock: Clock) -> None:
        self.lock = RLock()
        self._clock = clock
        self.clear()

    def clear(self) -> None:
        self.sessions: dict[str, Session] = {}
        self.interactions: dict[str, Interaction] = {}
        self.grants: dict[str, Grant] = {}
        self.codes: dict[str, AuthorizationCode] = {}
        self.access_tokens: dict[str, AccessToken] = {}
        self.refresh_tokens: dict[str, RefreshToken] = {}
        self.pushed_requests: dict[str, PushedRequest] = {}
        self.subject_tokens: dict[str, SubjectToken] = {}
        self.alipay_auth_codes: dict[str, AlipayAccount] = {}

    def find_session(self, session_id: str | None) -> Session | None:
        """Return the live session of a cookie."""
        session = self.sessions.get(session_id or "")
        return session if session is not None and session.expires_at > self._clock.now() else None

    def find_interaction(self, uid: str | None) -> Interaction | None:
        """Return the live interaction with this uid."""
        interaction = self.interactions.get(uid or "")
        return interaction if interaction is not None and interaction.expires_at > self._clock.now() else None

    def find_grant(self, grant_id: str | None) -> Grant | None:
        """Return the live grant with this id."""
        grant = self.grants.get(grant_id or "")
        return grant if grant is not None and grant.expires_at > self._clock.now() else None

    def is_usable(self, token: Stored | None) -> bool:
        """Return whether a token is in its life time, its grant lives, and so does its session where it is bound."""
        if token is None or token.expires_at <= self._clock.now() or self.find_grant(token.grant_id) is None:
            return False
        return not token.expires_with_session or self._session_still_holds(token)

    def usable(self, token: _StoredT | None) -> _StoredT | None:
        """Return the token if it is usable."""
        return token if self.is_usable(token) else None

    def revoke_grant(self, grant_id: str) -> None:
        """End a grant with its codes and stored tokens. JWT access tokens live until they expire."""
        with self.lock:
            self.grants.pop(grant_id, None)
            self._drop(lambda stored: stored.grant_id == grant_id)

    def end_account(self, sub: str) -> None:
        """End all that a user has here, as suspension and deletion do."""
        with self.lock:
            for session in [each for each in self.sessions.values() if each.account_id == sub]:
                del self.sessions[session.id]
            for grant in [each for each in self.grants.values() if each.account_id == sub]:
                del self.grants[grant.id]
            self._drop(lambda stored: stored.account_id == sub)

    def _session_still_holds(self, token: Stored) -> bool:
        for session in list(self.sessions.values()):
            if session.uid == token.session_uid and session.expires_at > self._clock.now():
                authorization = session.authorizations.get(token.client_id)
                return authorization is not None and authorization.grant_id == token.grant_id
        return False

    def _drop(self, ends: Any) -> None:
        stores: tuple[dict[str, Any], ...] = (self.codes, self.access_tokens, self.refresh_tokens)
        for store in stores:
            for value in [value for value, stored in store.items() if ends(stored)]:
                del store[value]
