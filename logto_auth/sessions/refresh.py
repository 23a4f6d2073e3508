"""Renewing the tokens of a session: one call to Logto however many requests, threads and processes ask for it.

Whoever is first takes a lease on the session's row, by one conditional UPDATE; no transaction stays open during the
call. The others wait for what the row then says: new tokens, an end, or that Logto is out of reach, which nobody tries
again before a cool-down is over. A lease that its holder did not live to give back runs out (decision 0008).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from math import ceil

from django.contrib.sessions.backends.base import SessionBase
from django.core.cache import cache
from django.db.models import Q

from logto_auth.clients import oidc_client
from logto_auth.conf import conf
from logto_auth.exceptions import ProviderError, ProviderUnreachable, SignInRefused, SignInRequired, TokenError
from logto_auth.models import LogtoSession
from logto_auth.site_cache import cache_failures_ignored
from logto_auth.users.provisioning import refuse_inactive, update

from . import store
from .store import AccessToken, SessionTokens

POLL_SECONDS = 0.05
# What Logto answers to a request for a token that it does not give to this person or application.
REFUSALS = {"access_denied", "insufficient_scope", "invalid_request", "invalid_scope", "invalid_target"}
# How long nobody asks Logto again after it was out of reach, for this session.
COOL_DOWN_SECONDS = 30
# The same for all sessions: shorter, for a single broken connection is no outage.
OUT_OF_REACH_SECONDS = 5
# How long an outage is remembered in which nobody asks any more.
OUTAGE_SECONDS = 300
# Beside the time-outs of the call itself: saving, and signing the next request in.
LEASE_MARGIN_SECONDS = 5


class NotAsked(ProviderUnreachable):
    """Logto was out of reach for another request a moment ago, and was not asked by this one."""


def refresh_claims(session: SessionBase, keep: Callable[[datetime], None]) -> None:
    """Have Logto's word on `session` renewed, by this request or by another that is just doing so.

    `keep` is told until when the word counts, by one request, before those go on that have waited with it. Raises
    SignInRequired when Logto no longer stands behind the session, SignInRefused when the site no longer does,
    TokenError, and ProviderError while that cannot be known.
    """

    def is_fresh(row: LogtoSession, first_version: int) -> bool:
        # A refresh that ended while this request was waiting is as good as one of its own, however short its word.
        return row.fresh_until > _now() or row.version != first_version

    _renewed(session, is_fresh, keep=keep)


def access_token(session: SessionBase, resource: str | None, organization_id: str | None) -> AccessToken:
    """A usable access token of `session` for `resource` and `organization_id`, kept or renewed.

    Raises SignInRequired when only a sign-in can bring one, ProviderError when Logto does not give it.
    """

    def has_usable(row: LogtoSession, first_version: int) -> bool:
        token = SessionTokens(row.tokens).access_token(resource, organization_id)
        return token is not None and token.is_usable()

    row = _renewed(session, has_usable, resource=resource, organization_id=organization_id)
    token = SessionTokens(row.tokens).access_token(resource, organization_id)
    assert token is not None
    return token


def can_refresh(session: SessionBase) -> bool:
    """Whether there is a refresh token for `session`."""
    tokens = store.load(session)
    return tokens is None or tokens.refresh_token is not None


def _renewed(
    session: SessionBase,
    is_good: Callable[[LogtoSession, int], bool],
    *,
    resource: str | None = None,
    organization_id: str | None = None,
    keep: Callable[[datetime], None] = lambda until: None,
) -> LogtoSession:
    """The row of `session` once `is_good` says so, or after a refresh by this request."""
    row = _row(session)
    if is_good(row, row.version):
        keep(row.fresh_until)
        return row
    first_version, give_up_at = row.version, time.monotonic() + sum(conf.http_timeout_seconds)
    while not is_good(row, first_version):
        if _is_cooling_down(row) or not _may_ask():
            raise NotAsked("Logto was out of reach a moment ago; it is not asked again yet.")
        if _take_lease(row):
            _refresh(row, resource, organization_id, keep)
            return row
        if time.monotonic() > give_up_at:
            raise NotAsked("Another request has been renewing these tokens for too long.")
        time.sleep(POLL_SECONDS)
        row = _row(session)
    return row


def _row(session: SessionBase) -> LogtoSession:
    rows = LogtoSession.objects.select_related("identity__user")
    row: LogtoSession | None = rows.filter(pk=store.session_id(session)).first()
    if row is None:
        raise SignInRequired("The session has ended.")
    if session.session_key and row.session_key != session.session_key:
        # Django gave the session another key, as it does when a password changes; it must be found under that one.
        row.session_key = session.session_key
        LogtoSession.objects.filter(pk=row.pk).update(session_key=row.session_key)
    return row


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
    # A refresh may have to fetch keys as well.
    return 2 * sum(conf.http_timeout_seconds) + LEASE_MARGIN_SECONDS


def _refresh(
    row: LogtoSession, resource: str | None, organization_id: str | None, keep: Callable[[datetime], None]
) -> None:
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
    row.tokens, row.fresh_until, row.version = tokens.data, store.fresh_until(token_set), row.version + 1
    # At once: the refresh token may be a new one, and the former no longer good for anything.
    LogtoSession.objects.filter(pk=row.pk).update(encrypted_tokens=row.encrypted_tokens)
    try:
        keep(row.fresh_until)
    finally:
        _give_back(row, fresh_until=row.fresh_until, version=row.version, unreachable_since=None)
    clear_outage()
    try:
        refuse_inactive(row.identity)
        if token_set.id_token is not None:
            update(row.identity, tokens.claims)
    except SignInRefused:
        row.delete()
        raise


def _settle_error(row: LogtoSession, error: ProviderError, *, is_plain: bool) -> None:
    """What a refused or failed refresh means for the session: its end, nothing, or a time of waiting."""
    if isinstance(error, ProviderUnreachable):
        _remember_out_of_reach()
    else:
        clear_outage()
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
    LogtoSession.objects.filter(pk=row.pk).update(**{"no_refresh_before": None, **changes})


# One request that has waited in vain spares the others the wait, whichever session they are of: while Logto hangs, the
# workers are not all waiting for it. Where the cache is shared, all processes know.


def _remember_out_of_reach() -> None:
    with cache_failures_ignored():
        cache.set(_cache_key("outage"), True, timeout=OUTAGE_SECONDS)
        cache.set(_cache_key("turn"), True, timeout=OUT_OF_REACH_SECONDS)


def _may_ask() -> bool:
    """Whether this request may ask Logto. In an outage nobody may for a while, and then one at a time."""
    with cache_failures_ignored():
        is_known_outage = cache.get(_cache_key("outage")) is not None
        return not is_known_outage or cache.add(_cache_key("turn"), True, timeout=ceil(sum(conf.http_timeout_seconds)))
    return True


def clear_outage() -> None:
    """Let every request ask Logto again: it is within reach."""
    with cache_failures_ignored():
        cache.delete_many([_cache_key("outage"), _cache_key("turn")])


def _cache_key(name: str) -> str:
    return f"logto_auth:{name}:{hashlib.sha256(conf.issuer.encode()).hexdigest()[:16]}"


def grace_is_over(session: SessionBase) -> bool:
    """Whether Logto's last word on `session` is older than the site lets it count while Logto is out of reach."""
    fresh_until: datetime = _row(session).fresh_until
    return _now() >= fresh_until + timedelta(seconds=conf.outage_grace_seconds)


def _now() -> datetime:
    return datetime.fromtimestamp(time.time(), tz=timezone.utc)
