"""An open socket closes when its session ends, without a channel layer that crosses processes."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client as Browserlike

from logto_auth.contrib import open_sockets
from logto_auth.contrib.asgi import CLOSE_CODE, LogtoAuthMiddleware
from logto_auth.emulator import Emulator
from logto_auth.models import LogtoIdentity, LogtoSession, UserStatus
from logto_auth.testing import Browser
from logto_auth.users.suspension import suspend
from tests.api.attackers import TokenMaker

from .sites import ORIGIN, Socket, Stream, bearer, cookie_of, in_database, questions, run, site, stream

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def each_second(settings: Any) -> None:
    settings.LOGTO_SOCKET_CHECK_SECONDS = 1


def suspend_user() -> None:
    suspend(LogtoIdentity.objects.get(), UserStatus.SUSPENDED, time.time())


ENDS = {
    "sign-out": lambda browser: browser.client.post("/sign-out"),
    "row": lambda browser: LogtoSession.objects.all().end(reason="ended_by_staff"),
    "suspension": lambda browser: suspend_user(),
    "deactivation by an update": lambda browser: get_user_model().objects.update(is_active=False),
    "deletion": lambda browser: get_user_model().objects.get().delete(),
    "deletion of the identity": lambda browser: LogtoIdentity.objects.get().delete(),
    "expiry": lambda browser: LogtoSession.objects.update(delete_after=1),
}


@pytest.mark.parametrize("how", ENDS)
def test_socket_closes_when_its_session_ends(signed_in: Browser, how: str) -> None:
    async def scenario() -> tuple[int, str]:
        socket = Socket(site(), cookie_of(signed_in), ORIGIN)
        assert (await socket.opened())["authenticated"]
        await socket.say({"a": 1})
        assert await socket.hear() == {"a": 1}
        await in_database(lambda: ENDS[how](signed_in))
        ended = await socket.close_code()
        await socket.wait(5)
        assert len(open_sockets.watcher()) == 0
        return ended

    assert run(scenario) == (CLOSE_CODE, "session_ended")


def test_sockets_of_other_sessions_stay_open(logto: Emulator, reader: Any) -> None:
    laptop, phone = Browser(logto), Browser(logto)
    for browser in (laptop, phone):
        browser.sign_in("reader")

    async def scenario() -> None:
        stays, closes = (Socket(site(), cookie_of(browser), ORIGIN) for browser in (laptop, phone))
        await stays.opened()
        await closes.opened()
        await in_database(lambda: phone.client.post("/sign-out"))
        assert (await closes.close_code())[0] == CLOSE_CODE
        await asyncio.sleep(1.2)
        await stays.say("still here")
        assert await stays.hear() == "still here"
        await stays.disconnect()

    run(scenario)


@pytest.mark.parametrize("engine", ["db", "cache"])
def test_socket_of_a_session_without_logto_closes(settings: Any, engine: str) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
    client = Browserlike()
    client.force_login(get_user_model().objects.create_user("clerk"))

    async def scenario() -> int:
        socket = Socket(site(), cookie_of(type("", (), {"client": client})()), ORIGIN)
        assert (await socket.opened())["user"] == "clerk"
        await asyncio.sleep(1.2)
        await socket.say(1)
        assert await socket.hear() == 1
        await in_database(client.logout)
        return (await socket.close_code())[0]

    assert run(scenario) == CLOSE_CODE


@pytest.mark.parametrize("is_suspended", [True, False])
def test_socket_of_a_token_closes_with_its_account(token: TokenMaker, is_suspended: bool) -> None:
    async def scenario() -> int:
        socket = Socket(site(), bearer(token()))
        await socket.opened()
        if is_suspended:
            await in_database(suspend_user)
        else:
            await in_database(lambda: get_user_model().objects.update(is_active=False))
        return (await socket.close_code())[0]

    assert run(scenario) == CLOSE_CODE


def test_socket_of_a_token_closes_when_it_expires(token: TokenMaker, settings: Any) -> None:
    settings.LOGTO_CLOCK_SKEW_SECONDS = 0

    async def scenario() -> tuple[int, str]:
        socket = Socket(site(), bearer(token(exp=int(time.time()) + 2)))
        await socket.opened()
        return await socket.close_code()

    assert run(scenario) == (CLOSE_CODE, "token_expired")


def test_stream_ends_with_the_session(signed_in: Browser) -> None:
    async def scenario() -> Any:
        events = Stream(LogtoAuthMiddleware(stream), cookie_of(signed_in))
        await events.started()
        await events.receive_output(5)
        await in_database(lambda: LogtoSession.objects.all().end())
        last = await events.receive_output(5)
        await events.wait(5)
        return last

    assert run(scenario) == {"type": "http.response.body", "body": b"", "more_body": False}


def test_response_with_a_length_is_not_cut(signed_in: Browser) -> None:
    async def download(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        await asyncio.sleep(2)
        await send({"type": "http.response.body", "body": b"b"})

    async def scenario() -> bytes:
        response = Stream(LogtoAuthMiddleware(download), cookie_of(signed_in))
        await response.started()
        first = await response.receive_output(5)
        await in_database(lambda: LogtoSession.objects.all().end())
        return bytes(first["body"] + (await response.receive_output(5))["body"])

    assert run(scenario) == b"ab"


def test_messages_after_the_end_reach_nobody(signed_in: Browser, monkeypatch: Any) -> None:
    monkeypatch.setattr("logto_auth.contrib.asgi.SECONDS_TO_END", 0.2)
    seen: list[str] = []

    async def stubborn(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        try:
            while True:
                seen.append((await receive())["type"])
                await send({"type": "websocket.send", "text": "secret"})
                await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    async def scenario() -> list[Any]:
        socket = Socket(LogtoAuthMiddleware(stubborn), cookie_of(signed_in), ORIGIN)
        await socket.connect()
        await socket.receive_output(5)
        await in_database(lambda: LogtoSession.objects.all().end())
        messages = [await socket.receive_output(5)]
        await socket.say("too late")
        await socket.wait(5)
        while not socket.output_queue.empty():
            messages.append(socket.output_queue.get_nowait())
        return messages

    messages = run(scenario)
    assert [message["type"] for message in messages] == ["websocket.close"]
    assert "websocket.receive" not in seen
    assert seen[-1] == "cancelled"


def test_error_of_the_application_is_raised(signed_in: Browser) -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise LookupError("broken")

    async def scenario() -> None:
        await Socket(LogtoAuthMiddleware(broken), cookie_of(signed_in), ORIGIN).connect(0.5)

    with pytest.raises(LookupError, match="broken"):
        run(scenario)


def test_database_that_is_down_closes_no_socket(signed_in: Browser, monkeypatch: Any, caplog: Any) -> None:
    def fail(bases: Any) -> set[str]:
        raise OSError("down")

    async def scenario() -> None:
        socket = Socket(site(), cookie_of(signed_in), ORIGIN)
        await socket.opened()
        monkeypatch.setattr(open_sockets, "ended_keys", fail)
        await asyncio.sleep(1.3)
        await socket.say(1)
        assert await socket.hear() == 1
        monkeypatch.undo()
        await in_database(lambda: LogtoSession.objects.all().end())
        assert (await socket.close_code())[0] == CLOSE_CODE

    run(scenario)
    assert "1 open sockets could not be checked" in caplog.text


def test_slow_logto_keeps_no_socket_open(signed_in: Browser) -> None:
    """All threads for connects are waiting."""

    async def scenario() -> int:
        socket = Socket(site(), cookie_of(signed_in), ORIGIN)
        await socket.opened()
        slow = threading.Event()
        waiting = [asyncio.create_task(open_sockets.in_thread(slow.wait)) for _ in range(open_sockets.MAX_THREADS + 5)]
        try:
            await in_database(lambda: LogtoSession.objects.all().end())
            return (await socket.close_code())[0]
        finally:
            slow.set()
            await asyncio.gather(*waiting)

    assert run(scenario) == CLOSE_CODE


def test_thousand_sockets_cost_one_query_per_interval(signed_in: Browser, token: TokenMaker) -> None:
    row = LogtoSession.objects.get()
    rows = LogtoSession.objects.bulk_create(
        [
            LogtoSession(user_id=row.user_id, identity_id=row.identity_id, delete_after=9e9, fresh_until=9e9)
            for _ in range(1000)
        ]
    )

    async def scenario() -> tuple[list[Any], int]:
        watching = open_sockets.watcher()
        await watching.ready()
        for each in rows:
            basis = open_sockets.Basis(session_id=str(each.pk), user_ids=(each.user_id,))
            watching.add(open_sockets.OpenSocket(basis, since=time.monotonic()))
        with questions() as asked:
            await asyncio.sleep(3.5)
        await in_database(lambda: LogtoSession.objects.filter(pk__in=[each.pk for each in rows[:10]]).end())
        await asyncio.sleep(1.5)
        ended = sum(socket.ended.done() for socket in watching._sockets)
        return asked, ended

    asked, ended = run(scenario)
    assert len(asked) in (2, 3)
    assert {sockets for _at, sockets in asked} == {1000}
    assert ended == 10


def test_question_for_all_sessions_is_one_query(signed_in: Browser, django_assert_num_queries: Any) -> None:
    live = str(LogtoSession.objects.get().pk)
    ended = [str(number) * 8 + "-0000-4000-8000-000000000000" for number in range(10)]
    bases = [open_sockets.Basis(session_id=id, user_ids=(1,)) for id in (live, *ended * 100)]
    with django_assert_num_queries(1):
        assert open_sockets.ended_keys(bases) == {f"session:{id}" for id in ended}


def test_without_sockets_nothing_is_asked(signed_in: Browser) -> None:
    async def scenario() -> list[Any]:
        socket = Socket(site(), cookie_of(signed_in), ORIGIN)
        await socket.opened()
        await socket.disconnect()
        with questions() as asked:
            await asyncio.sleep(2.2)
        return asked

    assert run(scenario) == []
