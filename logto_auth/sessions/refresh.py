"""Refreshing the tokens of a session: one call to Logto for all requests, threads and processes that need it.

The first request takes a lease on the row of the session by a conditional UPDATE. No transaction is open during the
call. The other requests poll the row until it shows the result: new tokens, the end of the session, or a cool-down
because Logto could not be reached. They wait two seconds at most while an outage of Logto would not end the session.
A lease expires, so a killed process does not block the session (decisions 0008 and 0022).
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db import InterfaceError, OperationalError, connections, router, transaction

from logto_auth.batches import Cause, batch
from logto_auth.clients import oidc_client
from logto_auth.conf import conf
from logto_auth.exceptions import (
    ConfigurationError,
    LogtoError,
    ManagementAPIError,
    ProviderError,
    ProviderUnreachable,
    SignInRefused,
    SignInRequired,
    TokenError,
)
from logto_auth.models import LogtoIdentity, LogtoSession, LogtoSessionQuerySet, encrypt_tokens
from logto_auth.oidc.secrets import Secret
from logto_auth.oidc.types import Claims, TokenSet
from logto_auth.telemetry import REFRESHES, code_for_attribute
from logto_auth.users.current_request import answered_request
from logto_auth.users.provisioning import update
from logto_auth.users.rights import has_admin_rights
from logto_auth.users.suspension import refuse_inactive

from . import exchanged_tokens, store
from .outage import clear_outage, may_contact_logto, report_outage
from .second_factor import authentication_methods
from .store import AccessToken, SessionTokens, StoredSession

__all__ = [
    "COOL_DOWN_SECONDS",
    "REFUSALS",
    "WAIT_SECONDS",
    "RefreshSkipped",
    "access_token",
    "is_grace_period_over",
    "is_in_transaction",
    "refresh_claims",
    "refresh_everything",
    "restore_after_rollback",
]

logger = logging.getLogger("logto_auth")

# OAuth errors that refuse one access token, and say nothing against the session (RFC 6749, section 5.2; RFC 8707).
REFUSALS = {"access_denied", "insufficient_scope", "invalid_request", "invalid_scope", "invalid_target"}
# How long a session does not contact Logto again after a failed refresh.
COOL_DOWN_SECONDS = 30
# How often a request that waits for another one reads the row.
POLL_SECONDS = 0.05
# How long a refresh may take before other requests stop waiting, because each of them occupies a worker.
WAIT_SECONDS = 2
# A lease lasts this much longer than the time-outs of the call: the tokens have to be saved, too.
LEASE_MARGIN_SECONDS = 5


@dataclass(frozen=True)
class Wanted:
    """The access token that a refresh requests: for an API resource, for an organization, for both, or the opaque one.

    With `scopes` it has at most these. Such a refresh brings no claims.
    """

    resource: str | None = None
    organization_id: str | None = None
    scopes: tuple[str, ...] = ()

    @property
    def is_opaque(self) -> bool:
        """Whether it is the token for userinfo, which a refresh of the claims brings as well."""
        return self.resource is None and self.organization_id is None


class RefreshSkipped(ProviderUnreachable):
    """Logto was not contacted, because it could not be reached a moment ago, or another request takes too long."""


def refresh_claims(stored: StoredSession) -> StoredSession:
    """Refresh the claims of a session, or wait for another request that is doing so. Return its row after that.

    Raise SignInRequired if Logto no longer confirms the session, SignInRefused if the site refuses the user, TokenError
    if the new tokens fail a check, and ProviderError if Logto cannot be reached or its response cannot be used.
    """

    def is_done(row: StoredSession) -> bool:
        # A refresh that ended while this request was waiting counts, even if its claims are not fresh any more. One
        # for an access token with fewer scopes does not: it has brought no claims.
        has_new_claims = row.version != stored.version and row.fresh_until != stored.fresh_until
        return row.is_fresh or has_new_claims

    return _refresh_unless(is_done, stored, is_for_claims=True)


def refresh_everything(stored: StoredSession) -> StoredSession:
    """Refresh the claims of a session by a call of this request, and forget its access tokens. Return its row.

    The refresh of another request does not count: Logto may have answered it before what the site has just changed.
    Raise what `refresh_claims` raises.
    """
    return _refresh_unless(lambda row: False, stored, forgets_access_tokens=True, is_for_claims=True)


def access_token(
    stored: StoredSession, resource: str | None, organization_id: str | None, limited_to: Collection[str] = ()
) -> tuple[StoredSession, AccessToken]:
    """Return a usable access token for `resource` and `organization_id`, stored or new, and the row with it.

    With `limited_to`, it is one that was requested with these scopes only.

    Raise SignInRequired if only a new sign-in can provide one, ProviderError if Logto refuses it or cannot be reached,
    SignInRefused and TokenError as `refresh_claims` does.
    """

    def is_done(row: StoredSession) -> bool:
        token = row.tokens.access_token(resource, organization_id, limited_to)
        return token is not None and token.is_usable()

    wanted = Wanted(resource, organization_id, tuple(limited_to))
    row = _refresh_unless(is_done, stored, wanted)
    token = row.tokens.access_token(resource, organization_id, limited_to)
    if token is None:
        raise ProviderError(f"Logto has issued an opaque access token for {resource or organization_id}, not a JWT.")
    return row, token


def is_grace_period_over(stored: StoredSession) -> bool:
    """Return whether the claims of a session are older than `LOGTO_OUTAGE_GRACE_SECONDS` allows in an outage."""
    return time.time() >= _end_of_grace_period(stored)


def _end_of_grace_period(stored: StoredSession) -> float:
    return stored.fresh_until + conf.outage_grace_seconds


def _refresh_unless(
    is_done: Callable[[StoredSession], bool],
    row: StoredSession,
    wanted: Wanted = Wanted(),
    *,
    forgets_access_tokens: bool = False,
    is_for_claims: bool = False,
) -> StoredSession:
    """Return the row as soon as `is_done(row)`, or after a refresh by this request."""
    # After the grace period a request that does not wait would sign the user out.
    must_wait = is_grace_period_over(row)
    deadline = time.monotonic() + (sum(conf.http_timeout_seconds) if must_wait else WAIT_SECONDS)
    while not is_done(row):
        if _is_cooling_down(row) or not may_contact_logto():
            raise RefreshSkipped("Logto could not be reached a moment ago; it is not contacted again yet.")
        if _take_lease(row):
            if forgets_access_tokens:
                row.tokens.forget_access_tokens()
            is_stored = _counted_refresh(row, wanted, is_for_claims=is_for_claims)
            row = _read_again(row)
            if is_stored:
                return row
            continue
        if time.monotonic() > deadline or (not must_wait and _is_slow(row)):
            _report_slow_refresh(row)
            raise RefreshSkipped("Another request has been refreshing these tokens for too long.")
        time.sleep(POLL_SECONDS)
        row = _read_again(row)
    return row


def _read_again(row: StoredSession) -> StoredSession:
    """Return the row as it is now. Raise SignInRequired if the session has ended."""
    current = store.read(row.id)
    if current is None:
        raise SignInRequired("The session has ended.")
    return current


def _is_cooling_down(row: StoredSession) -> bool:
    return row.unreachable_since is not None and row.no_refresh_before > time.time()


# The lease: `no_refresh_before` is in the future while a request refreshes the tokens


def _take_lease(row: StoredSession) -> bool:
    """Return whether this request may refresh. At most one request may, on every database."""
    now = time.time()
    # Another request may have refreshed the tokens since the row was read; it has then changed the version.
    free = LogtoSession.objects.filter(pk=row.id, version=row.version, no_refresh_before__lte=now)
    return _update_unless_locked(free, no_refresh_before=now + _lease_seconds())


def _is_slow(row: StoredSession) -> bool:
    """Return whether another request has had the lease for too long."""
    now = time.time()
    return row.no_refresh_before > now and now - (row.no_refresh_before - _lease_seconds()) > WAIT_SECONDS


def _report_slow_refresh(row: StoredSession) -> None:
    """Start the cool-down of the session until the lease ends. A process that is only slow keeps the lease."""
    held = LogtoSession.objects.filter(pk=row.id, no_refresh_before__gt=time.time(), unreachable_since=None)
    if _update_unless_locked(held, unreachable_since=time.time()):
        logger.warning("The refresh of a session takes too long. Its process may have been killed.")


def _update_unless_locked(rows: LogtoSessionQuerySet, **changes: Any) -> bool:
    """Change a row; return False if there is none, or if the transaction of another request has changed it.

    An UPDATE would wait for that transaction, which lasts as long as the other view may take.
    """
    if connections[rows.db].features.has_select_for_update_skip_locked:
        with transaction.atomic(using=rows.db, savepoint=False):
            unlocked = rows.select_for_update(skip_locked=True).values_list("pk")
            return bool(list(unlocked)) and bool(rows.update(**changes))
    return bool(rows.update(**changes))


def _lease_seconds() -> float:
    # A refresh may have to fetch Logto's keys as well, and is repeated if Logto refuses its resource.
    return (3 if conf.second_factor_resource else 2) * sum(conf.http_timeout_seconds) + LEASE_MARGIN_SECONDS


def _release_lease(row: StoredSession, *, no_refresh_before: float = 0, **changes: Any) -> None:
    LogtoSession.objects.filter(pk=row.id).update(no_refresh_before=no_refresh_before, **changes)


# A refresh in a transaction of the site, which may be rolled back (decision 0022)


def is_in_transaction() -> bool:
    """Return whether what is written here is part of a transaction that the caller has begun."""
    return connections[router.db_for_write(LogtoSession)].in_atomic_block


def restore_after_rollback(former: Sequence[StoredSession], latest: StoredSession | None) -> bool:
    """Store the result of refreshes again, if a rollback has undone it; return whether it has.

    `former` are the rows before each refresh, and `latest` is that after the last one; None if the session has ended.
    """
    undone = LogtoSession.objects.filter(pk=former[0].id, encrypted_tokens__in=[row.encrypted_tokens for row in former])
    if latest is None:
        return bool(undone.end())
    changes = {"encrypted_tokens": latest.encrypted_tokens, "no_refresh_before": 0, "unreachable_since": None}
    if not _update(undone, former[0].version, latest.fresh_until, **changes):
        return False
    with suppress(SignInRefused, SignInRequired):
        _update_account(latest, latest.tokens.claims)
    return True


# The refresh


def _counted_refresh(row: StoredSession, wanted: Wanted, *, is_for_claims: bool) -> bool:
    """See `_refresh_and_release`."""
    try:
        is_stored = _refresh_and_release(row, wanted, is_for_claims=is_for_claims)
    except LogtoError as error:
        REFRESHES.add(outcome=code_for_attribute(error.code))
        raise
    REFRESHES.add(outcome="success")
    return is_stored


def _refresh_and_release(row: StoredSession, wanted: Wanted, *, is_for_claims: bool) -> bool:
    """Refresh the tokens of `row`, whose lease this request holds, and release the lease.

    Return False if the lease expired during the call, and another request has stored its tokens. They stay.
    """
    tokens = row.tokens
    if tokens.refresh_token is None and not row.is_impersonation:
        _release_lease(row)
        raise SignInRequired("There is no refresh token: ask for the scope offline_access, or sign in again.")
    try:
        if row.is_impersonation:
            token_set = _exchange(row, wanted)
        else:
            token_set = _claims_refresh(tokens) if is_for_claims else _refresh(tokens, wanted)
    except TokenError as error:
        # Fail closed: a session is not continued with a token that failed a check.
        _end(row, error)
        raise
    except ProviderError as error:
        _handle_error(row, error, is_for_claims=wanted.is_opaque)
        raise
    except SignInRefused as error:
        # In an impersonation, Logto has said that the user is suspended or gone.
        _end(row, error)
        raise
    except BaseException:
        _release_lease(row)
        raise
    if row.is_impersonation:
        return _store_exchanged(row, token_set)
    tokens.update(token_set)
    # Without the setting, no refresh brings the methods. They must not be there again when it is turned on.
    is_proof = is_for_claims or conf.second_factor_resource in (None, token_set.resource)
    if is_proof:
        tokens.prove(authentication_methods(token_set, sub=tokens.claims["sub"]))
    # Otherwise a session that fetches other tokens would keep its methods without asking Logto for them.
    at_most_until = row.fresh_until if tokens.authentication_methods is not None and not is_proof else math.inf
    # A limited token comes without claims.
    fresh_until = row.fresh_until if wanted.scopes else min(store.fresh_until(token_set), at_most_until)
    is_stored = _store(row, fresh_until)
    clear_outage()
    if is_stored:
        _update_account(row, tokens.claims if token_set.id_token is not None else None)
    return is_stored


def _claims_refresh(tokens: SessionTokens) -> TokenSet:
    """Return new tokens with new claims. Their access token proves the methods of authentication, if they are checked.

    If Logto refuses the API resource, the access token is opaque: the claims are new, and no method is proved.
    Raise what `OIDCClient.refresh` raises.
    """
    resource = conf.second_factor_resource
    if resource is None or resource == tokens.refused_resource:
        return _refresh(tokens, Wanted())
    try:
        return _refresh(tokens, Wanted(resource))
    except ProviderError as error:
        if error.error not in REFUSALS:
            raise
        logger.warning("Logto refuses %s to a session, so that no second factor is proved: %s", resource, error)
        if error.error == "invalid_target":
            # The sign-in did not request it. Only another sign-in will.
            tokens.refused_resource = resource
    return _refresh(tokens, Wanted())


def _refresh(tokens: SessionTokens, wanted: Wanted) -> TokenSet:
    assert tokens.refresh_token is not None
    return oidc_client().refresh(
        tokens.refresh_token,
        claims=tokens.claims,
        resource=wanted.resource,
        organization_id=wanted.organization_id,
        scopes=wanted.scopes,
    )


# An impersonation has no refresh token: its tokens come from token exchange


def _exchange(row: StoredSession, wanted: Wanted) -> TokenSet:
    """Return new tokens of an impersonation; those without a resource and an organization come with new claims.

    Raise SignInRefused if Logto or the site does not accept the user, SignInRequired if the session of the staff member
    has ended, TokenError, and ProviderError for everything else.
    """
    sub = row.tokens.claims.get("sub", "")
    try:
        if wanted.is_opaque:
            return exchanged_tokens.new_tokens(sub)
        return exchanged_tokens.api_token(
            sub,
            resource=wanted.resource,
            organization_id=wanted.organization_id,
            scopes=wanted.scopes,
            actor_token=_actor_token(row),
        )
    except ManagementAPIError as error:
        raise ProviderError(f"The Management API answered with an error: {error}") from error
    except ConfigurationError as error:
        raise ProviderError(f"Tokens cannot be exchanged any more: {error}") from error


def _actor_token(row: StoredSession) -> Secret:
    """Return the opaque access token of the staff member. Raise SignInRequired if that session has ended."""
    own = store.read(row.impersonator_session) if row.impersonator_session is not None else None
    if own is None:
        raise SignInRequired("The session of the staff member has ended.", code="impersonator_session_ended")
    token = own.tokens.access_token()
    if token is None or not token.is_usable():
        _row, token = access_token(own, None, None)
    return token.token


def _store_exchanged(row: StoredSession, token_set: TokenSet) -> bool:
    """Store new tokens of an impersonation, and release its lease. Return False if another request has stored some."""
    claims = token_set.id_token_claims
    if claims:
        row.tokens.replace_claims(claims)
    row.tokens.update(token_set)
    # A token for an API comes without claims.
    is_stored = _store(row, store.fresh_until(token_set) if claims else row.fresh_until)
    clear_outage()
    if is_stored:
        _update_account(row, claims or None)
    return is_stored


def _store(row: StoredSession, fresh_until: float) -> bool:
    """Store the new tokens of `row`, which is then fresh until `fresh_until`, and release its lease.

    Return False, and store nothing, if another request has stored new tokens: Logto has answered it later.

    Before anything else: Logto may have replaced the refresh token, and the former one is then invalid. If a
    revalidation was required during the call, the session stays stale, because the claims may be older.
    """
    changes = {
        "encrypted_tokens": encrypt_tokens(row.tokens.data, row.id),
        "no_refresh_before": 0,
        "unreachable_since": None,
    }
    rows = LogtoSession.objects.filter(pk=row.id, encrypted_tokens=row.encrypted_tokens)
    try:
        return _update(rows, row.version, fresh_until, **changes)
    except (OperationalError, InterfaceError):
        # The database may have closed the connection while Logto was called: once more, with another connection.
        if connections[rows.db].in_atomic_block:
            raise
        connections[rows.db].close()
        return _update(rows, row.version, fresh_until, **changes)


def _update(rows: LogtoSessionQuerySet, version: int, fresh_until: float, **changes: Any) -> bool:
    """Change a row whose refresh began at `version`; return whether it exists.

    It is fresh until `fresh_until`, unless a revalidation has been required since the refresh began.
    """
    is_current = rows.filter(version=version).update(fresh_until=fresh_until, version=version + 1, **changes)
    return bool(is_current or rows.update(**changes))


def _update_account(row: StoredSession, claims: Claims | None) -> None:
    """Update the account by new claims. If it is refused, end the session and raise SignInRefused or SignInRequired."""
    try:
        identity = _identity(row)
        refuse_inactive(identity)
        if claims is not None:
            with batch(Cause.LOGTO):
                update(identity, claims)
            if row.is_impersonation and has_admin_rights(identity.user):
                raise SignInRefused("The user has become staff.", code=exchanged_tokens.REFUSED)
    except (SignInRefused, SignInRequired) as error:
        _end(row, error)
        raise


def _identity(row: StoredSession) -> LogtoIdentity:
    """Return the identity of the session, with its user. Raise SignInRequired if it has none any more."""
    identities = LogtoIdentity.objects.select_related("user")
    identity: LogtoIdentity | None = identities.filter(pk=row.identity_id, user_id=row.user_id).first()
    if identity is None:
        raise SignInRequired("The identity was deleted, or belongs to another account now.")
    return identity


def _end(row: StoredSession, error: LogtoError) -> None:
    LogtoSession.objects.filter(pk=row.id).end(reason=error.code, request=answered_request())


def _handle_error(row: StoredSession, error: ProviderError, *, is_for_claims: bool) -> None:
    """End the session, release its lease, or start its cool-down, as `error` requires.

    Raise SignInRequired if the session has ended at Logto.
    """
    if isinstance(error, RefreshSkipped):
        # Only the session of the staff member is being refreshed, or cools down. Logto has not been asked.
        pass
    elif isinstance(error, ProviderUnreachable):
        report_outage()
    else:
        clear_outage()
    if error.error == "invalid_grant" or (is_for_claims and error.error == "access_denied"):
        # The user is suspended, deleted or no longer allowed to use the application, or the token was revoked. Logto
        # does not report which.
        ended = SignInRequired(
            "Logto no longer accepts the refresh token."
            if error.error == "invalid_grant"
            else f"Logto denies the user access to this application: {error}"
        )
        _end(row, ended)
        raise ended from error
    if not is_for_claims and error.error in REFUSALS:
        # Only this access token is refused: an unknown resource, or an organization that the user does not belong to.
        _release_lease(row)
        return
    now = time.time()
    cool_down_ends = now + COOL_DOWN_SECONDS
    if not is_grace_period_over(row):
        # Logto may be back by then, so it is asked once more before the session ends.
        cool_down_ends = min(cool_down_ends, _end_of_grace_period(row))
    _release_lease(row, unreachable_since=row.unreachable_since or now, no_refresh_before=cool_down_ends)
