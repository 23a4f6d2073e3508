"""Renewing the tokens of a session: one call to Logto however many requests, threads and processes ask for it.

Whoever is first takes a lease on the session's row, by one conditional UPDATE; no transaction stays open during the
call. The others wait for what the row then says: new tokens, an end, or that Logto is out of reach, which nobody tries
again before a cool-down is over. A lease that its holder did not live to give back runs out (decision 0008).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import TypeVar

from django.contrib.sessions.backends.base import SessionBase
from django.db.models import F, Q

from . import sessions
from .clients import oidc_client
from .conf import conf
from .exceptions import ProviderError, ProviderUnreachable, SignInRequired, TokenError
from .models import LogtoSession
from .provisioning import refuse_disabled, update_user
from .sessions import AccessToken, SessionTokens

T = TypeVar("T")

POLL_SECONDS = 0.05
# What Logto answers to a request for a token that it does not give to this person or application.
REFUSALS = {"access_denied", "insufficient_scope", "invalid_request", "invalid_scope", "invalid_target"}
# How long nobody asks Logto again after it was out of reach, for this session.
COOL_DOWN_SECONDS = 30
# Beside the time-outs of the call itself: saving, and signing the next request in.
LEASE_MARGIN_SECONDS = 5


def refresh_claims(session: SessionBase) -> datetime:
    """Have Logto's word on `session` renewed, if no other request has just done so; returns until when it is fresh.

    Raises SignInRequired when Logto no longer stands behind it, ProviderError while that cannot be known.
    """

    def fresh(row: LogtoSession) -> datetime | None:
        return row.fresh_until if row.fresh_until > _now() else None

    return _renewed(session, fresh)


def access_token(session: SessionBase, resource: str | None, organization_id: str | None) -> AccessToken:
    """A usable access token of `session` for `resource` and `organization_id`, kept or renewed.

    Raises SignInRequired when only a sign-in can bring one, ProviderError when Logto does not give it.
    """

    def usable(row: LogtoSession) -> AccessToken | None:
        token = SessionTokens(row.tokens).access_token(resource, organization_id)
        return token if token is not None and token.is_usable() else None

    return _renewed(session, usable, resource=resource, organization_id=organization_id)


def can_refresh(session: SessionBase) -> bool:
    """Whether there is a refresh token for `session`."""
    tokens = sessions.load(session)
    return tokens is None or tokens.refresh_token is not None


def _renewed(
    session: SessionBase,
    found_in: Callable[[LogtoSession], T | None],
    *,
    resource: str | None = None,
    organization_id: str | None = None,
) -> T:
    """What `found_in` finds in the row of `session`, after a refresh by whoever is first to start one."""
    give_up_at = time.monotonic() + _lease_seconds()
    while True:
        row = LogtoSession.objects.select_related("identity__user").filter(pk=sessions.session_id(session)).first()
        if row is None:
            raise SignInRequired("The session has ended.")
        found = found_in(row)
        if found is not None:
            return found
        if _is_cooling_down(row):
            raise ProviderUnreachable("Logto was out of reach a moment ago; it is not asked again yet.")
        if _take_lease(row):
            _refresh(row, resource, organization_id)
        elif time.monotonic() > give_up_at:
            raise ProviderUnreachable("Another request has been renewing these tokens for too long.")
        else:
            time.sleep(POLL_SECONDS)


def _is_cooling_down(row: LogtoSession) -> bool:
    return row.unreachable_since is not None and row.no_refresh_before is not None and row.no_refresh_before > _now()


def _take_lease(row: LogtoSession) -> bool:
    """Whether this request is the one to refresh: at most one is, on every database."""
    free = Q(no_refresh_before=None) | Q(no_refresh_before__lte=_now())
    until = _now() + timedelta(seconds=_lease_seconds())
    # The row must be as it was looked at: somebody may have renewed the tokens in between.
    unchanged = LogtoSession.objects.filter(pk=row.pk, version=row.version)
    return bool(unchanged.filter(free).update(no_refresh_before=until) == 1)


def _lease_seconds() -> float:
    connect_seconds, total_seconds = conf.http_timeout_seconds
    # A refresh may also have to fetch metadata and keys.
    return 3 * (connect_seconds + 2 * total_seconds) + LEASE_MARGIN_SECONDS


def _refresh(row: LogtoSession, resource: str | None, organization_id: str | None) -> None:
    """Renew the tokens of `row`, whose lease this request holds, and give the lease back."""
    tokens = SessionTokens(row.tokens)
    if tokens.refresh_token is None:
        _give_back(row)
        raise SignInRequired("There is no refresh token: ask for the scope offline_access, or sign in again.")
    try:
        token_set = oidc_client().refresh(
            tokens.refresh_token,
            claims=tokens.claims,
            resource=resource,
            organization_id=organization_id,
        )
    except TokenError:
        # A token that is not what it should be: better no session than one on its word.
        row.delete()
        raise
    except ProviderError as error:
        _settle_error(row, error, is_plain=resource is None and organization_id is None)
        raise
    except BaseException:
        _give_back(row)
        raise
    tokens.update(token_set, resource=resource, organization_id=organization_id)
    row.tokens = tokens.data
    if token_set.id_token is not None:
        row.fresh_until = sessions.fresh_until(token_set)
    _give_back(row, encrypted_tokens=row.encrypted_tokens, fresh_until=row.fresh_until, unreachable_since=None)
    if token_set.id_token is not None:
        refuse_disabled(row.identity.user)
        update_user(row.identity.user, tokens.claims)


def _settle_error(row: LogtoSession, error: ProviderError, *, is_plain: bool) -> None:
    """What a refused or failed refresh means for the session: its end, nothing, or a time of waiting."""
    if error.error == "invalid_grant" or (is_plain and error.error == "access_denied"):
        # Suspended, deleted, revoked, shut out of the application: Logto does not say which.
        row.delete()
        raise SignInRequired("Logto no longer takes the refresh token.") from error
    if not is_plain and error.error in REFUSALS:
        # Logto is well and has refused this very request: an unknown resource, an organization of others.
        _give_back(row)
        return
    _give_back(
        row,
        unreachable_since=row.unreachable_since or _now(),
        no_refresh_before=_now() + timedelta(seconds=COOL_DOWN_SECONDS),
    )


def _give_back(row: LogtoSession, **changes: object) -> None:
    values = {"no_refresh_before": None, "version": F("version") + 1, **changes}
    LogtoSession.objects.filter(pk=row.pk).update(**values)


def grace_is_over(session: SessionBase) -> bool:
    """Whether Logto has been out of reach for longer than `session` may go on without its word."""
    row = LogtoSession.objects.filter(pk=sessions.session_id(session)).first()
    if row is None:
        return True
    since = row.unreachable_since or _now()
    over_at: datetime = max(since, row.fresh_until) + timedelta(seconds=conf.outage_grace_seconds)
    return _now() >= over_at


def _now() -> datetime:
    return datetime.fromtimestamp(time.time(), tz=timezone.utc)
