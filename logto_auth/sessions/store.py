"""Where a signed-in session is stored: a row of `LogtoSession`, whose id is in Django's session.

The row holds the user, the tokens, encrypted, and the time until which the session is fresh. A session ends with its
row, whatever the engine and the key of Django's session are (decision 21). Django's session holds nothing that a
refresh changes, because Django saves a session whole: a request could overwrite what a parallel one has just stored.

No other module reads or writes these keys of Django's session or the contents of the row's tokens.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils.module_loading import import_string

from logto_auth.backends import LogtoBackend
from logto_auth.compiled_query import CompiledQuery
from logto_auth.conf import conf
from logto_auth.encryption import decrypt, encrypt
from logto_auth.models import LogtoIdentity, LogtoSession, decrypt_tokens
from logto_auth.navigation import ip_address
from logto_auth.oidc.access_tokens import is_opaque
from logto_auth.oidc.authentication_methods import SECOND_FACTORS
from logto_auth.oidc.claims import names_in
from logto_auth.oidc.id_tokens import REPEATED_CLAIMS
from logto_auth.oidc.secrets import Secret, hide_frames
from logto_auth.oidc.types import EXPIRY_MARGIN_SECONDS, Claims, TokenSet

__all__ = [
    "AccessToken",
    "SessionTokens",
    "StoredSession",
    "as_stored",
    "begin_unconfirmed",
    "choose_organization",
    "end",
    "extend",
    "forget_verification",
    "fresh_until",
    "is_of_logto_backend",
    "is_user_of",
    "read",
    "reattach",
    "remember_verification",
    "session_id",
    "start_impersonation",
    "start_session",
    "unconfirmed_fresh_until",
]

# Keys of Django's session: the id of the row; the user as which the owner of the row acts; the end of the freshness of
# an unconfirmed session.
SESSION_ID_KEY = "_logto_session"
ACTING_AS_KEY = "_logto_acting_as"
FRESH_UNTIL_KEY = "_logto_fresh_until"
# When one of these claims changes, access tokens may have other permissions.
RIGHTS_CLAIMS = ("roles", "organizations", "organization_roles")
MAX_SID_LENGTH = 255
MAX_USER_AGENT_LENGTH = 255
# A row is deleted this long after the end of Django's session, so that an active session writes the time once a day.
DELETION_DELAY_SECONDS = 24 * 3600
# Of a session without a refresh token, whose pages are redirected to Logto: when such a page comes back, it is shown.
MIN_FRESHNESS_SECONDS = 10
# As long as Logto's ID tokens are valid by default.
DEFAULT_FRESHNESS_SECONDS = 3600
# An ID token may be valid for years. A site that wants claims of that age sets `LOGTO_FRESHNESS_SECONDS`.
MAX_FRESHNESS_SECONDS = 24 * 3600


@dataclass(frozen=True, kw_only=True)
class AccessToken:
    """A stored access token."""

    token: Secret
    expires_at: int
    """In seconds since the epoch."""
    scopes: frozenset[str]

    def is_usable(self) -> bool:
        """Return whether the token is valid for at least `EXPIRY_MARGIN_SECONDS` more."""
        return time.time() < self.expires_at - EXPIRY_MARGIN_SECONDS


class SessionTokens:
    """The tokens of one signed-in session. `data` is the JSON object that is stored."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data

    @classmethod
    def from_sign_in(cls, token_set: TokenSet, userinfo: Claims) -> SessionTokens:
        """Return the tokens of a new sign-in. `userinfo` is empty if userinfo was not requested."""
        tokens = cls({"access_tokens": {}, "userinfo": dict(userinfo)})
        tokens.update(token_set)
        tokens.data["methods_of_sign_in"] = list(token_set.authentication_methods or ())
        tokens.prove(token_set.authentication_methods)
        if token_set.authentication_methods_at is not None:
            tokens.data["authentication_methods_at"] = token_set.authentication_methods_at
        return tokens

    def update(self, token_set: TokenSet) -> None:
        """Store the tokens of a response of the token endpoint. Claims of a new ID token replace the former ones.

        An opaque access token that was requested for a resource is not stored: its scopes are no permissions.
        """
        if token_set.id_token is not None and self._has_other_rights(token_set.id_token_claims):
            self.forget_access_tokens()
        is_for_api = token_set.resource is not None or token_set.organization_id is not None
        if not is_for_api or not is_opaque(token_set.access_token):
            limited_to = list(token_set.limited_to)
            key = _access_token_key(token_set.resource, token_set.organization_id, is_limited=bool(limited_to))
            self.data["access_tokens"][key] = {
                "token": token_set.access_token.reveal(),
                "expires_at": token_set.expires_at,
                "scopes": sorted(token_set.scopes),
                **({"limited_to": limited_to} if limited_to else {}),
            }
        if not token_set.limited_to and (scopes := token_set.oidc_scopes if is_for_api else token_set.scopes):
            self.data["scopes"] = sorted(scopes)
        if token_set.refresh_token is not None:
            self.data["refresh_token"] = token_set.refresh_token.reveal()
        if token_set.id_token is not None:
            # A refreshed ID token may omit these claims, but a later one that contains them must repeat their values.
            former = self.data.get("id_token_claims", {})
            repeated = {name: former[name] for name in REPEATED_CLAIMS if name in former}
            self.data["id_token"] = token_set.id_token.reveal()
            self.data["id_token_claims"] = {**repeated, **token_set.id_token_claims}

    def _has_other_rights(self, claims: Claims) -> bool:
        """Return whether the user has other roles or organizations than before, so that permissions may differ."""
        former = self.data.get("id_token_claims", {})
        return any(set(names_in(claims, name) or ()) != set(names_in(former, name) or ()) for name in RIGHTS_CLAIMS)

    def forget_access_tokens(self) -> None:
        """Forget the access tokens: new ones have the permissions of that time."""
        self.data["access_tokens"] = {}

    def replace_claims(self, claims: Claims) -> None:
        """Store the claims of userinfo in an impersonation, which has no ID token."""
        if self._has_other_rights(claims):
            self.forget_access_tokens()
        self.data["id_token_claims"] = {**claims}

    def prove(self, methods: tuple[str, ...] | None) -> None:
        """Store the methods in the latest access token for `LOGTO_API_RESOURCE`; None if it proves none."""
        self.data.pop("authentication_methods", None)
        if (provable := self.provable(methods)) is not None:
            self.data["authentication_methods"] = list(provable)

    def provable(self, methods: tuple[str, ...] | None) -> tuple[str, ...] | None:
        """Return `methods` without the second factors that the sign-in of this session did not have.

        Logto cannot tell a factor that a user has made up at its sign-in page from that of the account. So it must not
        count as soon as the account gets its first factor of that type.
        """
        used = self.data.get("methods_of_sign_in", ())
        return methods and tuple(each for each in methods if each in used or each not in SECOND_FACTORS)

    @property
    def authentication_methods(self) -> tuple[str, ...] | None:
        """The methods in the latest access token for `LOGTO_API_RESOURCE`; None if it did not prove any list."""
        methods = self.data.get("authentication_methods") if conf.second_factor_resource else None
        return None if methods is None else tuple(methods)

    @property
    def authentication_methods_at(self) -> int | None:
        """A time before which no method was used, in seconds since the epoch; None if there is no such time."""
        at: int | None = self.data.get("authentication_methods_at")
        return at

    @property
    def refused_resource(self) -> str | None:
        """The API resource for which Logto has refused a token in this session; None if it has not."""
        resource: str | None = self.data.get("refused_resource")
        return resource

    @refused_resource.setter
    def refused_resource(self, resource: str) -> None:
        self.data["refused_resource"] = resource

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes of the latest opaque access token. Before the first one, those that the sign-in requested."""
        token = self.access_token()
        return frozenset(self.data.get("scopes", token.scopes if token else ()))

    @property
    def userinfo(self) -> dict[str, Any]:
        """The claims that were only in userinfo at the sign-in."""
        return {**self.data.get("userinfo", {})}

    @property
    def claims(self) -> dict[str, Any]:
        """The claims of the latest ID token, and those that were only in userinfo at the sign-in, in a new dict."""
        return {**self.userinfo, **self.data.get("id_token_claims", {})}

    @property
    def id_token(self) -> Secret | None:
        """The latest ID token, None if `SECRET_KEY` has changed since."""
        return self._secret("id_token")

    @property
    def refresh_token(self) -> Secret | None:
        """The latest refresh token, None if Logto did not issue one."""
        return self._secret("refresh_token")

    @hide_frames
    def access_token(
        self, resource: str | None = None, organization_id: str | None = None, limited_to: Collection[str] = ()
    ) -> AccessToken | None:
        """Return the stored access token for `resource` and `organization_id`, usable or expired; None if none.

        With `limited_to`, it is one that was requested with exactly these scopes; otherwise, with all of the sign-in.
        """
        key = _access_token_key(resource, organization_id, is_limited=bool(limited_to))
        stored = self.data.get("access_tokens", {}).get(key)
        if stored is None or set(stored.get("limited_to", ())) != set(limited_to):
            return None
        return AccessToken(
            token=Secret(stored["token"]), expires_at=stored["expires_at"], scopes=frozenset(stored["scopes"])
        )

    def _secret(self, name: str) -> Secret | None:
        return Secret(self.data[name]) if self.data.get(name) else None


def _access_token_key(resource: str | None, organization_id: str | None, *, is_limited: bool = False) -> str:
    # Neither an absolute URI nor an organization id contains a space.
    return f"{resource or ''} {organization_id or ''}{' limited' if is_limited else ''}"


# The row


@dataclass
class StoredSession:
    """A row of `LogtoSession` as one query read it. Its tokens are decrypted when they are first used."""

    id: uuid.UUID
    user_id: Any
    identity_id: int
    encrypted_tokens: str = field(repr=False)
    chosen_organization: str
    started_at: float
    delete_after: float
    version: int
    fresh_until: float
    no_refresh_before: float
    unreachable_since: float | None
    encrypted_verification_id: str = field(repr=False)
    verified_until: float
    impersonator_id: Any
    impersonator_session: uuid.UUID | None
    impersonation_ends_at: float | None

    @property
    def is_impersonation(self) -> bool:
        """Whether staff act as the user of this session."""
        return self.impersonation_ends_at is not None

    @property
    def is_fresh(self) -> bool:
        """Whether Logto need not be asked yet."""
        return time.time() < self.fresh_until

    @cached_property
    def key(self) -> str:
        """The id as it is in Django's session."""
        return str(self.id)

    @cached_property
    def tokens(self) -> SessionTokens:
        """The tokens; without any if they cannot be decrypted."""
        return SessionTokens(decrypt_tokens(self.encrypted_tokens, self.id))

    @property
    def verification_id(self) -> Secret | None:
        """The id of the verification record, expired or not; None without one, or if it cannot be decrypted."""
        return _decrypt_verification_id(self.encrypted_verification_id, self.id)


COLUMNS = tuple(StoredSession.__dataclass_fields__)


def read(pk: str | uuid.UUID) -> StoredSession | None:
    """Return the row with this id, from the database that writes it; None if there is none. One query."""
    id = pk if isinstance(pk, uuid.UUID) else uuid.UUID(pk)
    values = _row_by_id.values(id)
    return None if values is None else StoredSession(id, *values)


_row_by_id = CompiledQuery(LogtoSession, "id", COLUMNS[1:])


def choose_organization(stored: StoredSession, organization_id: str) -> None:
    """Store the organization that the user chose. The caller must have checked that the user belongs to it."""
    LogtoSession.objects.filter(pk=stored.id).update(chosen_organization=organization_id)
    stored.chosen_organization = organization_id


def remember_verification(stored: StoredSession, record_id: Secret, until: float) -> None:
    """Store the verification record of the session. It counts until `until`, in seconds since the epoch.

    No other column is written: another request may be refreshing the tokens.
    """
    stored.encrypted_verification_id = _encrypt_verification_id(record_id, stored.id)
    stored.verified_until = until
    LogtoSession.objects.filter(pk=stored.id).update(
        encrypted_verification_id=stored.encrypted_verification_id, verified_until=until
    )


def forget_verification(stored: StoredSession) -> None:
    """Let the session have no verification record, unless another request has stored a new one."""
    LogtoSession.objects.filter(pk=stored.id, encrypted_verification_id=stored.encrypted_verification_id).update(
        encrypted_verification_id="", verified_until=0
    )
    stored.encrypted_verification_id, stored.verified_until = "", 0


@hide_frames
def _encrypt_verification_id(record_id: Secret, session_id: uuid.UUID) -> str:
    return encrypt({"session": str(session_id), "id": record_id.reveal()}, purpose="verification")


@hide_frames
def _decrypt_verification_id(encrypted: str, session_id: uuid.UUID) -> Secret | None:
    value = (decrypt(encrypted, purpose="verification") if encrypted else None) or {}
    # The text may have been copied from the row of another session.
    return Secret(value["id"]) if value.get("session") == str(session_id) else None


def fresh_until(token_set: TokenSet) -> float:
    """Return when the claims of `token_set` stop being fresh, in seconds since the epoch.

    That is when its ID token expires, or after `LOGTO_FRESHNESS_SECONDS` (by default a day), if that is earlier.
    """
    expires_at, seconds = token_set.id_token_claims.get("exp", token_set.expires_at), conf.freshness_seconds
    return float(min(expires_at, time.time() + (MAX_FRESHNESS_SECONDS if seconds is None else seconds)))


# Start and end


def start_session(
    request: HttpRequest, identity: LogtoIdentity, token_set: TokenSet, userinfo: Claims
) -> StoredSession:
    """Store the tokens of a sign-in for the session of `request`, after Django's `login()`, and return the row."""
    at_least_until = 0 if token_set.refresh_token else time.time() + MIN_FRESHNESS_SECONDS
    row = LogtoSession(
        identity=identity,
        user_id=identity.user_id,
        sid=_storable_sid(token_set.id_token_claims.get("sid")),
        fresh_until=max(fresh_until(token_set), at_least_until),
        delete_after=_end_of_django_session(request.session) + DELETION_DELAY_SECONDS,
        user_agent=request.headers.get("User-Agent", "").replace("\x00", "")[:MAX_USER_AGENT_LENGTH],
        ip_address=ip_address(request),
    )
    row.tokens = SessionTokens.from_sign_in(token_set, userinfo).data
    row.save(force_insert=True)
    _depend_on(request.session, row.pk)
    return StoredSession(*(getattr(row, name) for name in COLUMNS))


def start_impersonation(
    request: HttpRequest,
    session: SessionBase,
    identity: LogtoIdentity,
    token_set: TokenSet,
    *,
    own_session: StoredSession,
    ends_at: float,
) -> StoredSession:
    """Store the tokens of an impersonation for the new Django session `session`, and return the row.

    `own_session` is that of the staff member. The row is deleted soon after `ends_at`, whatever Django's session does.
    """
    row = LogtoSession(
        identity=identity,
        user_id=identity.user_id,
        impersonator_id=own_session.user_id,
        impersonator_session=own_session.id,
        impersonation_ends_at=ends_at,
        fresh_until=fresh_until(token_set),
        delete_after=ends_at + DELETION_DELAY_SECONDS,
        user_agent=request.headers.get("User-Agent", "").replace("\x00", "")[:MAX_USER_AGENT_LENGTH],
        ip_address=ip_address(request),
    )
    tokens = SessionTokens({"access_tokens": {}, "userinfo": {}})
    tokens.replace_claims(token_set.id_token_claims)
    tokens.update(token_set)
    row.tokens = tokens.data
    row.save(force_insert=True)
    _depend_on(session, row.pk)
    return StoredSession(*(getattr(row, name) for name in COLUMNS))


def _storable_sid(sid: object) -> str:
    """Return `sid`, or "" if a database could not store it: a NUL, half of a surrogate pair, or too long."""
    return sid if isinstance(sid, str) and len(sid) <= MAX_SID_LENGTH and sid.isprintable() else ""


def end(session: SessionBase, *, reason: str = "", request: HttpRequest | None = None) -> None:
    """Delete the row of `session`, and the keys of this module. With a `reason`, `session_ended` is sent for the row.

    One query if there is a row.
    """
    pk = session.pop(SESSION_ID_KEY, None)
    session.pop(ACTING_AS_KEY, None)
    session.pop(FRESH_UNTIL_KEY, None)
    if pk is not None:
        LogtoSession.objects.filter(pk=pk).end(reason=reason, request=request)


def extend(session: SessionBase, stored: StoredSession) -> None:
    """Let the row exist for as long as Django's `session` can live if it is saved now. One query a day at most.

    Rows of sessions that Django no longer has are deleted some day, and a missing row ends a session. So a row lives at
    least as long as Django's session, whatever `SESSION_COOKIE_AGE` and `set_expiry()` say.
    """
    if stored.is_impersonation:
        return
    ends_at = _end_of_django_session(session)
    if ends_at > stored.delete_after:
        stored.delete_after = ends_at + DELETION_DELAY_SECONDS
        LogtoSession.objects.filter(pk=stored.id).update(delete_after=stored.delete_after)


def _end_of_django_session(session: SessionBase) -> float:
    return time.time() + session.get_expiry_age()


# Django's session


def session_id(session: SessionBase) -> str | None:
    """Return the id of the `LogtoSession` of `session`; None if nobody is signed in, or not through Logto."""
    pk: str | None = session.get(SESSION_ID_KEY)
    return pk if pk is not None and SESSION_KEY in session else None


def as_stored(session: SessionBase) -> SessionBase:
    """Return `session` as it is stored now, without the changes that this request has not saved."""
    # A session class of the site may need more than the key, so that no new object is made.
    stored = copy(session)
    vars(stored).pop("_session_cache", None)
    return stored


def is_user_of(session: SessionBase, stored: StoredSession) -> bool:
    """Return whether the user of Django's session is that of the row, or acts with the row of another."""
    user_id = session.get(SESSION_KEY)
    return user_id is not None and (
        get_user_model()._meta.pk.to_python(user_id) == stored.user_id or user_id == session.get(ACTING_AS_KEY)
    )


def _depend_on(session: SessionBase, pk: uuid.UUID) -> None:
    session[SESSION_ID_KEY] = str(pk)
    session.pop(ACTING_AS_KEY, None)
    session.pop(FRESH_UNTIL_KEY, None)


def reattach(session: SessionBase, stored: StoredSession) -> None:
    """Let `session` depend on the row `stored` again, which may be that of another user than the session's."""
    _depend_on(session, stored.id)
    if not is_user_of(session, stored):
        session[ACTING_AS_KEY] = session[SESSION_KEY]


# Unconfirmed sessions: code of the site has called `login()`, so Logto has not confirmed them, and they have no row


def is_of_logto_backend(session: SessionBase) -> bool:
    """Return whether the user of `session` was signed in by `LogtoBackend` or a subclass."""
    return SESSION_KEY in session and _is_logto_backend(session.get(BACKEND_SESSION_KEY, ""))


@lru_cache(maxsize=16)
def _is_logto_backend(path: str) -> bool:
    try:
        return issubclass(import_string(path), LogtoBackend)
    except ImportError:
        return False


def unconfirmed_fresh_until(session: SessionBase) -> float:
    """Return the end of the freshness of an unconfirmed session: one period of freshness after it is first seen."""
    until: float = session.setdefault(FRESH_UNTIL_KEY, time.time() + _freshness_seconds())
    return until


def begin_unconfirmed(session: SessionBase, *, at_most_until: float | None) -> None:
    """Let a session that `login()` has just begun count as fresh for one period of freshness, or for less.

    `at_most_until` is the end of the freshness of the session that the request came with. Otherwise, a session that
    switches between accounts would never have to be confirmed.
    """
    until = time.time() + _freshness_seconds()
    session[FRESH_UNTIL_KEY] = until if at_most_until is None else min(until, at_most_until)


def _freshness_seconds() -> float:
    return DEFAULT_FRESHNESS_SECONDS if conf.freshness_seconds is None else conf.freshness_seconds
