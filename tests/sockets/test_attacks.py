"""What breaks sockets and streams: odd servers, applications, layers and addresses."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from django.test import Client as DjangoClient

from logto_auth import announcements
from logto_auth.contrib import open_sockets
from logto_auth.contrib.asgi import CLOSE_CODE, LogtoAuthMiddleware, refresh
from logto_auth.emulator import Emulator
from logto_auth.exceptions import LogtoError
from logto_auth.models import LogtoSession
from logto_auth.testing import Browser
from tests.api.attackers import API, TokenMaker

from .sites import HOST, ORIGIN, Socket, Stream, bearer, cookie_of, in_database, run, site

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def each_second(settings: Any) -> None:
    settings.LOGTO_SOCKET_CHECK_SECONDS = 1


async def first_user(scope: Any, receive: Any, send: Any) -> None:
    """An application that does not look at the path."""
    await receive()
    await send({"type": "websocket.accept", "subprotocol": str(scope["logto"].sub)})
    while (await receive())["type"] != "websocket.disconnect":
        pass


def sub_at(path: str, *headers: Any) -> Any:
    async def scenario() -> Any:
        socket = Socket(LogtoAuthMiddleware(first_user), *headers, url=path)
        result = await socket.connect()
        await socket.disconnect()
        return result

    return run(scenario)


def test_path_of_a_sign_in_page_skips_no_confirmation(signed_in: Browser, logto: Emulator, reader: Any) -> None:
    LogtoSession.objects.update(fresh_until=0)
    logto.tenant.suspend_user(reader.id)
    assert sub_at("/sign-in", cookie_of(signed_in), ORIGIN) == (True, "None")


@pytest.mark.parametrize("query", ["{}", "a={}=", "a[]=%20{}", "{}=1"])
def test_token_anywhere_in_the_query_is_refused(logto: Emulator, settings: Any, query: str) -> None:
    settings.LOGTO_API_RESOURCE = API
    text = TokenMaker(logto, logto.tenant.add_user(username="robot", id="robot0000001").id)()
    assert run(lambda: Socket(site(), url=f"/ws/?{query.format(text)}").refused()) == 4400


@pytest.mark.parametrize("name", ["accessToken", "access-token", "idToken", "x_access_token"])
def test_other_spellings_of_the_names_of_tokens_are_refused(logto: Emulator, name: str) -> None:
    assert run(lambda: Socket(site(), url=f"/ws/?{name}=opaque").refused()) == 4400


@pytest.mark.parametrize(
    ("engine", "end"),
    [
        ("db", lambda: get_user_model().objects.update(is_active=False)),
        ("signed_cookies", lambda: get_user_model().objects.all().delete()),
    ],
)
def test_deactivated_or_deleted_account_without_logto_closes(settings: Any, engine: str, end: Any) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
    client = DjangoClient()
    client.force_login(get_user_model().objects.create_user("clerk"))

    async def scenario() -> int:
        socket = Socket(site(), cookie_of(type("", (), {"client": client})()), ORIGIN)
        assert (await socket.opened())["user"] == "clerk"
        await asyncio.sleep(1.3)
        await socket.say(1)
        assert await socket.hear() == 1
        await in_database(end)
        return (await socket.close_code())[0]

    assert run(scenario) == CLOSE_CODE


def test_client_that_is_gone_makes_no_error_of_the_close(signed_in: Browser, monkeypatch: Any) -> None:
    """Servers refuse messages to a client that is gone with errors of their own."""
    monkeypatch.setattr("logto_auth.contrib.asgi.SECONDS_TO_END", 0.1)

    async def busy(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await receive()

    async def scenario() -> None:
        accepted = asyncio.Event()
        messages = iter([{"type": "websocket.connect"}])

        async def receive() -> Any:
            return next(messages, None) or await asyncio.Event().wait()

        async def send(message: Any) -> None:
            if message["type"] == "websocket.close":
                raise RuntimeError("Unexpected ASGI message 'websocket.close'")
            accepted.set()

        scope = {
            "type": "websocket",
            "path": "/",
            "query_string": b"",
            "headers": [HOST, ORIGIN, cookie_of(signed_in)],
        }
        server = asyncio.ensure_future(LogtoAuthMiddleware(busy)(scope, receive, send))
        await accepted.wait()
        await in_database(lambda: LogtoSession.objects.all().end())
        await server
        assert len(open_sockets.watcher()) == 0

    run(scenario)


@pytest.mark.parametrize("with_length", [True, False])
def test_response_of_a_view_that_signs_out_arrives(signed_in: Browser, with_length: bool) -> None:
    """The session ends before the response begins."""

    async def sign_out(scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["type"] == "http.request"
        gone = asyncio.ensure_future(receive())
        await in_database(lambda: LogtoSession.objects.all().end())
        await asyncio.sleep(1.5)
        assert not gone.done()
        gone.cancel()
        length = [(b"content-length", b"3")] if with_length else []
        await send({"type": "http.response.start", "status": 302, "headers": [(b"location", b"/"), *length]})
        await send({"type": "http.response.body", "body": b"bye"})

    async def scenario() -> list[Any]:
        response = Stream(LogtoAuthMiddleware(sign_out), cookie_of(signed_in), ORIGIN, method="POST")
        return [await response.started(), await response.receive_output(5)]

    start, body = run(scenario)
    assert (start["status"], body["body"]) == (302, b"bye")


def test_stream_that_begins_after_the_end_says_nothing(signed_in: Browser) -> None:
    async def late(scope: Any, receive: Any, send: Any) -> None:
        await in_database(lambda: LogtoSession.objects.all().end())
        await asyncio.sleep(1.5)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"secret", "more_body": True})
            await asyncio.sleep(0.1)

    async def scenario() -> list[Any]:
        response = Stream(LogtoAuthMiddleware(late), cookie_of(signed_in))
        first = await response.started()
        messages = [first, await response.receive_output(15)]
        await response.wait(15)
        return messages

    start, body = run(scenario)
    assert start["status"] == 401
    assert b"secret" not in body["body"]


def test_two_tasks_of_an_application_may_receive(signed_in: Browser) -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        seen.extend(message["text"] for message in await asyncio.gather(receive(), receive()))
        await send({"type": "websocket.send", "text": "1"})

    async def scenario() -> None:
        socket = Socket(LogtoAuthMiddleware(app), cookie_of(signed_in), ORIGIN)
        await socket.connect()
        await socket.say(1)
        await socket.say(2)
        await socket.hear()

    run(scenario)
    assert sorted(seen) == ["1", "2"]


class Layer:
    """A channel layer that does what a test says."""

    def __init__(self, **methods: Any) -> None:
        vars(self).update(methods)

    async def new_channel(self, prefix: str) -> str:
        return "x"

    async def group_add(self, group: str, channel: str) -> None: ...

    async def receive(self, channel: str) -> Any:
        await asyncio.Event().wait()


async def cancelled(*args: Any) -> Any:
    await asyncio.sleep(0.1)
    raise asyncio.CancelledError


async def hangs(*args: Any) -> Any:
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    "methods", [{"receive": cancelled}, {"group_add": cancelled}, {"new_channel": hangs}, {"group_add": hangs}]
)
def test_layer_that_cancels_or_hangs_is_tried_again(methods: Any, monkeypatch: Any, caplog: Any) -> None:
    monkeypatch.setattr(open_sockets, "crosses_processes", lambda: True)
    monkeypatch.setattr(open_sockets, "channel_layer", lambda: Layer(**methods))
    monkeypatch.setattr(open_sockets, "LAYER_SECONDS", 0.3)

    async def scenario() -> tuple[bool, list[bool]]:
        watching = open_sockets.watcher()
        await watching.ready()
        await asyncio.sleep(0.8)
        return watching._is_listening, [task.done() for task in watching._tasks]

    assert run(scenario) == (False, [False, False])
    assert "channel layer" in caplog.text


def test_layer_that_cannot_be_made_opens_sockets(signed_in: Browser, settings: Any, caplog: Any) -> None:
    pytest.importorskip("channels_redis")
    backend = {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hots": []}}
    settings.CHANNEL_LAYERS = {"default": backend}

    async def scenario() -> int:
        socket = Socket(LogtoAuthMiddleware(first_user), cookie_of(signed_in), ORIGIN)
        assert (await socket.connect())[0]
        await in_database(lambda: signed_in.client.post("/sign-out"))
        return (await socket.close_code())[0]

    assert run(scenario) == CLOSE_CODE
    assert "channel layer" in caplog.text
    assert "Traceback" not in caplog.text


def test_closed_sockets_are_forgotten(signed_in: Browser) -> None:
    async def scenario() -> tuple[int, int, int]:
        watching = open_sockets.watcher()
        await watching.ready()
        for number in range(10_000):
            socket = open_sockets.OpenSocket(
                open_sockets.Basis(session_id=str(number), user_ids=(number,)), since=time.monotonic()
            )
            watching.add(socket)
            watching.remove(socket)
        watching.end([str(number) for number in range(20_000)])
        return len(watching), len(watching._by_key), len(watching._recent)

    assert run(scenario) == (0, 0, open_sockets.MAX_RECENT)


def test_announcements_after_lost_ones_let_processes_ask(signed_in: Browser, settings: Any, monkeypatch: Any) -> None:
    """The layer works for the process with the socket all the time, which therefore does not ask by itself."""
    messages: list[Any] = []
    arrived = asyncio.Event()

    async def receive(channel: str) -> Any:
        await arrived.wait()
        arrived.clear()
        return messages.pop()

    async def group_send(group: str, message: Any) -> None:
        messages.append(message)
        if len(sent := message["ended"]) == 1 and "lost" in sent:
            raise ConnectionError
        arrived.set()

    layer = Layer(receive=receive, group_send=group_send)
    monkeypatch.setattr(open_sockets, "crosses_processes", lambda: True)
    monkeypatch.setattr(open_sockets, "channel_layer", lambda: layer)
    monkeypatch.setattr(announcements, "channel_layer", lambda: layer)
    monkeypatch.setattr(announcements, "PAUSE_SECONDS", 0)

    async def scenario() -> int:
        socket = Socket(site(), cookie_of(signed_in), ORIGIN)
        await socket.opened()
        await asyncio.sleep(0.3)
        await in_database(lambda: LogtoSession.objects.all().end())
        await in_database(lambda: announcements._send(["lost"]))
        await in_database(lambda: announcements._send(["another"]))
        return (await socket.close_code())[0]

    assert run(scenario) == CLOSE_CODE


def test_token_at_a_site_without_an_api_is_refused(logto: Emulator, settings: Any) -> None:
    settings.LOGTO_API_RESOURCE = ""
    assert run(lambda: Socket(site(), (b"authorization", b"Bearer x")).refused()) == 4401
    key = (b"authorization", b"Bearer pat_0123456789abcdef")
    assert run(lambda: Socket(site(accepts_api_keys=True, of_organization=None), key).refused()) == 4401


def test_site_without_an_api_may_accept_organization_tokens(token: TokenMaker, settings: Any) -> None:
    settings.LOGTO_API_RESOURCE = ""
    header = bearer(token.for_organization("harbour00001"))
    opened = run(lambda: Socket(site(of_organization=True), header).opened())
    assert (opened["sub"], opened["authenticated"]) == ("robot0000001", True)


def test_users_who_are_deleted_together_are_announced_together(logto: Emulator, monkeypatch: Any) -> None:
    sent: list[list[str]] = []
    monkeypatch.setattr(announcements, "crosses_processes", lambda: True)
    monkeypatch.setattr(announcements, "_send", sent.append)
    users = [get_user_model().objects.create_user(f"user{number}") for number in range(3)]
    keys = [announcements.user_key(user.pk) for user in users]
    with transaction.atomic():
        announcements.announce(["kept"])
        with suppress(LookupError), transaction.atomic():
            announcements.announce(["rolled back"])
            raise LookupError
        announcements.announce(["kept too"])
        get_user_model().objects.all().delete()
    assert [sorted(each) for each in sent] == [sorted(["kept", "kept too", *keys])]


def test_refresh_while_too_many_wait_raises_an_error_of_this_package(signed_in: Browser, monkeypatch: Any) -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        monkeypatch.setattr(open_sockets, "MAX_WAITING", 0)
        try:
            await refresh(scope)
        except LogtoError as error:
            seen.append(str(error))
        await send({"type": "websocket.accept"})

    async def scenario() -> None:
        await Socket(LogtoAuthMiddleware(app), cookie_of(signed_in), ORIGIN).connect()

    run(scenario)
    assert seen == ["Too many sockets are being confirmed. Try later."]
