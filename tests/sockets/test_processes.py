"""Real servers: uvicorn in two processes, which hold the sockets, and this process, in which sessions end."""

from __future__ import annotations

import asyncio
import json
import socket as socket_module
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis
import requests
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models.signals import post_delete
from websockets.exceptions import ConnectionClosed, InvalidStatus

from logto_auth import announcements
from logto_auth.contrib import open_sockets
from logto_auth.contrib.asgi import CLOSE_CODE
from logto_auth.emulator import Emulator
from logto_auth.models import LogtoIdentity, LogtoSession
from logto_auth.testing import Browser
from tests.api.attackers import API, TokenMaker
from tests.servers import need

from .processes import REDIS_LAYER, REDIS_URL, open_socket, server
from .sites import ORIGIN, Socket, bearer, cookie_of, in_database, questions, run, site

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def layer(settings: Any) -> Iterator[Any]:
    """A channel layer on Redis, for this process too, as if it had started with it."""
    need("Redis", 6379)
    redis.Redis.from_url(REDIS_URL).flushdb()
    settings.CHANNEL_LAYERS = REDIS_LAYER
    announcements._no_sending_before, announcements._has_missed = 0.0, False
    post_delete.connect(announcements.announce_deleted_session, LogtoSession)
    yield REDIS_LAYER
    post_delete.disconnect(announcements.announce_deleted_session, LogtoSession)


def seconds_until_closed(socket: Any) -> float:
    began_at = time.monotonic()
    with pytest.raises(ConnectionClosed) as closed:
        socket.recv(timeout=20)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (CLOSE_CODE, "session_ended")
    return time.monotonic() - began_at


@pytest.mark.redis
def test_sockets_of_two_servers_close_at_sign_out(layer: Any, signed_in: Browser, reader: Any, tmp_path: Path) -> None:
    cookie = cookie_of(signed_in)
    with ExitStack() as stack:
        addresses = [stack.enter_context(server(tmp_path, layers=layer)) for _ in range(2)]
        sockets = [stack.enter_context(open_socket(address, cookie)) for address in addresses]
        for socket in sockets:
            assert json.loads(socket.recv(timeout=5))["sub"] == reader.id
        signed_in.client.post("/sign-out")
        # The servers ask the database only every five minutes.
        seconds = [seconds_until_closed(socket) for socket in sockets]
        assert max(seconds) < 20, seconds


def test_server_without_channel_layer_closes_sockets_and_streams(
    signed_in: Browser, reader: Any, tmp_path: Path
) -> None:
    cookie = cookie_of(signed_in)
    with server(tmp_path) as address:
        with pytest.raises(InvalidStatus) as refused, open_socket(address, cookie, origin="https://evil.example"):
            pass
        assert refused.value.response.status_code == 403
        assert json.loads(refused.value.response.body or b"")["error"] == "origin_refused"
        stream = requests.get(
            f"http://{address}/events", headers={"Cookie": cookie[1].decode()}, stream=True, timeout=10
        )
        with open_socket(address, cookie) as socket:
            assert json.loads(socket.recv(timeout=5))["sub"] == reader.id
            LogtoSession.objects.all().end(reason="ended_by_staff")
            assert seconds_until_closed(socket) < 20
        assert f'"sub": "{reader.id}"' in stream.text, "the stream has ended, and requests has read all of it"
        assert requests.get(stream.url, headers={"Cookie": cookie[1].decode()}, timeout=10).status_code == 401


def test_token_in_a_subprotocol_at_a_real_server(logto: Emulator, tmp_path: Path) -> None:
    token = TokenMaker(logto, logto.tenant.add_user(username="robot", id="robot0000001").id)()
    with server(tmp_path) as address:
        with open_socket(address, origin=None, subprotocols=["logto-bearer", f"logto-bearer.{token}"]) as socket:
            assert json.loads(socket.recv(timeout=5))["sub"] == "robot0000001"
            assert socket.subprotocol == "logto-bearer"
        for options in ({"subprotocols": ["logto-bearer.x"]}, {"headers": {"Authorization": "Bearer x"}}):
            with pytest.raises(InvalidStatus) as refused, open_socket(address, **options):
                pass
            assert refused.value.response.status_code == 401


# The channel layer


@pytest.mark.redis
def test_layer_closes_without_questions(layer: Any, signed_in: Browser) -> None:
    async def scenario() -> tuple[list[Any], float, int]:
        socket = Socket(site(), cookie_of(signed_in), ORIGIN)
        await socket.opened()
        with questions() as asked:
            await socket.say(1)
            await socket.hear()
            began_at = time.monotonic()
            await in_database(lambda: signed_in.client.post("/sign-out"))
            code, _reason = await socket.close_code()
        return asked, time.monotonic() - began_at, code

    asked, seconds, code = run(scenario)
    assert code == CLOSE_CODE
    assert len(asked) <= 1, "only the question after joining the group"
    assert seconds < 20


@pytest.mark.redis
def test_layer_that_times_out_while_nothing_happens_works(
    layer: Any, signed_in: Browser, settings: Any, caplog: Any
) -> None:
    hosts = [{"address": REDIS_URL, "socket_timeout": 0.3}]
    backend = {**layer["default"], "CONFIG": {"hosts": hosts, "prefix": "sockets"}}
    settings.CHANNEL_LAYERS = {"slow": backend}
    settings.LOGTO_SOCKET_CHANNEL_LAYER = "slow"

    async def scenario() -> int:
        socket = Socket(site(), cookie_of(signed_in), ORIGIN)
        await socket.opened()
        await asyncio.sleep(1)
        await in_database(lambda: signed_in.client.post("/sign-out"))
        return (await socket.close_code(2))[0]

    assert run(scenario) == CLOSE_CODE
    assert "failed" not in caplog.text


@pytest.mark.redis
def test_thousand_sockets_cost_no_query_with_a_layer(layer: Any, signed_in: Browser) -> None:
    row = LogtoSession.objects.get()
    rows = LogtoSession.objects.bulk_create(
        [
            LogtoSession(user_id=row.user_id, identity_id=row.identity_id, delete_after=9e9, fresh_until=9e9)
            for _ in range(1000)
        ]
    )

    ended = {str(each.pk) for each in rows[:900]}

    async def scenario() -> tuple[int, int]:
        watching = open_sockets.watcher()
        await watching.ready()
        for each in rows:
            basis = open_sockets.Basis(session_id=str(each.pk))
            watching.add(open_sockets.OpenSocket(basis, since=time.monotonic()))
        # The question after joining the group.
        await asyncio.sleep(2)
        with questions() as asked:
            await asyncio.sleep(2.5)
            await in_database(lambda: LogtoSession.objects.filter(pk__in=[each.pk for each in rows[:900]]).end())
            closing = [socket.ended for socket in watching._sockets if socket.basis.session_id in ended]
            await asyncio.wait(closing, timeout=20)
        return len(asked), sum(socket.ended.done() for socket in watching._sockets)

    assert run(scenario) == (0, 900)


@pytest.mark.redis
def test_each_way_to_end_is_announced(layer: Any, signed_in: Browser, logto: Emulator) -> None:
    """Sessions, accounts and identities, after the transaction has committed, and not after a rollback."""
    row = LogtoSession.objects.get()
    user, identity = get_user_model().objects.get(), LogtoIdentity.objects.get()
    heard: list[str] = []

    async def scenario() -> None:
        watching = open_sockets.watcher()
        await watching.ready()

        def change() -> None:
            try:
                with transaction.atomic():
                    LogtoSession.objects.all().end()
                    raise RuntimeError
            except RuntimeError:
                pass
            identity.delete()
            user.is_active = False
            user.save()

        await in_database(change)
        for _ in range(50):
            heard[:] = watching._recent
            if f"user:{user.pk}" in heard:
                break
            await asyncio.sleep(0.1)

    run(scenario)
    assert heard == [f"session:{row.pk}", f"user:{user.pk}"]


@pytest.mark.redis
def test_rows_that_end_together_are_one_message(layer: Any, signed_in: Browser, monkeypatch: Any) -> None:
    row = LogtoSession.objects.get()
    LogtoSession.objects.bulk_create(
        [
            LogtoSession(user_id=row.user_id, identity_id=row.identity_id, delete_after=9e9, fresh_until=9e9)
            for _ in range(20)
        ]
    )
    sent: list[list[str]] = []
    monkeypatch.setattr(announcements, "_send", sent.append)
    assert LogtoSession.objects.all().end() == 21
    assert [len(keys) for keys in sent] == [21]


@pytest.mark.redis
def test_socket_of_a_token_closes_by_the_layer(layer: Any, logto: Emulator, settings: Any) -> None:
    from tests.sockets.test_close import suspend_user

    settings.LOGTO_API_RESOURCE = API
    settings.LOGTO_API_CREATE_USERS = True
    token = TokenMaker(logto, logto.tenant.add_user(username="robot", id="robot0000001").id)()

    async def scenario() -> float:
        socket = Socket(site(), bearer(token))
        await socket.opened()
        began_at = time.monotonic()
        await in_database(suspend_user)
        assert (await socket.close_code())[0] == CLOSE_CODE
        return time.monotonic() - began_at

    assert run(scenario) < 20


@pytest.mark.redis
def test_message_that_is_no_announcement_closes_nothing(layer: Any, signed_in: Browser) -> None:
    async def scenario() -> None:
        socket = Socket(site(), cookie_of(signed_in), ORIGIN)
        await socket.opened()
        for message in (
            {"type": "x"},
            {"type": "x", "ended": "session"},
            {"type": "x", "ended": [1, None, "session:"]},
        ):
            await announcements.channel_layer().group_send(announcements.group_name(), message)
        await socket.say(1)
        assert await socket.hear() == 1
        await socket.disconnect()

    run(scenario)


def test_layer_that_is_down_delays_and_breaks_nothing(
    signed_in: Browser, settings: Any, monkeypatch: Any, caplog: Any
) -> None:
    """The sockets are then closed by questions to the database."""
    settings.LOGTO_SOCKET_CHECK_SECONDS = 1
    dead = {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": ["redis://127.0.0.1:9/0"]}}
    settings.CHANNEL_LAYERS = {"dead": dead}
    settings.LOGTO_SOCKET_CHANNEL_LAYER = "dead"
    monkeypatch.setattr(announcements, "_no_sending_before", 0.0)
    monkeypatch.setattr(announcements, "_has_missed", False)
    post_delete.connect(announcements.announce_deleted_session, LogtoSession)

    async def scenario() -> int:
        socket = Socket(site(), cookie_of(signed_in), ORIGIN)
        await socket.opened()
        await in_database(lambda: signed_in.client.post("/sign-out"))
        return (await socket.close_code())[0]

    try:
        assert run(scenario) == CLOSE_CODE
    finally:
        post_delete.disconnect(announcements.announce_deleted_session, LogtoSession)
    assert "The channel layer 'dead' failed (ConnectionError)" in caplog.text
    assert "was not announced" in caplog.text
    assert not LogtoSession.objects.exists()


def test_session_that_ends_during_the_connect_is_noticed(signed_in: Browser) -> None:
    async def scenario() -> bool:
        watching = open_sockets.watcher()
        since = time.monotonic()
        watching.end(["session:1"])
        late = open_sockets.OpenSocket(open_sockets.Basis(session_id="1"), since=since)
        watching.add(late)
        new = open_sockets.OpenSocket(open_sockets.Basis(session_id="1"), since=time.monotonic())
        watching.add(new)
        return late.ended.done() and not new.ended.done()

    assert run(scenario)


def test_recent_ends_are_bounded() -> None:
    async def scenario() -> int:
        watching = open_sockets.watcher()
        watching.end(f"session:{number}" for number in range(open_sockets.MAX_RECENT + 100))
        return len(watching._recent)

    assert run(scenario) == open_sockets.MAX_RECENT


def test_layer_in_memory_is_none(settings: Any) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    assert announcements.channel_layer() is None
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "no.such.Layer"}}
    assert announcements.channel_layer() is None
    settings.CHANNEL_LAYERS = REDIS_LAYER
    settings.LOGTO_SOCKET_CHANNEL_LAYER = ""
    assert announcements.channel_layer() is None


@pytest.mark.redis
def test_session_that_a_connect_ends_is_announced(layer: Any, signed_in: Browser, logto: Emulator, reader: Any) -> None:
    """The row ends in a thread of the sockets, which then needs the event loop."""

    def suspend_at_logto() -> None:
        logto.tenant.suspend_user(reader.id)
        LogtoSession.objects.update(fresh_until=0)

    async def scenario() -> int:
        socket = Socket(site(), cookie_of(signed_in), ORIGIN)
        await socket.opened()
        await in_database(suspend_at_logto)
        assert (await Socket(site(), cookie_of(signed_in), ORIGIN).opened())["authenticated"] is False
        return (await socket.close_code(2))[0]

    assert run(scenario) == CLOSE_CODE


def test_layer_that_does_not_answer_delays_only_the_first_socket(
    signed_in: Browser, settings: Any, monkeypatch: Any
) -> None:
    settings.LOGTO_SOCKET_CHECK_SECONDS = 1
    monkeypatch.setattr(open_sockets, "LAYER_SECONDS", 3)
    with socket_module.create_server(("127.0.0.1", 0)) as silent:
        hosts = [f"redis://127.0.0.1:{silent.getsockname()[1]}/0"]
        layer = {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": hosts}}
        settings.CHANNEL_LAYERS = {"silent": layer}
        settings.LOGTO_SOCKET_CHANNEL_LAYER = "silent"

        async def scenario() -> tuple[float, int]:
            await Socket(site(), cookie_of(signed_in), ORIGIN).opened()
            began_at = time.monotonic()
            socket = Socket(site(), cookie_of(signed_in), ORIGIN)
            await socket.opened()
            seconds = time.monotonic() - began_at
            await in_database(lambda: LogtoSession.objects.all().end())
            return seconds, (await socket.close_code())[0]

        seconds, code = run(scenario)
    assert seconds < 2
    assert code == CLOSE_CODE
