"""What of a site can be seen from within: settings, database, sessions, cookies, hosts and time-outs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.core.checks import CheckMessage, run_checks
from django.db import Error as DatabaseError
from django.db import connections, router
from django.db.migrations.executor import MigrationExecutor
from django.http.request import validate_host

from logto_auth.conf import conf
from logto_auth.models import LogtoSession
from logto_auth.origins import is_loopback

from .findings import Finding, failure, or_ok, skipped, warning

CACHED_ENGINES = ("django.contrib.sessions.backends.cache", "django.contrib.sessions.backends.cached_db")
LOCAL_HOSTS = [".localhost", "127.0.0.1", "[::1]"]
# A worker that waits for longer is likely to be killed, or to be missed.
LONGEST_WAIT_SECONDS = 30
SHORTEST_WAIT_SECONDS = 1


def system_messages(*, deploy: bool) -> list[CheckMessage]:
    """What the system checks of this package say, but for what the site has silenced."""
    messages = run_checks(include_deployment_checks=deploy)
    return [each for each in messages if (each.id or "").startswith("logto_auth.") and not each.is_silenced()]


def finding_of(message: CheckMessage) -> Finding:
    """What a system check says, as a finding."""
    make = failure if message.is_serious() else warning
    return make("settings", f"{message.msg} ({message.id})", message.hint or "")


def examine(base_urls: Sequence[str]) -> Iterator[Finding]:
    """All that can be seen without Logto."""
    yield from or_ok(_database(), "database", "All migrations have been applied.")
    yield from or_ok(_sessions(), "sessions", f"{settings.SESSION_ENGINE} keeps sessions, and gives them back.")
    yield from or_ok(_timeouts(), "time-outs", f"LOGTO_HTTP_TIMEOUT_SECONDS is {tuple(conf.http_timeout_seconds)}.")
    if not base_urls:
        yield skipped("base-url", "Addresses were not looked at: set LOGTO_BASE_URL, or say --base-url.")
        return
    for url in base_urls:
        yield from or_ok(_host(url), "hosts", f"{url} is among ALLOWED_HOSTS.")
        yield from or_ok(_cookies(url), "cookies", f"Browsers keep the session cookie at {url}.")
        yield from or_ok(_proxy(url), "proxy", f"Requests to {url} are known by their scheme.")


def _database() -> Iterator[Finding]:
    connection = connections[router.db_for_write(LogtoSession)]
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        yield failure("database", f"The database cannot be used: {_first_line(error)}", "See DATABASES.")
        return
    if missing:
        names = ", ".join(sorted({migration.app_label for migration, _ in missing}))
        yield failure("database", f"Migrations have not been applied: {names}.", "manage.py migrate")


def _sessions() -> Iterator[Finding]:
    engine = settings.SESSION_ENGINE
    try:
        store_class = import_module(engine).SessionStore
        store = store_class()
        store["logto_doctor"] = True
        store.create()
        came_back = store_class(store.session_key).get("logto_doctor") is True
        store.delete()
    except Exception as error:  # a session store may raise what its own database or cache does
        yield failure("sessions", f"{engine} cannot keep a session: {_first_line(error)}", "See SESSION_ENGINE.")
        return
    if not came_back:
        yield failure("sessions", f"{engine} forgets sessions at once.", "See SESSION_ENGINE, and CACHES.")
    elif engine in CACHED_ENGINES and isinstance(caches[settings.SESSION_CACHE_ALIAS], LocMemCache):
        yield warning(
            "sessions",
            f"{engine} keeps sessions in a cache that each process has for itself: with more than one, people are "
            "signed out by chance, or not at all.",
            "Use a cache that all processes share, or django.contrib.sessions.backends.db.",
        )


def _timeouts() -> Iterator[Finding]:
    timeouts: list[Any] = list(conf.http_timeout_seconds)
    for seconds in timeouts:
        # Another type has been told of by a system check.
        if isinstance(seconds, int | float) and not SHORTEST_WAIT_SECONDS <= seconds <= LONGEST_WAIT_SECONDS:
            yield warning(
                "time-outs",
                f"LOGTO_HTTP_TIMEOUT_SECONDS has {seconds} s: Logto is given up too early, or a hanging one holds a "
                "worker for too long.",
                f"Choose between {SHORTEST_WAIT_SECONDS} and {LONGEST_WAIT_SECONDS} seconds.",
            )


def _host(url: str) -> Iterator[Finding]:
    host = urlsplit(url).hostname or ""
    shown = f"[{host}]" if ":" in host else host
    allowed = settings.ALLOWED_HOSTS or (LOCAL_HOSTS if settings.DEBUG else [])
    # An address for subdomains stands for any of them.
    if not validate_host(shown.replace("*", "any"), allowed):
        yield failure(
            "hosts", f"{shown} is not among ALLOWED_HOSTS: every request is refused.", "Add it to ALLOWED_HOSTS."
        )


def _cookies(url: str) -> Iterator[Finding]:
    parts, domain = urlsplit(url), (settings.SESSION_COOKIE_DOMAIN or "").lstrip(".").lower()
    host = parts.hostname or ""
    if domain and host != domain and not host.endswith(f".{domain}"):
        yield failure(
            "cookies",
            f"SESSION_COOKIE_DOMAIN is {domain!r}: browsers refuse such a cookie from {host}.",
            "Leave SESSION_COOKIE_DOMAIN empty, or set it to a domain that the host is in.",
        )
    if parts.scheme == "https" and not settings.SESSION_COOKIE_SECURE:
        yield warning(
            "cookies",
            f"SESSION_COOKIE_SECURE is off, and the site is at {url}: a session could be read on the way.",
            "Set SESSION_COOKIE_SECURE = True.",
        )
    if parts.scheme == "http" and settings.SESSION_COOKIE_SECURE:
        make = warning if is_loopback(url) else failure
        which = "Some browsers" if is_loopback(url) else "Browsers"
        yield make(
            "cookies",
            f"SESSION_COOKIE_SECURE is on, and the site is at {url}: {which} would not send the cookie back.",
            "Use https, or switch it off where there is none.",
        )


def _proxy(url: str) -> Iterator[Finding]:
    if urlsplit(url).scheme != "https" or settings.SECURE_PROXY_SSL_HEADER:
        return
    consequence = "" if conf.base_url else " Redirect URIs would begin with http:, and Logto would refuse them."
    yield warning(
        "proxy",
        f"SECURE_PROXY_SSL_HEADER is not set, and the site is at {url}: behind a proxy that ends TLS, requests look as "
        f"if they came by http.{consequence}",
        'Set SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if there is such a proxy, and see that it '
        "removes this header from what browsers send.",
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
