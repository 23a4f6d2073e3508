"""Examine this machine: settings, database, sessions, cookies, hosts and time-outs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.core.checks import CheckMessage, run_checks
from django.db import Error as DatabaseError
from django.db import connections, router
from django.db.migrations.executor import MigrationExecutor
from django.http.request import validate_host

from logto_auth.check_tags import CHECKS, CREDENTIALS
from logto_auth.conf import conf
from logto_auth.models import LogtoSession
from logto_auth.oidc.errors import single_line
from logto_auth.origins import is_loopback, is_origin
from logto_auth.users.moving import KEY_FIELDS

from .findings import Finding, described, failure, findings_or_ok, skipped, warning

__all__ = ["examine", "finding_from", "system_messages"]

CACHED_ENGINES = ("django.contrib.sessions.backends.cache", "django.contrib.sessions.backends.cached_db")
NOT_SET_YET = "logto_auth.W022"
LOCAL_HOSTS = [".localhost", "127.0.0.1", "[::1]"]
# After a longer wait, a worker is likely to be killed, or the site runs out of workers.
LONGEST_WAIT_SECONDS = 30
SHORTEST_WAIT_SECONDS = 1


def system_messages(*, deploy: bool) -> list[CheckMessage]:
    """Return the messages of the system checks of this package, except those that the site has silenced.

    A missing credential is reported as the error of the deployment check, and not as a warning.
    """
    messages = [
        *run_checks(tags=[CREDENTIALS], include_deployment_checks=True),
        *(each for each in run_checks(tags=[CHECKS], include_deployment_checks=deploy) if each.id != NOT_SET_YET),
    ]
    return [each for each in messages if not each.is_silenced()]


def finding_from(message: CheckMessage) -> Finding:
    """Return the message of a system check as a finding."""
    make = failure if message.is_serious() else warning
    return make("settings", f"{message.msg} ({message.id})", message.hint or "")


def examine(base_urls: Sequence[str]) -> Iterator[Finding]:
    """Yield the findings that need no call to Logto."""
    yield from findings_or_ok(_database(), "database", "All migrations have been applied.")
    yield from findings_or_ok(_issuers(), "issuers", "All users and organizations belong to LOGTO_ENDPOINT.")
    yield from findings_or_ok(_sessions(), "sessions", f"{settings.SESSION_ENGINE} stores and returns sessions.")
    yield from findings_or_ok(
        _timeouts(), "time-outs", f"LOGTO_HTTP_TIMEOUT_SECONDS is {tuple(conf.http_timeout_seconds)}."
    )
    if not base_urls:
        yield skipped("base-url", "Hosts, cookies and proxy were not checked. Set LOGTO_BASE_URL, or pass --base-url.")
        return
    for url in base_urls:
        yield from findings_or_ok(_host(url), "hosts", f"The host of {url} is in ALLOWED_HOSTS.")
        yield from findings_or_ok(_cookies(url), "cookies", f"Browsers accept the session cookie at {url}.")
        yield from findings_or_ok(_proxy(url), "proxy", f"Django detects the scheme of requests to {url}.")


def _database() -> Iterator[Finding]:
    try:
        connection = connections[router.db_for_write(LogtoSession)]
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        yield failure("database", f"The database is not usable: {described(error)}", "Check DATABASES.")
        return
    except Exception as error:  # a migration is a module of any app
        yield failure(
            "database",
            f"The migrations cannot be examined: {described(error)}",
            "Correct the migration. `manage.py showmigrations` fails in the same way.",
        )
        return
    if missing:
        names = ", ".join(sorted({migration.app_label for migration, _ in missing}))
        yield failure("database", f"Migrations have not been applied: {names}.", "Run manage.py migrate.")


def _issuers() -> Iterator[Finding]:
    if not is_origin(conf.endpoint):
        yield skipped("issuers", "The users were not examined. Correct LOGTO_ENDPOINT first.")
        return
    issuers: set[str] = set()
    try:
        for model in KEY_FIELDS:
            others = model._default_manager.exclude(issuer=conf.issuer).order_by()
            issuers.update(others.values_list("issuer", flat=True).distinct())
    except DatabaseError as error:
        yield skipped("issuers", f"The users were not examined, because of the database: {described(error)}")
        return
    for issuer in sorted(issuers):
        text = f"Users or organizations belong to {issuer}. They are unknown at {conf.issuer}."
        if issuer in conf.former_issuers:
            yield failure("issuers", text, "Run manage.py logto_move_issuer.")
        else:
            yield warning("issuers", text, "If it is the same tenant, add its endpoint to LOGTO_FORMER_ENDPOINTS.")


def _sessions() -> Iterator[Finding]:
    engine = settings.SESSION_ENGINE
    try:
        store_class = import_module(engine).SessionStore
        store = store_class()
        store["logto_doctor"] = True
        store.create()
        is_returned = store_class(store.session_key).get("logto_doctor") is True
        store.delete()
    except Exception as error:  # a session store may raise any error of its database or cache
        yield failure(
            "sessions", f"{engine} cannot store a session: {single_line(str(error))}", "Check SESSION_ENGINE."
        )
        return
    if not is_returned:
        yield failure("sessions", f"{engine} does not return stored sessions.", "Check SESSION_ENGINE and CACHES.")
    elif engine in CACHED_ENGINES and isinstance(caches[settings.SESSION_CACHE_ALIAS], LocMemCache):
        yield warning(
            "sessions",
            f"{engine} stores sessions in a cache that is local to each process. With several processes, users are "
            "signed out at random, and sign-outs may have no effect.",
            "Use a cache that all processes share, or django.contrib.sessions.backends.db.",
        )


def _timeouts() -> Iterator[Finding]:
    for seconds in conf.http_timeout_seconds:
        if not SHORTEST_WAIT_SECONDS <= seconds <= LONGEST_WAIT_SECONDS:
            yield warning(
                "time-outs",
                f"LOGTO_HTTP_TIMEOUT_SECONDS contains {seconds} s. A short time-out fails too early. A long one blocks "
                "a worker for too long.",
                f"Choose between {SHORTEST_WAIT_SECONDS} and {LONGEST_WAIT_SECONDS} seconds.",
            )


def _host(url: str) -> Iterator[Finding]:
    host = urlsplit(url).hostname or ""
    shown = f"[{host}]" if ":" in host else host
    allowed = settings.ALLOWED_HOSTS or (LOCAL_HOSTS if settings.DEBUG else [])
    # A URL with a wildcard is checked with an example.
    if not validate_host(shown.replace("*", "any"), allowed):
        yield failure(
            "hosts", f"{shown} is not in ALLOWED_HOSTS, so Django rejects every request.", "Add it to ALLOWED_HOSTS."
        )


def _cookies(url: str) -> Iterator[Finding]:
    parts, domain = urlsplit(url), (settings.SESSION_COOKIE_DOMAIN or "").lstrip(".").lower()
    host = parts.hostname or ""
    if domain and host != domain and not host.endswith(f".{domain}"):
        yield failure(
            "cookies",
            f"SESSION_COOKIE_DOMAIN is {domain!r}. Browsers reject such a cookie from {host}.",
            "Leave SESSION_COOKIE_DOMAIN empty, or set it to a domain that contains the host.",
        )
    if parts.scheme == "https" and not settings.SESSION_COOKIE_SECURE:
        yield warning(
            "cookies",
            f"SESSION_COOKIE_SECURE is False, but the site is at {url}. The session cookie could be sent unencrypted.",
            "Set SESSION_COOKIE_SECURE = True.",
        )
    if parts.scheme == "http" and settings.SESSION_COOKIE_SECURE:
        make = warning if is_loopback(url) else failure
        which = "Some browsers" if is_loopback(url) else "Browsers"
        yield make(
            "cookies",
            f"SESSION_COOKIE_SECURE is True, but the site is at {url}. {which} do not send the cookie back.",
            "Use https, or set SESSION_COOKIE_SECURE = False for this site.",
        )


def _proxy(url: str) -> Iterator[Finding]:
    if urlsplit(url).scheme != "https" or settings.SECURE_PROXY_SSL_HEADER:
        return
    consequence = "" if conf.base_url else " Redirect URIs then begin with http:, and Logto rejects them."
    yield warning(
        "proxy",
        f"SECURE_PROXY_SSL_HEADER is not set, and the site is at {url}. Behind a proxy that terminates TLS, Django "
        f"treats requests as http.{consequence}",
        'If there is such a proxy, set SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https"), and let the '
        "proxy remove this header from requests of browsers.",
    )
