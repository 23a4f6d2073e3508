"""What has ended, announced to all processes of the site: sessions, and the access of users.

The processes that hold open sockets listen (`contrib.open_sockets`). The announcement goes through the channel layer
`LOGTO_SOCKET_CHANNEL_LAYER`. Without one that crosses processes, nothing is announced: the processes then ask the
database themselves (decision 0053).

A key says what has ended: `session:<id of LogtoSession>`, `django:<digest of a session key>`, `user:<primary key>`,
`identity:<primary key of LogtoIdentity>`.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from .conf import conf

__all__ = [
    "GROUP_PREFIX",
    "MISSED",
    "announce",
    "announce_deleted_session",
    "channel_layer",
    "crosses_processes",
    "django_session_key",
    "group_name",
    "identity_key",
    "may_cross_processes",
    "session_key",
    "user_key",
]

logger = logging.getLogger("logto_auth")

GROUP_PREFIX = "logto_auth."
# The consumers of the site do not receive this type: only `contrib.open_sockets` reads the channels of the group.
MESSAGE_TYPE = "logto.ended"
IN_MEMORY = "channels.layers.InMemoryChannelLayer"
MAX_KEYS_IN_MESSAGE = 500
SEND_TIMEOUT_SECONDS = 3
# After a failure, so that each sign-out does not wait for a layer that is down.
PAUSE_SECONDS = 10
# Instead of a key: announcements of this process were lost, so that the database has to be asked.
MISSED = "missed"

_no_sending_before = 0.0
_has_missed = False


def session_key(id: Any) -> str:
    """Return the key of a `LogtoSession`."""
    return f"session:{id}"


def django_session_key(key: str) -> str:
    """Return the key of a session of Django that has no `LogtoSession`. The session key itself is a secret."""
    return f"django:{hashlib.sha256(key.encode()).hexdigest()}"


def user_key(pk: Any) -> str:
    """Return the key of an account."""
    return f"user:{pk}"


def identity_key(pk: Any) -> str:
    """Return the key of a `LogtoIdentity`."""
    return f"identity:{pk}"


def group_name() -> str:
    """Return the group whose channels get the announcements of this site.

    Sites that share a Redis server have other groups: primary keys mean something only on their own site.
    """
    return GROUP_PREFIX + hashlib.sha256(f"{conf.issuer}\n{conf.app_id}".encode()).hexdigest()[:32]


def crosses_processes() -> bool:
    """Return whether the site has a channel layer that reaches its other processes."""
    if not may_cross_processes():
        return False
    try:
        in_memory, layer = import_string(IN_MEMORY), import_string(_backend())
    except ImportError:
        # A system check reports it. The sockets are then closed after queries of the database.
        return False
    return not (isinstance(layer, type) and issubclass(layer, in_memory))


def may_cross_processes() -> bool:
    """Return the same by the settings alone: nothing is imported when a process starts."""
    return _backend() not in ("", IN_MEMORY)


def channel_layer() -> Any:
    """Return the channel layer; None without one that reaches other processes."""
    if not crosses_processes():
        return None
    from channels.layers import get_channel_layer

    return get_channel_layer(conf.socket_channel_layer)


def _backend() -> str:
    """Return the path of the class of the channel layer; "" without one."""
    layers = getattr(settings, "CHANNEL_LAYERS", None)
    layer = layers.get(conf.socket_channel_layer) if isinstance(layers, dict) else None
    backend = layer.get("BACKEND") if isinstance(layer, dict) else None
    return backend if isinstance(backend, str) else ""


def announce(keys: Iterable[str], *, using: str | None = None) -> None:
    """Announce that `keys` have ended, when the transaction commits. A failure is logged, and raises nothing.

    What ends next in the same transaction is announced together, so that deleting many users sends few messages.
    """
    if not crosses_processes():
        return
    connection = transaction.get_connection(using)
    # An internal list of Django, the same from 5.2 to 6.1.
    if connection.run_on_commit:
        savepoints, last = connection.run_on_commit[-1][:2]
        # Of the same savepoints, so that both are rolled back or committed together.
        if isinstance(last, _Announcement) and savepoints - {None} == {*connection.savepoint_ids} - {None}:
            last.keys.extend(keys)
            return
    transaction.on_commit(_Announcement(list(keys)), using=using, robust=True)


def announce_deleted_session(sender: object, instance: Any, using: str, **kwargs: Any) -> None:
    """Announce the end of a row: a receiver of `post_delete` of `LogtoSession`, so that no way to end a row is missed.

    It is connected only if there is a channel layer: with a receiver, Django reads rows before it deletes them.
    """
    announce([session_key(instance.pk)], using=using)


@dataclass
class _Announcement:
    """What a transaction announces when it commits."""

    keys: list[str]

    def __call__(self) -> None:
        _send(self.keys)


def _send(keys: list[str]) -> None:
    global _no_sending_before, _has_missed
    if time.monotonic() < _no_sending_before:
        _has_missed = True
        return
    try:
        layer = channel_layer()
        if layer is not None:
            async_to_sync(_group_send)(layer, [MISSED, *keys] if _has_missed else keys)
            _has_missed = False
    except Exception as error:
        # Of any class: the layer is a package that the site chose. The session has ended, whatever happens here.
        _no_sending_before = time.monotonic() + PAUSE_SECONDS
        _has_missed = True
        logger.error(
            "The end of %s sessions or users was not announced: the channel layer %r failed (%s). Their sockets close "
            "when the processes that hold them ask the database.",
            len(keys),
            conf.socket_channel_layer,
            type(error).__name__,
        )


async def _group_send(layer: Any, keys: list[str]) -> None:
    for start in range(0, len(keys), MAX_KEYS_IN_MESSAGE):
        message = {"type": MESSAGE_TYPE, "ended": keys[start : start + MAX_KEYS_IN_MESSAGE]}
        await asyncio.wait_for(layer.group_send(group_name(), message), SEND_TIMEOUT_SECONDS)
