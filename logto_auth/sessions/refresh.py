"""Refreshing the tokens of a session: one call to Logto for all requests, threads and processes that need it.

The first request takes a lease on the row of the session by a conditional UPDATE. No transaction is open during the
call. The other requests poll the row until it shows the result: new tokens, the end of the session, or a cool-down
because Logto could not be reached. A lease expires, so a killed process does not block the session (decision 0008).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from django.contrib.sessions.backends.base import SessionBase
from django.db.models import Q

from logto_auth.clients import oidc_client
from logto_auth.conf import conf
from logto_auth.exceptions import ProviderError, ProviderUnreachable, SignInRefused, SignInRequired, TokenError
from logto_auth.models import LogtoSession
from logto_auth.users.provisioning import update
from logto_auth.users.suspension import refuse_inactive

from . import store
from .outage import clear_outage, may_contact_logto, report_outage
from .store import AccessToken, SessionTokens

__all__ = [
    "COOL_DOWN_SECONDS",
    "REFUSALS",
    "RefreshSkipped",
    "access_token",
    "can_refresh",
    "is_grace_period_over",
    "refresh_claims",
]

# OAuth errors that refuse one access token, and say nothing against the session (RFC 6749, section 5.2; RFC 8707).
REFUSALS = {"access_denied", "insufficient_scope", "invalid_request", "invalid_scope", "invalid_target"}
# How long a session does not contact Logto again after a failed refresh.
COOL_DOWN_SECONDS = 30
# How often a request that waits for another one reads the row.
POLL_SECONDS = 0.05
# A lease lasts this much longer than the time-outs of the call: the tokens have to be saved, too.
LEASE_MARGIN_SECONDS = 5


class RefreshSkipped(ProviderUnreachable):
    """Logto was not contacted, because it could not be reached a moment ago, or another request takes too long."""


def refresh_claims(session: SessionBase, save_fresh_until: Callable[[datetime], None]) -> None:
    """Refresh the claims of `session`, or wait for another request that is doing so.

    One of the requests calls `save_fresh_until` with the end of the new freshness, before the waiting ones continue.

    Raise SignInRequired if Logto no longer confirms the session, SignInRefused if the site refuses the user, TokenError
    if the new tokens fail a check, and ProviderError if Logto cannot be reached or its response cannot be used.
    """

    def is_done(row: LogtoSession, first_version: int) -> bool:
        # A refresh that ended while this request was waiting counts, even if its claims are not fresh any more.
        return row.fresh_until > _now() or row.version != first_version

    _refresh_unless(is_done, session, save_fresh_until=save_fresh_until)


def access_token(session: SessionBase, resource: str | None, organization_id: str | None) -> AccessToken:
    """Return a usable access token of `session` for `resource` and `organization_id`, stored or new.

    Raise SignInRequired if only a new sign-in can provide one, ProviderError if Logto refuses it or cannot be reached,
    SignInRefused and TokenError as `refresh_claims` does.
    """

    def is_done(row: LogtoSession, first_version: int) -> bool:
        token = SessionTokens(row.tokens).access_token(resource, organization_id)
        return token is not None and token.is_usable()

    row = _refresh_unless(is_done, session, resource=resource, organization_id=organization_id)
    token = SessionTokens(row.tokens).access_token(resource, organization_id)
    assert token is not None
    return token


def can_refresh(session: SessionBase) -> bool:
    """Return whether `session` has a refresh token. True also if its row was removed, which a refresh then reports."""
    tokens = store.load(session)
    return tokens is None or tokens.refresh_token is not None


def is_grace_period_over(session: SessionBase) -> bool:
    """Return whether the claims of `session` are older than `LOGTO_OUTAGE_GRACE_SECONDS` allows in an outage.

    Raise SignInRequired if the session has ended.
    """
    fresh_until: datetime = _load_row(session).fresh_until
    return _now() >= fresh_until + timedelta(seconds=conf.outage_grace_seconds)


def _refresh_unless(
    is_done: Callable[[LogtoSession, int], bool],
    session: SessionBase,
    *,
    resource: str | None = None,
    organization_id: str | None = None,
    save_fresh_until: Callable[[datetime], None] = lambda until: None,
) -> LogtoSession:
    """Return the row of `session` as soon as `is_done(row, first version)`, or after a refresh by this request."""
    row = _load_row(session)
    if is_done(row, row.version):
        save_fresh_until(row.fresh_until)
        return row
    first_version, deadline = row.version, time.monotonic() + sum(conf.http_timeout_seconds)
    while not is_done(row, first_version):
        if _is_cooling_down(row) or not may_contact_logto():
            raise RefreshSkipped("Logto could not be reached a moment ago; it is not contacted again yet.")
        if _take_lease(row):
            _refresh_and_release(row, resource, organization_id, save_fresh_until)
            return row
        if time.monotonic() > deadline:
            raise RefreshSkipped("Another request has been refreshing these tokens for too long.")
        time.sleep(POLL_SECONDS)
        row = _load_row(session)
    return row


def _load_row(session: SessionBase) -> LogtoSession:
    """Return the row of `session`, with identity and user. Raise SignInRequired if the session has ended."""
    rows = LogtoSession.objects.select_related("identity__user")
    row: LogtoSession | None = rows.filter(pk=store.session_id(session)).first()
    if row is None:
        raise SignInRequired("The session has ended.")
    if session.session_key and row.session_key != session.session_key:
        # Django changes the key of a session, for example when the password changes. The row must be found by the new
        # key when sessions are ended.
        row.session_key = session.session_key
        LogtoSession.objects.filter(pk=row.pk).update(session_key=row.session_key)
    return row


def _is_cooling_down(row: LogtoSession) -> bool:
    return row.unreachable_since is not None and row.no_refresh_before is not None and row.no_refresh_before > _now()


# The lease: `no_refresh_before` is in the future while a request refreshes the tokens


def _take_lease(row: LogtoSession) -> bool:
    """Return whether this request may refresh. At most one request may, on every database."""
    is_free = Q(no_refresh_before=None) | Q(no_refresh_before__lte=_now())
    until = _now() + timedelta(seconds=_lease_seconds())
    # Another request may have refreshed the tokens since the row was read; it has then changed the version.
    unchanged = LogtoSession.objects.filter(pk=row.pk, version=row.version)
    return bool(unchanged.filter(is_free).update(no_refresh_before=until) == 1)


def _lease_seconds() -> float:
    # A refresh may have to fetch Logto's keys as well: two calls.
    return 2 * sum(conf.http_timeout_seconds) + LEASE_MARGIN_SECONDS


def _release_lease(row: LogtoSession, **changes: object) -> None:
    LogtoSession.objects.filter(pk=row.pk).update(**{"no_refresh_before": None, **changes})


# The refresh


def _refresh_and_release(
    row: LogtoSession, resource: str | None, organization_id: str | None, save_fresh_until: Callable[[datetime], None]
) -> None:
    """Refresh the tokens of `row`, whose lease this request holds, and release the lease."""
    tokens = SessionTokens(row.tokens)
    if tokens.refresh_token is None:
        _release_lease(row)
        raise SignInRequired("There is no refresh token: ask for the scope offline_access, or sign in again.")
    try:
        token_set = oidc_client().refresh(
            tokens.refresh_token,
            claims=tokens.claims,
            resource=resource,
            organization_id=organization_id,
        )
    except TokenError:
        # Fail closed: a session is not continued with a token that failed a check.
        row.delete()
        raise
    except ProviderError as error:
        _handle_error(row, error, is_for_claims=resource is None and organization_id is None)
        raise
    except BaseException:
        _release_lease(row)
        raise
    tokens.update(token_set, resource=resource, organization_id=organization_id)
    row.tokens, row.fresh_until, row.version = tokens.data, store.fresh_until(token_set), row.version + 1
    # Saved before anything else: Logto may have replaced the refresh token, and the former one is then invalid.
    LogtoSession.objects.filter(pk=row.pk).update(encrypted_tokens=row.encrypted_tokens)
    try:
        save_fresh_until(row.fresh_until)
    finally:
        _release_lease(row, fresh_until=row.fresh_until, version=row.version, unreachable_since=None)
    clear_outage()
    try:
        refuse_inactive(row.identity)
        if token_set.id_token is not None:
            update(row.identity, tokens.claims)
    except SignInRefused:
        row.delete()
        raise


def _handle_error(row: LogtoSession, error: ProviderError, *, is_for_claims: bool) -> None:
    """End the session, release its lease, or start its cool-down, as `error` requires.

    Raise SignInRequired if the session has ended at Logto.
    """
    if isinstance(error, ProviderUnreachable):
        report_outage()
    else:
        clear_outage()
    if error.error == "invalid_grant" or (is_for_claims and error.error == "access_denied"):
        # The user is suspended, deleted or no longer allowed to use the application, or the token was revoked. Logto
        # does not report which.
        row.delete()
        raise SignInRequired("Logto no longer accepts the refresh token.") from error
    if not is_for_claims and error.error in REFUSALS:
        # Only this access token is refused: an unknown resource, or an organization that the user does not belong to.
        _release_lease(row)
        return
    _release_lease(
        row,
        unreachable_since=row.unreachable_since or _now(),
        no_refresh_before=_now() + timedelta(seconds=COOL_DOWN_SECONDS),
    )


def _now() -> datetime:
    return datetime.fromtimestamp(time.time(), tz=timezone.utc)
