"""The open sockets and streams of this process, which are closed when their session ends. For `contrib.asgi`.

With a channel layer that crosses processes, each process listens to one group, whatever the number of its sockets, and
asks the database only every few minutes, because a channel layer may lose messages. Without one, it asks every
`LOGTO_SOCKET_CHECK_SECONDS` for all its sockets at once (decision 0053).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.sessions.backends.signed_cookies import SessionStore as SignedCookieStore
from django.core.exceptions import FieldDoesNotExist
from django.db import close_old_connections, router
from django.utils import timezone

from logto_auth.announcements import (
    MISSED,
    channel_layer,
    crosses_processes,
    django_session_key,
    group_name,
    identity_key,
    session_key,
    user_key,
)
from logto_auth.conf import conf
from logto_auth.models import LogtoIdentity, LogtoSession, UserStatus

__all__ = ["Basis", "OpenSocket", "TooManyWaiting", "Watcher", "in_thread", "watcher"]

logger = logging.getLogger("logto_auth")

T = TypeVar("T")

# What is asked of the database although a channel layer works.
CHECK_SECONDS_WITH_LAYER = 300
# A channel of a group expires, and a Redis server may be emptied.
REJOIN_SECONDS = 60
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1, 30
# How long an answer of the channel layer may take.
LAYER_SECONDS = 5
# A session may end while its socket is being connected.
RECENT_SECONDS = 120
MAX_RECENT = 10_000
MAX_IDS_IN_QUERY = 10_000
MAX_THREADS = 8
MAX_WAITING = 1000


# Threads


class TooManyWaiting(Exception):
    """So many connects wait for a thread that another one is refused. A client tries again later."""


# Both are made by the first socket, so after a server has forked.
@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="logto-sockets")


@cache
def _thread_of_checks() -> ThreadPoolExecutor:
    # Apart from the connects, which wait for Logto: a slow Logto must not keep sockets open.
    return ThreadPoolExecutor(1, thread_name_prefix="logto-socket-checks")


_waiting = 0


async def in_thread(function: Callable[[], T]) -> T:
    """Run `function`, which needs the database or calls Logto, in one of a few threads of this process.

    A slow Logto holds up these threads only, and no other code of the site. Raise TooManyWaiting if too many functions
    wait for a thread.
    """
    global _waiting
    if _waiting >= MAX_WAITING:
        raise TooManyWaiting
    _waiting += 1
    try:
        return await _run(function, _threads())
    finally:
        _waiting -= 1


async def _run(function: Callable[[], T], threads: ThreadPoolExecutor) -> T:
    def run() -> T:
        close_old_connections()
        try:
            return function()
        finally:
            close_old_connections()

    return await sync_to_async(run, thread_sensitive=False, executor=threads)()


# Sockets


@dataclass(frozen=True)
class Basis:
    """What a socket depends on. It closes when any of it has ended."""

    session_id: str | None = None
    """The primary key of the `LogtoSession`."""
    own_session_id: str | None = None
    """In an impersonation: the primary key of the `LogtoSession` of the staff member."""
    django_session: str | None = None
    """The session key, if the session has no `LogtoSession`."""
    identity_id: int | None = None
    """The identity of an access token."""
    account_id: Any = None
    """The account of an access token of a machine, or of a session that has no `LogtoSession`."""
    user_ids: tuple[Any, ...] = ()
    """All accounts that it depends on, for announcements."""

    @property
    def keys(self) -> frozenset[str]:
        """The keys by which the end is announced."""
        keys = [*self.session_keys, *map(user_key, self.user_ids)]
        if self.identity_id is not None:
            keys.append(identity_key(self.identity_id))
        return frozenset(keys)

    @property
    def session_keys(self) -> list[str]:
        """The key of the session, and of that of the staff member who acts in it; none for an access token."""
        if self.session_id is not None:
            return [session_key(each) for each in (self.session_id, self.own_session_id) if each is not None]
        return [] if self.django_session is None else [django_session_key(self.django_session)]


class OpenSocket:
    """A socket or a stream, from its acceptance to its end."""

    def __init__(self, basis: Basis, *, since: float) -> None:
        self.basis = basis
        self.keys = basis.keys
        self.since = since
        """When its authentication began, by `time.monotonic`."""
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """The reason, as soon as it has to close."""

    def end(self, reason: str) -> None:
        """Let the socket close, with a reason for the client."""
        if not self.ended.done():
            self.ended.set_result(reason)


class Watcher:
    """It closes the sockets of one event loop. `watcher` makes it."""

    def __init__(self) -> None:
        self._by_key: dict[str, set[OpenSocket]] = {}
        self._sockets: set[OpenSocket] = set()
        self._recent: OrderedDict[str, float] = OrderedDict()
        self._has_sockets, self._check_now = asyncio.Event(), asyncio.Event()
        self._is_listening = False
        self._has_tried = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def __len__(self) -> int:
        return len(self._sockets)

    async def ready(self) -> None:
        """Begin to watch, before the session of a socket is read: what ends from now on is noticed."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._check_again_and_again())]
            if crosses_processes():
                self._tasks.append(asyncio.create_task(self._listen_again_and_again()))
            else:
                self._has_tried.set()
        if not self._has_tried.is_set():
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._has_tried.wait(), LAYER_SECONDS)
            # The next sockets do not wait for a layer that does not answer.
            self._has_tried.set()

    def add(self, socket: OpenSocket) -> None:
        """Close `socket` when its session ends, at once if it has ended since its authentication began."""
        self._sockets.add(socket)
        for key in socket.keys:
            self._by_key.setdefault(key, set()).add(socket)
            if self._recent.get(key, -1.0) >= socket.since:
                socket.end("session_ended")
        self._has_sockets.set()

    def remove(self, socket: OpenSocket) -> None:
        """Forget a socket that has closed."""
        self._sockets.discard(socket)
        for key in socket.keys:
            sockets = self._by_key.get(key, set())
            sockets.discard(socket)
            if not sockets:
                self._by_key.pop(key, None)
        if not self._sockets:
            self._has_sockets.clear()

    def end(self, keys: Iterable[str], *, reason: str = "session_ended") -> None:
        """Close the sockets that depend on any of `keys`."""
        now = time.monotonic()
        for key in keys:
            for socket in tuple(self._by_key.get(key, ())):
                socket.end(reason)
            self._recent[key] = now
            self._recent.move_to_end(key)
        while self._recent and (
            len(self._recent) > MAX_RECENT or next(iter(self._recent.values())) < now - RECENT_SECONDS
        ):
            self._recent.popitem(last=False)

    # The database

    async def _check_again_and_again(self) -> None:
        try:
            while True:
                await self._has_sockets.wait()
                seconds = CHECK_SECONDS_WITH_LAYER if self._is_listening else max(conf.socket_check_seconds, 1)
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._check_now.wait(), seconds)
                self._check_now.clear()
                try:
                    await self._check()
                except Exception:
                    # The sockets stay open, as pages stay signed in while the database cannot say anything else.
                    logger.exception("The sessions of %s open sockets could not be checked.", len(self))
        finally:
            # The event loop ends, or this watcher has a bug. The next socket makes another watcher.
            self.stop()

    async def _check(self) -> None:
        sockets = [socket for socket in self._sockets if not socket.ended.done()]
        if sockets:
            bases = [socket.basis for socket in sockets]
            ended = await _run(lambda: ended_keys(bases), _thread_of_checks())
            self.end(ended)

    # The channel layer

    async def _listen_again_and_again(self) -> None:
        wait_seconds = FIRST_WAIT_SECONDS
        while True:
            began_at = time.monotonic()
            try:
                await self._listen()
            except Exception as error:
                # Of any class: the layer is a package that the site chose.
                logger.error(
                    "The channel layer %r failed (%s). Until it works again, this process asks the database every %s "
                    "seconds which sessions of its sockets have ended.",
                    conf.socket_channel_layer,
                    type(error).__name__,
                    max(conf.socket_check_seconds, 1),
                )
            self._set_listening(False)
            if time.monotonic() - began_at > LONGEST_WAIT_SECONDS:
                wait_seconds = FIRST_WAIT_SECONDS
            await asyncio.sleep(wait_seconds)
            wait_seconds = min(2 * wait_seconds, LONGEST_WAIT_SECONDS)

    async def _listen(self) -> None:
        """Close sockets as the messages of the layer say, until the layer fails."""
        layer = channel_layer()
        channel = await _answer(layer.new_channel("logto"))
        await _answer(layer.group_add(group_name(), channel))
        joined_at = time.monotonic()
        # Messages of the time before were missed.
        self._set_listening(True)
        receiving: asyncio.Future[Any] | None = None
        try:
            while True:
                # Not cancelled at a time-out: a message could be lost with it.
                receiving = receiving or asyncio.ensure_future(layer.receive(channel))
                await asyncio.wait({receiving}, timeout=REJOIN_SECONDS)
                if receiving.done():
                    received, receiving = receiving, None
                    keys = _keys_received(received)
                    self.end(keys)
                    if MISSED in keys:
                        self._check_now.set()
                if time.monotonic() - joined_at >= REJOIN_SECONDS:
                    await _answer(layer.group_add(group_name(), channel))
                    joined_at = time.monotonic()
        finally:
            if receiving is not None:
                receiving.cancel()

    def _set_listening(self, is_listening: bool) -> None:
        self._is_listening = is_listening
        self._has_tried.set()
        # Also for the new interval.
        self._check_now.set()

    def stop(self) -> None:
        """Stop watching."""
        for task in self._tasks:
            task.cancel()
        loops = [loop for loop, other in _watchers.items() if other is self]
        for loop in loops:
            del _watchers[loop]


_watchers: dict[asyncio.AbstractEventLoop, Watcher] = {}


def watcher() -> Watcher:
    """Return the watcher of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _watchers:
        _watchers[loop] = Watcher()
    return _watchers[loop]


async def _answer(question: Awaitable[T]) -> T:
    """Return what the channel layer answers. Raise what it raised, or TimeoutError after `LAYER_SECONDS`."""
    answering = asyncio.ensure_future(question)
    try:
        await asyncio.wait({answering}, timeout=LAYER_SECONDS)
        if not answering.done():
            raise asyncio.TimeoutError
        return _result(answering)
    finally:
        answering.cancel()


def _result(answering: asyncio.Future[T]) -> T:
    if answering.cancelled():
        # Not CancelledError, which would end the task that listens.
        raise ConnectionError("The channel layer cancelled what it did.")
    return answering.result()


def _keys_received(receiving: asyncio.Future[Any]) -> list[str]:
    """Return the keys of an announcement. Raise what the channel layer raised."""
    try:
        message = _result(receiving)
    except Exception as error:
        # redis-py 8 waits 5 seconds by default, as long as channels_redis does, and raises an error of its own. If the
        # server is really gone, joining the group again fails.
        if type(error).__name__ != "TimeoutError":
            raise
        return []
    keys = message.get("ended") if isinstance(message, dict) else None
    return [key for key in keys if isinstance(key, str)] if isinstance(keys, list) else []


# Queries


def ended_keys(bases: Sequence[Basis]) -> set[str]:
    """Return the keys of all that has ended. One query for all sessions of Logto, and one for each other kind."""
    ended: set[str] = set()
    queries: tuple[tuple[set[Any], Callable[[list[Any]], Iterable[Any]], Callable[[Any], str]], ...] = (
        (
            {id for basis in bases for id in (basis.session_id, basis.own_session_id)},
            _live_sessions,
            session_key,
        ),
        ({basis.identity_id for basis in bases}, _live_identities, identity_key),
        ({basis.account_id for basis in bases}, _live_accounts, user_key),
        ({basis.django_session for basis in bases}, _live_django_sessions, django_session_key),
    )
    for ids, live, key in queries:
        ids.discard(None)
        for part in _parts(ids):
            ended |= {key(id) for id in set(part).difference(live(part))}
    return ended


def _parts(ids: Collection[Any]) -> Iterator[list[Any]]:
    all_ids = list(ids)
    return (all_ids[start : start + MAX_IDS_IN_QUERY] for start in range(0, len(all_ids), MAX_IDS_IN_QUERY))


def _live_sessions(ids: list[Any]) -> list[str]:
    rows = LogtoSession.objects.filter(pk__in=ids, delete_after__gt=time.time(), **_is_active("user__"))
    return [str(pk) for pk in rows.order_by().values_list("pk", flat=True)]


def _live_identities(ids: list[Any]) -> list[Any]:
    rows = LogtoIdentity.objects.filter(pk__in=ids, status=UserStatus.ACTIVE, **_is_active("user__"))
    return list(rows.values_list("pk", flat=True))


def _live_accounts(ids: list[Any]) -> list[Any]:
    model = get_user_model()
    # A replica may lack the newest rows, here and below.
    rows = model._base_manager.using(router.db_for_write(model)).filter(pk__in=ids, **_is_active())
    return list(rows.values_list("pk", flat=True))


def _live_django_sessions(keys: list[str]) -> Iterable[str]:
    store = import_module(settings.SESSION_ENGINE).SessionStore
    if issubclass(store, SignedCookieStore):
        # Nothing is stored, so that nothing can end it before it expires.
        return keys
    if hasattr(store, "get_model_class"):
        model = store.get_model_class()
        rows = model._base_manager.using(router.db_for_write(model)).filter(session_key__in=keys)
        live: Iterable[str] = rows.filter(expire_date__gt=timezone.now()).values_list("session_key", flat=True)
        return live
    # Not each cache can be asked for several keys at once.
    return [key for key in keys if store().exists(key)]


@cache
def _has_is_active() -> bool:
    try:
        get_user_model()._meta.get_field("is_active")
    except FieldDoesNotExist:
        return False
    return True


def _is_active(prefix: str = "") -> dict[str, bool]:
    return {f"{prefix}is_active": True} if _has_is_active() else {}
