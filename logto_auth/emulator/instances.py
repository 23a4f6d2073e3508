"""The data that the provider keeps between requests: sessions, interactions, grants, codes and tokens."""

from __future__ import annotations

from threading import RLock
from typing import Any

from .state.account_visits import AccountVisit
from .state.clock import Clock
from .state.records import AlipayAccount
from .state.sessions import Grant, Interaction, Session, SessionExtension
from .state.stored_tokens import AccessToken, AuthorizationCode, PushedRequest, RefreshToken, StoredToken, SubjectToken


class Instances:
    """The sessions, grants and tokens of a provider, and which of them end together."""

    def __init__(self, clock: Clock) -> None:
        self.lock = RLock()
        self._clock = clock
        self.clear()

    def clear(self) -> None:
        self.sessions: dict[str, Session] = {}
        self.session_extensions: dict[str, SessionExtension] = {}
        self.interactions: dict[str, Interaction] = {}
        self.grants: dict[str, Grant] = {}
        self.codes: dict[str, AuthorizationCode] = {}
        self.access_tokens: dict[str, AccessToken] = {}
        self.refresh_tokens: dict[str, RefreshToken] = {}
        self.pushed_requests: dict[str, PushedRequest] = {}
        self.subject_tokens: dict[str, SubjectToken] = {}
        self.alipay_auth_codes: dict[str, AlipayAccount] = {}
        self.account_visits: dict[str, AccountVisit] = {}
        # Documents of dynamic clients, each with the time until which it is kept.
        self.client_documents: dict[str, tuple[dict[str, Any], int]] = {}

    def find_session(self, session_id: str | None) -> Session | None:
        """Return the session with this id unless it has expired."""
        session = self.sessions.get(session_id or "")
        return session if session is not None and session.expires_at > self._clock.now() else None

    def submission_of(self, session_uid: str, account_id: str) -> dict[str, Any] | None:
        """Return how the user signed in, as saved for the session, or None."""
        extension = self.session_extensions.get(session_uid)
        return extension.sign_in if extension is not None and extension.account_id == account_id else None

    def end_session(self, session: Session) -> None:
        """Remove a session, with what is saved for it. Its grants stay."""
        with self.lock:
            self.sessions.pop(session.id, None)
            self.session_extensions.pop(session.uid, None)

    def find_interaction(self, uid: str | None) -> Interaction | None:
        """Return the interaction with this uid unless it has expired."""
        interaction = self.interactions.get(uid or "")
        return interaction if interaction is not None and interaction.expires_at > self._clock.now() else None

    def find_grant(self, grant_id: str | None) -> Grant | None:
        """Return the grant with this id unless it has expired."""
        grant = self.grants.get(grant_id or "")
        return grant if grant is not None and grant.expires_at > self._clock.now() else None

    def is_usable(self, token: StoredToken | None) -> bool:
        """Return whether the token, its grant, and the session to which it is bound are all valid."""
        if token is None or token.expires_at <= self._clock.now() or self.find_grant(token.grant_id) is None:
            return False
        return not token.expires_with_session or self._session_has_grant(token)

    def revoke_grant(self, grant_id: str) -> None:
        """End a grant with its codes and stored tokens. JWT access tokens remain valid until they expire."""
        with self.lock:
            self.grants.pop(grant_id, None)
            self._drop(lambda stored: stored.grant_id == grant_id)

    def end_account(self, sub: str) -> None:
        """End the sessions, grants and stored tokens of a user who was suspended or deleted."""
        with self.lock:
            for session in [each for each in self.sessions.values() if each.account_id == sub]:
                del self.sessions[session.id]
            for uid in [uid for uid, each in self.session_extensions.items() if each.account_id == sub]:
                del self.session_extensions[uid]
            for grant in [each for each in self.grants.values() if each.account_id == sub]:
                del self.grants[grant.id]
            self._drop(lambda stored: stored.account_id == sub)

    def _session_has_grant(self, token: StoredToken) -> bool:
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
