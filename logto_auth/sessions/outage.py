"""The state of an outage of Logto, which the requests of a site share through the cache.

After one request has waited without success, the requests of all sessions stop waiting. Otherwise all workers would
wait for Logto. Processes that do not share a cache each detect the outage themselves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil

from django.core.cache import cache

from logto_auth.conf import conf
from logto_auth.exceptions import LogtoError, ProviderUnreachable
from logto_auth.site_cache import cache_failures_ignored

__all__ = ["OUTAGE_RETRY_SECONDS", "clear_outage", "contact", "may_contact_logto", "report_outage"]

# How long no request contacts Logto after one could not reach it. It is shorter than `refresh.COOL_DOWN_SECONDS`, the
# time for a single session, because one broken connection is no outage.
OUTAGE_RETRY_SECONDS = 5
# How long an outage is remembered if no request contacts Logto any more.
OUTAGE_MEMORY_SECONDS = 300


def report_outage() -> None:
    """Remember that Logto could not be reached."""
    with cache_failures_ignored():
        cache.set(_cache_key("outage"), True, timeout=OUTAGE_MEMORY_SECONDS)
        cache.set(_cache_key("turn"), True, timeout=OUTAGE_RETRY_SECONDS)


def may_contact_logto() -> bool:
    """Return whether this request may contact Logto.

    During an outage no request may for `OUTAGE_RETRY_SECONDS`, and after that one at a time, until Logto responds.
    """
    with cache_failures_ignored():
        is_outage = cache.get(_cache_key("outage")) is not None
        return not is_outage or cache.add(_cache_key("turn"), True, timeout=ceil(sum(conf.http_timeout_seconds)))
    return True


def clear_outage() -> None:
    """Let every request contact Logto again."""
    with cache_failures_ignored():
        cache.delete_many([_cache_key("outage"), _cache_key("turn")])


@contextmanager
def contact(*, detects_outage: bool = True) -> Iterator[None]:
    """Call Logto in the block. Raise ProviderUnreachable at once if Logto could not be reached a moment ago.

    Without `detects_outage`, a failed call does not begin an outage. It is for calls that may be slow although Logto
    responds, for example because it asks another service: one visitor must not make the site stop calling Logto.
    """
    if not may_contact_logto():
        raise ProviderUnreachable("Logto could not be reached a moment ago; it is not contacted again yet.")
    try:
        yield
    except ProviderUnreachable:
        if detects_outage:
            report_outage()
        raise
    except LogtoError:
        # Logto has answered, for example that the access token has expired. The caller may refresh it at once.
        clear_outage()
        raise
    clear_outage()


def _cache_key(name: str) -> str:
    return f"logto_auth:{name}:{hashlib.sha256(conf.issuer.encode()).hexdigest()[:16]}"
